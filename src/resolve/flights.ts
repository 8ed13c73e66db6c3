import type { Access } from '../credentials/credential.ts';
import { PinError, toPinError } from '../errors.ts';
import type { ImageReference } from '../image/reference.ts';
import { isAnswer } from './breaker.ts';
import type { CachedLookup, DigestCache } from './cache.ts';
import type { Limits } from './limits.ts';
import type { Journey, Route } from './route.ts';
import type { SharedDigests } from './shared-digests.ts';

/** What is to be looked up, and for whom. */
export interface Target {
  readonly reference: ImageReference;
  readonly access: Access;
  /** Of the cache: registry, repository, tag and credential fingerprint. */
  readonly key: string;
  readonly namespace: string;
  /** Whoever asks waits no longer than this. */
  readonly deadlineAtMs: number;
  /** Only a look-up that began after this moment answers. */
  readonly notBeforeMs: number | undefined;
}

export interface FlightsParts {
  readonly route: Route;
  readonly cache: DigestCache;
  readonly limits: Limits;
  /** Asked before a registry, where there is one. */
  readonly sharedDigests?: SharedDigests | undefined;
  /** The clock of `performance.now()`, in milliseconds. */
  readonly now: () => number;
}

/** Look-ups on their way to registries, each shared by all who wait for the same thing. */
export interface Flights {
  /** Joins a look-up or starts one; the promise never rejects. */
  readonly join: (target: Target) => {
    readonly ended: Promise<CachedLookup | PinError>;
    readonly shared: boolean;
    /** Of the look-up that it is in; undefined while it is in none. */
    readonly times: () => FlightTimes | undefined;
  };
}

/** Of a look-up: when a registry began to be asked, and how long of that time tokens were waited for. */
interface FlightTimes {
  /** Undefined while it waits for its turn. */
  startedAtMs: number | undefined;
  tokenMs: number;
}

/** Those of one namespace who wait for one key, through one place of their namespace. */
interface Ticket {
  readonly namespace: string;
  /** When the last of them gives up. */
  wantedUntilMs: number;
  times?: FlightTimes;
}

interface Flight {
  /** When it began; 0 where other replicas may answer it, whose look-ups began nobody knows when. */
  readonly askedAtMs: number;
  readonly tickets: Ticket[];
  readonly times: FlightTimes;
  readonly ended: Promise<CachedLookup | PinError>;
}

type FlightParts = Pick<Flight, 'times'> & { readonly tickets: readonly Ticket[] };

/** A shared look-up has a deadline of its own: the first to wait must not end it for the others. */
const LOOKUP_DEADLINE_MS = 8000;

/** Tells whether what the cache holds answers the target. */
export function answers(
  known: CachedLookup | PinError,
  target: { readonly notBeforeMs: number | undefined },
): boolean {
  if (target.notBeforeMs === undefined) return true;
  // The clock of another replica proves nothing.
  return (
    !(known instanceof PinError) &&
    known.lookup.source !== 'shared' &&
    known.askedAtMs >= target.notBeforeMs
  );
}

export function createFlights(parts: FlightsParts): Flights {
  const flights = new Map<string, Flight>();
  const boarding = new Map<string, Ticket & { readonly ended: Flight['ended'] }>();

  /** All namespaces that ask under one key share one request. */
  const fly = (target: Target, ticket: Ticket): Flight['ended'] => {
    const nowMs = parts.now();
    const known = parts.cache.fresh(target.key, nowMs);
    if (known !== undefined && answers(known, target)) return Promise.resolve(known);
    if (nowMs >= ticket.wantedUntilMs) return Promise.resolve(givenUp(target));
    const shared = flights.get(target.key);
    if (shared !== undefined && shared.askedAtMs >= (target.notBeforeMs ?? 0)) {
      shared.tickets.push(ticket);
      ticket.times = shared.times;
      return shared.ended;
    }
    const tickets = [ticket];
    const times: FlightTimes = { startedAtMs: undefined, tokenMs: 0 };
    ticket.times = times;
    const others = target.notBeforeMs === undefined ? parts.sharedDigests : undefined;
    const ended =
      others === undefined
        ? launch(parts, target, { tickets, times })
        : askOthersFirst(parts, others, { target, tickets, times });
    const askedAtMs = others === undefined ? nowMs : 0;
    return register(flights, target.key, { askedAtMs, tickets, times, ended }).ended;
  };

  return {
    join: (target) => {
      const { namespace, key, deadlineAtMs } = target;
      const ticket: Ticket = { namespace, wantedUntilMs: deadlineAtMs };
      const board = async (): Flight['ended'] => {
        // A place that is left alone is not waited for.
        const closed = await closedFor(parts, target);
        if (closed !== undefined) return closed;
        const registry = registryOf(target);
        return parts.limits.inNamespace({ namespace, registry }, () => fly(target, ticket));
      };
      // A refresh must not share a ticket: its holder may be content with what the cache has.
      if (target.notBeforeMs !== undefined) {
        return { ended: board(), shared: false, times: () => ticket.times };
      }
      // A place of the namespace is taken before a flight is shared, so that a namespace that
      // fills its own places delays nobody else's look-up of the same image.
      const ticketKey = `${namespace} ${key}`;
      const held = boarding.get(ticketKey);
      if (held !== undefined) {
        held.wantedUntilMs = Math.max(held.wantedUntilMs, deadlineAtMs);
        return { ended: held.ended, shared: true, times: () => held.times };
      }
      const { ended } = register(boarding, ticketKey, Object.assign(ticket, { ended: board() }));
      return { ended, shared: false, times: () => ticket.times };
    },
  };
}

