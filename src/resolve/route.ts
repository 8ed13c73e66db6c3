import type { Access } from '../credentials/credential.ts';
import { PinError, toPinError } from '../errors.ts';
import type { ImageReference } from '../image/reference.ts';
import type { Lookup, RegistryClient } from '../registry/client.ts';
import type { Endpoint, FindEndpoints } from '../registry/hosts.ts';
import type { Gate } from './gate.ts';

/** One look-up on its way. Times are on the clock of `performance.now()`. */
export interface Journey {
  readonly reference: ImageReference;
  readonly access: Access;
  readonly deadlineAtMs: number;
}

export interface RouteParts {
  readonly client: RegistryClient;
  readonly endpointsOf: FindEndpoints;
  readonly gate: Gate;
  readonly now: () => number;
}

/** Asks the places of an image one after the other: mirrors first, the registry itself last. */
export interface Route {
  /** Throws PinError: the failure of the last place, which is the registry's own, and what came before. */
  readonly lookup: (journey: Journey) => Promise<Lookup>;
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
        try {
          // oxlint-disable-next-line no-await-in-loop -- the next place is asked when this one failed
          return await visit(parts, journey, { endpoint, isLast: index === endpoints.length - 1 });
        } catch (caught) {
          failures.push(toPinError(caught));
        }
      }
      throw nowhere(failures, journey.reference);
    },
  };
}

interface Stop {
  readonly endpoint: Endpoint;
  readonly isLast: boolean;
}

async function visit(parts: RouteParts, journey: Journey, stop: Stop): Promise<Lookup> {
  const asker = {
    registry: stop.endpoint.registry.toLowerCase(),
    fingerprint: journey.access.fingerprint,
  };
  const closed = parts.gate.closedFor(asker, parts.now());
  if (closed !== undefined) throw closed;
  try {
    return await attempt(parts, journey, stop);
  } catch (caught) {
    const error = toPinError(caught);
    if (error.code === 'rate_limited') parts.gate.close(asker, error, parts.now());
    throw error;
  }
}

/** One look-up, and where the network failed at the last place another one, on a fresh connection. */
async function attempt(
  parts: RouteParts,
  { reference, access, deadlineAtMs }: Journey,
  { endpoint, isLast }: Stop,
): Promise<Lookup> {
  const leftMs = deadlineAtMs - parts.now();
  const timeMs = isLast ? leftMs : Math.min(leftMs, MIRROR_TIME_MS);
  const how = { access, signal: AbortSignal.timeout(Math.max(1, Math.ceil(timeMs))) };
  try {
    return await parts.client.lookup(endpoint, reference, how);
  } catch (caught) {
    const error = toPinError(caught);
    if (!isLast || !error.rule.retry || deadlineAtMs - parts.now() < RETRY_MARGIN_MS) throw error;
    return parts.client.lookup(endpoint, reference, how);
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
  });
}
