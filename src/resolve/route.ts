import type { Access } from '../credentials/credential.ts';
import { PinError, toPinError } from '../errors.ts';
import type { ImageReference } from '../image/reference.ts';
import type { Lookup, RegistryClient } from '../registry/client.ts';
import type { Endpoint, FindEndpoints } from '../registry/hosts.ts';
import type { Breaker, Question } from './breaker.ts';
import type { Asker, Gate } from './gate.ts';

/** One look-up on its way. Times are on the clock of `performance.now()`. */
export interface Journey {
  readonly reference: ImageReference;
  readonly access: Access;
  /** On whose behalf; at least one, and others may join. */
  readonly namespaces: () => readonly string[];
  readonly deadlineAtMs: number;
  /** Whether anybody still waits: without them nothing is asked a second time. */
  readonly wanted: () => boolean;
}

export interface RouteParts {
  readonly client: RegistryClient;
  readonly endpointsOf: FindEndpoints;
  readonly gate: Gate;
  readonly breaker: Breaker;
  readonly now: () => number;
}

/** Asks the places of an image one after the other: mirrors first, the registry itself last. */
export interface Route {
  /** Throws PinError: the failure of the last place, which is the registry's own, and what came before. */
  readonly lookup: (journey: Journey) => Promise<Lookup>;
  /**
   * The failure of a look-up of which it is known beforehand that it would ask nobody; undefined
   * for any other. Such a look-up need not wait for its turn.
   */
  readonly closedFor: (
    who: Pick<Journey, 'reference' | 'access' | 'namespaces'>,
  ) => Promise<PinError | undefined>;
}

/** A mirror must leave the registry itself the time to answer. */
const MIRROR_TIME_MS = 3000;
/** A second attempt is worth its while only with this much time left. */
const RETRY_MARGIN_MS = 2000;

export function createRoute(parts: RouteParts): Route {
  return {
    lookup: async (journey) => {
      const endpoints = await parts.endpointsOf(journey.reference);
      const failures: PinError[] = [];
      for (const [index, endpoint] of endpoints.entries()) {
        if (endpoint.isFallback === true && !wasUnreachable(failures.at(-1))) continue;
        try {
          // oxlint-disable-next-line no-await-in-loop -- the next place is asked when this one failed
          return await visit(parts, journey, { endpoint, isLast: index === endpoints.length - 1 });
        } catch (caught) {
          failures.push(toPinError(caught));
        }
      }
      throw nowhere(failures, journey.reference);
    },
    closedFor: async (who) => {
      const endpoints = await parts.endpointsOf(who.reference);
      const closed = endpoints.flatMap((endpoint) => closedAt(parts, endpoint, who) ?? []);
      return closed.length < endpoints.length ? undefined : nowhere(closed, who.reference);
    },
  };
}

function askerAt({ registry, upstream }: Endpoint, { access }: Pick<Journey, 'access'>): Asker {
  return { registry: registry.toLowerCase(), upstream, fingerprint: access.fingerprint };
}

function closedAt(
  { gate, breaker, now }: RouteParts,
  endpoint: Endpoint,
  { access, namespaces }: Pick<Journey, 'access' | 'namespaces'>,
): PinError | undefined {
  const shut = gate.closedFor(askerAt(endpoint, { access }), now());
  return shut ?? breaker.closedFor({ endpoint, namespaces });
}

/** Http is spoken with a host that does not speak https, and with none that answered. */
function wasUnreachable(failure: PinError | undefined): boolean {
  return failure?.code === 'tls_failed' || failure?.code === 'unavailable';
}

interface Stop {
  readonly endpoint: Endpoint;
  readonly isLast: boolean;
}

async function visit(parts: RouteParts, journey: Journey, stop: Stop): Promise<Lookup> {
  const asker = askerAt(stop.endpoint, journey);
  const closed = parts.gate.closedFor(asker, parts.now());
  if (closed !== undefined) throw closed;
  try {
    return await attempt(parts, journey, stop);
  } catch (caught) {
    const error = toPinError(caught);
    // Where a registry redirects to may say what it likes of itself.
    if (error.limitedBy === stop.endpoint.origin) parts.gate.close(asker, error, parts.now());
    throw error;
  }
}

/** One look-up, and where the network failed at the last place another one, on a fresh connection. */
async function attempt(
  parts: RouteParts,
  { reference, access, namespaces, deadlineAtMs, wanted }: Journey,
  { endpoint, isLast }: Stop,
): Promise<Lookup> {
  const question: Question = { endpoint, namespaces };
  const leftMs = deadlineAtMs - parts.now();
  const timeMs = isLast ? leftMs : Math.min(leftMs, MIRROR_TIME_MS);
  const how = { access, signal: AbortSignal.timeout(Math.max(1, Math.ceil(timeMs))) };
  const ask = (): Promise<Lookup> =>
    parts.breaker.ask(question, () => parts.client.lookup(endpoint, reference, how));
  try {
    return await ask();
  } catch (caught) {
    const error = toPinError(caught);
    const late = deadlineAtMs - parts.now() < RETRY_MARGIN_MS;
    if (!isLast || !error.rule.retry || !error.asked || late || !wanted()) throw error;
    // This failure may have been the one too many.
    if (parts.breaker.closedFor(question) !== undefined) throw error;
    return ask();
  }
}

function nowhere(failures: readonly PinError[], { registry }: ImageReference): PinError {
  const last = failures.at(-1);
  if (last === undefined) {
    const message = `no place is configured that may resolve tags of ${registry}`;
    return new PinError('invalid_config', message, { host: registry });
  }
  if (failures.length === 1) return last;
  const before = failures.slice(0, -1).map(({ message }) => message);
  return new PinError(last.code, `${last.message} (before: ${before.join('; ')})`, {
    cause: last,
    ...(last.host !== undefined && { host: last.host }),
    asked: failures.some(({ asked }) => asked),
    ...(last.retryAfterMs !== undefined && { retryAfterMs: last.retryAfterMs }),
    ...(last.silence && { silence: last.silence }),
  });
}