/** Keeps a look-up for others to join until it has ended. */
function register<T extends Pick<Flight, 'ended'>>(all: Map<string, T>, key: string, mine: T): T {
  all.set(key, mine);
  void mine.ended.finally(() => {
    if (all.get(key) === mine) all.delete(key);
  });
  return mine;
}

/**
 * A look-up whose turn comes when all who wanted it have given up is not made: behind a registry
 * that hangs, a queue would otherwise grow without an end.
 */
function givenUp({ reference: { registry } }: Target): PinError {
  const message = `${registry} was not asked in time`;
  return new PinError('deadline_exceeded', message, { host: registry });
}

async function closedFor({ route }: FlightsParts, target: Target): Promise<PinError | undefined> {
  try {
    return await route.closedFor({ ...target, namespaces: () => [target.namespace] });
  } catch (caught) {
    return toPinError(caught);
  }
}

/** Users spell a host in any case; it is one registry. */
function registryOf({ reference }: Target): string {
  return reference.registry.toLowerCase();
}

/** Before a place of the registry is waited for: another replica may have asked it lately. */
async function askOthersFirst(
  parts: FlightsParts,
  others: SharedDigests,
  { target, ...flight }: FlightParts & { readonly target: Target },
): Promise<CachedLookup | PinError> {
  const found = await others.find(target.key);
  if (found === undefined) return launch(parts, target, flight);
  parts.cache.keep(target.key, found);
  // Which does not take it where a younger question had another answer: that one counts.
  return parts.cache.fresh(target.key, parts.now()) ?? launch(parts, target, flight);
}

function launch(
  parts: FlightsParts,
  target: Target,
  { tickets, times }: FlightParts,
): Promise<CachedLookup | PinError> {
  const wanted = (): boolean => tickets.some(({ wantedUntilMs }) => wantedUntilMs > parts.now());
  const namespaces = (): readonly string[] => tickets.map(({ namespace }) => namespace);
  return parts.limits.hold({ registry: registryOf(target), namespaces }, async () =>
    wanted() ? lookUp(parts, target, { wanted, namespaces, times }) : givenUp(target),
  );
}

/**
 * Once begun it goes on for the cache, though all may have given up: the next review profits. It is
 * not begun a second time for nobody. Never rejects.
 */
async function lookUp(
  parts: FlightsParts,
  target: Target,
  who: Pick<Journey, 'wanted' | 'namespaces'> & { readonly times: FlightTimes },
): Promise<CachedLookup | PinError> {
  const askedAtMs = parts.now();
  who.times.startedAtMs = askedAtMs;
  try {
    const { reference, access } = target;
    const deadlineAtMs = askedAtMs + LOOKUP_DEADLINE_MS;
    const lookup = await parts.route.lookup({ reference, access, deadlineAtMs, ...who });
    parts.limits.hasAnswered(registryOf(target));
    const found = { lookup, askedAtMs };
    parts.cache.keep(target.key, found);
    parts.sharedDigests?.keep(target.key, found);
    return found;
  } catch (caught) {
    const error = toPinError(caught);
    if (isAnswer(error)) parts.limits.hasAnswered(registryOf(target));
    if (error.asked) parts.cache.keepFailure(target.key, error, { askedAtMs, nowMs: parts.now() });
    return error;
  }
}
