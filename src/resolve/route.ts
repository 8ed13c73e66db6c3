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
  /** Who is told how long tokens were waited for, where somebody wants to know. */
  readonly times?: { tokenMs: number } | undefined;
  /** The one place to ask, where another will not do; all of the image's where it is left out. */
  readonly only?: Endpoint;
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
  /** The same for anything else that a place can be asked. */
  readonly ask: <T>(journey: Journey, act: Act<T>) => Promise<T>;
  /**
   * The failure of a look-up of which it is known beforehand that it would ask nobody; undefined
   * for any other. Such a look-up need not wait for its turn.
   */
  readonly closedFor: (
    who: Pick<Journey, 'reference' | 'access' | 'namespaces'>,
  ) => Promise<PinError | undefined>;
}

/** What is asked of one place. */
export type Act<T> = (
  endpoint: Endpoint,
  how: { readonly access: Access; readonly signal: AbortSignal },
) => Promise<T>;

/** A mirror must leave the registry itself the time to answer. */
const MIRROR_TIME_MS = 3000;
/** A second attempt is worth its while only with this much time left. */
const RETRY_MARGIN_MS = 2000;

export function createRoute(parts: RouteParts): Route {
  return {
    lookup: (journey) =>
      travel(parts, journey, (endpoint, how) =>
        parts.client.lookup(endpoint, journey.reference, how),
      ),
    ask: (journey, act) => travel(parts, journey, act),
    closedFor: async (who) => {
      const endpoints = await parts.endpointsOf(who.reference);
      const closed = endpoints.flatMap((endpoint) => closedAt(parts, endpoint, who) ?? []);
      return closed.length < endpoints.length ? undefined : nowhere(closed, who.reference);
    },
  };
}

async function travel<T>(parts: RouteParts, journey: Journey, act: Act<T>): Promise<T> {
  const { reference, only } = journey;
  const endpoints = only === undefined ? await parts.endpointsOf(reference) : [only];
  const failures: PinError[] = [];
  for (const [index, endpoint] of endpoints.entries()) {
    if (endpoint.isFallback === true && !wasUnreachable(failures.at(-1))) continue;
    const stop = { endpoint, isLast: index === endpoints.length - 1, act };
    try {
      // oxlint-disable-next-line no-await-in-loop -- the next place is asked when this one failed
      return await visit(parts, journey, stop);
    } catch (caught) {
      failures.push(toPinError(caught));
    }
  }
  throw nowhere(failures, reference);
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

interface Stop<T> {
  readonly endpoint: Endpoint;
  readonly isLast: boolean;
  readonly act: Act<T>;
}

async function visit<T>(parts: RouteParts, journey: Journey, stop: Stop<T>): Promise<T> {
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
async function attempt<T>(
  parts: RouteParts,
  { access, namespaces, deadlineAtMs, wanted }: Journey,
  { endpoint, isLast, act }: Stop<T>,
): Promise<T> {
  const question: Question = { endpoint, namespaces };
  const leftMs = deadlineAtMs - parts.now();
  const timeMs = isLast ? leftMs : Math.min(leftMs, MIRROR_TIME_MS);
  const how = { access, signal: AbortSignal.timeout(Math.max(1, Math.ceil(timeMs))) };
  const ask = (): Promise<T> => parts.breaker.ask(question, () => act(endpoint, how));
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
