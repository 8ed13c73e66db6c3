import type { ImageCredentials } from '../credentials/pull-secrets.ts';
import { PinError, toPinError } from '../errors.ts';
import type { ImageReference } from '../image/reference.ts';
import type { RegistryClient } from '../registry/client.ts';
import type { CachedLookup, DigestCache } from './cache.ts';
import type { Gate } from './gate.ts';
import type { Limits } from './limits.ts';

/** What is to be looked up, and for whom. */
export interface Target {
  readonly reference: ImageReference;
  readonly access: ImageCredentials;
  /** Of the cache: registry, repository, tag and credential fingerprint. */
  readonly key: string;
  readonly namespace: string;
  /** Only a look-up that began after this moment answers. */
  readonly notBeforeMs: number | undefined;
}

export interface FlightsParts {
  readonly client: RegistryClient;
  readonly cache: DigestCache;
  readonly limits: Limits;
  readonly gate: Gate;
  /** The clock of `performance.now()`, in milliseconds. */
  readonly now: () => number;
}

/** Look-ups on their way to registries, each shared by all who wait for the same thing. */
export interface Flights {
  /** Joins a look-up or starts one; the promise never rejects. */
  readonly join: (target: Target) => {
    readonly ended: Promise<CachedLookup | PinError>;
    readonly shared: boolean;
  };
}

interface Flight {
  readonly askedAtMs: number;
  readonly ended: Promise<CachedLookup | PinError>;
}

/** A shared look-up has a deadline of its own: the first to wait must not end it for the others. */
const LOOKUP_DEADLINE_MS = 8000;
/** A second attempt is worth its while only with this much time left. */
const RETRY_MARGIN_MS = 2000;

/** Tells whether what the cache holds answers the target. */
export function answers(
  known: CachedLookup | PinError,
  target: { readonly notBeforeMs: number | undefined },
): boolean {
  if (target.notBeforeMs === undefined) return true;
  return !(known instanceof PinError) && known.askedAtMs >= target.notBeforeMs;
}

export function createFlights(parts: FlightsParts): Flights {
  const flights = new Map<string, Flight>();
  const tickets = new Map<string, Flight>();

  /** All namespaces that ask under one key share one request. */
  const fly = (target: Target): Promise<CachedLookup | PinError> => {
    const known = parts.cache.fresh(target.key, parts.now());
    if (known !== undefined && answers(known, target)) return Promise.resolve(known);
    const shared = flights.get(target.key);
    if (shared !== undefined && shared.askedAtMs >= (target.notBeforeMs ?? 0)) return shared.ended;
    return register(flights, target.key, { askedAtMs: parts.now(), ended: launch(parts, target) });
  };

  return {
    join: (target) => {
      const { namespace, key } = target;
      const board = (): Promise<CachedLookup | PinError> =>
        parts.limits.inNamespace(namespace, () => fly(target));
      // A refresh must not share a ticket: its holder may be content with what the cache has.
      if (target.notBeforeMs !== undefined) return { ended: board(), shared: false };
      // A place of the namespace is taken before a flight is shared, so that a namespace that
      // fills its own places delays nobody else's look-up of the same image.
      const ticketKey = `${namespace} ${key}`;
      const ticket = tickets.get(ticketKey);
      if (ticket !== undefined) return { ended: ticket.ended, shared: true };
      const ended = register(tickets, ticketKey, { askedAtMs: parts.now(), ended: board() });
      return { ended, shared: false };
    },
  };
}

/** Keeps a flight for others to join until it has ended. */
function register(
  flights: Map<string, Flight>,
  key: string,
  flight: Flight,
): Promise<CachedLookup | PinError> {
  flights.set(key, flight);
  void flight.ended.finally(() => {
    if (flights.get(key) === flight) flights.delete(key);
  });
  return flight.ended;
}

async function launch(parts: FlightsParts, target: Target): Promise<CachedLookup | PinError> {
  const { registry } = target.reference;
  try {
    return await parts.limits.inRegistry(registry, () => lookUp(parts, target));
  } catch (caught) {
    return toPinError(caught);
  }
}

async function lookUp(parts: FlightsParts, target: Target): Promise<CachedLookup | PinError> {
  const { registry } = target.reference;
  const askedAtMs = parts.now();
  const closed = parts.gate.closedFor(registry, askedAtMs);
  if (closed !== undefined) return closed;
  try {
    const lookup = await attempt(parts, target, askedAtMs + LOOKUP_DEADLINE_MS);
    parts.limits.hasAnswered(registry);
    const found = { lookup, askedAtMs };
    parts.cache.keep(target.key, found);
    return found;
  } catch (caught) {
    const error = toPinError(caught);
    if (error.code === 'rate_limited') parts.gate.close(registry, error, parts.now());
    parts.cache.keepFailure(target.key, error, parts.now());
    return error;
  }
}

/** One look-up, and where the network failed another one, on a fresh connection. */
async function attempt(
  parts: FlightsParts,
  { reference, access }: Target,
  deadlineAtMs: number,
): ReturnType<RegistryClient['lookup']> {
  const signal = AbortSignal.timeout(Math.max(1, Math.ceil(deadlineAtMs - parts.now())));
  const how = { credentials: access.credentials, signal };
  try {
    return await parts.client.lookup(reference, how);
  } catch (caught) {
    const error = toPinError(caught);
    if (!error.rule.retry || deadlineAtMs - parts.now() < RETRY_MARGIN_MS) throw error;
    return parts.client.lookup(reference, how);
  }
}
