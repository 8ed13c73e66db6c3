import { LRUCache } from 'lru-cache';

import { PinError, type PinErrorCode, toPinError } from '../errors.ts';
import type { Endpoint } from '../registry/hosts.ts';

/**
 * Leaves a place alone that did not answer several times in a row. What a tenant can bring about
 * must not count against a host that all use. So an answer is an answer, whatever it says (a 401 of
 * wrong credentials, a 404, a 5xx); a connection that cannot be made counts against the host, for no
 * path has a part in it; and silence on a connection counts against the project, which is the first
 * part of a repository's name and may stand for something slow behind the host, as in a pull-through
 * cache. It counts against the host as well, but once for each project.
 */
export interface Breaker {
  /** Why the place is not to be asked now, or undefined. */
  readonly closedFor: (endpoint: Endpoint) => PinError | undefined;
  /**
   * Asks, and learns from how that ends. Throws what `closedFor` tells where the place is left
   * alone; when its time has passed, one at a time is let through to find out.
   */
  readonly ask: <T>(endpoint: Endpoint, act: () => Promise<T>) => Promise<T>;
}

export interface BreakerParts {
  /** The clock of `performance.now()`, in milliseconds. */
  readonly now: () => number;
  /** At least 0, and below 1. */
  readonly random: () => number;
  /** Told when a host is left alone, and until when; 0 when it has answered again. */
  readonly observe: (registry: string, untilMs: number) => void;
}

/** Failures in a row: of a host or of a project. */
interface Circuit {
  failures: number;
  /** Of a host: the projects that were silent. */
  readonly silent: Set<string>;
  readonly sinceMs: number;
  last: PinError;
  /** 0 while it is still asked. */
  openings: number;
  untilMs: number;
  /** Somebody is finding out whether it answers again. */
  probed: boolean;
}

/** What an endpoint is known by. */
interface Place {
  readonly endpoint: Endpoint;
  readonly host: string;
  readonly project: string;
}

const FAILURES = 5;
const FIRST_WAIT_MS = 1000;
const MAX_WAIT_MS = 60_000;
/** So that the replicas, and the hosts of one fault, do not ask all at once. */
const JITTER = 0.2;
/** Names are chosen by tenants. A host that is forgotten is asked five times more, and no worse. */
const MAX_CIRCUITS = 5000;

export function createBreaker(parts: BreakerParts): Breaker {
  const circuits = new LRUCache<string, Circuit>({ max: MAX_CIRCUITS });
  const refusalOf = (place: Place): PinError | undefined => {
    const nowMs = parts.now();
    // The project first: what is refused for its sake takes no turn of the host.
    const key = [place.project, place.host].find((one) => isShut(circuits.get(one), nowMs));
    const shut = key === undefined ? undefined : circuits.get(key);
    return shut && refusal(place.endpoint, shut, nowMs);
  };
  return {
    closedFor: (endpoint) => refusalOf(placeOf(endpoint)),
    ask: async (endpoint, act) => {
      const place = placeOf(endpoint);
      const shut = refusalOf(place);
      if (shut !== undefined) throw shut;
      const probes = probesOf(circuits, place);
      try {
        const answer = await act();
        forget(parts, circuits, place);
        return answer;
      } catch (caught) {
        const error = toPinError(caught);
        if (isAnswerOf(endpoint, error)) forget(parts, circuits, place);
        else if (error.silence !== undefined) count(parts, circuits, { place, error, probes });
        throw error;
      } finally {
        for (const probe of probes) probe.probed = false;
      }
    },
  };
}

/** Codes that a host was heard with; behind the others nobody may have been asked. */
const ANSWERS: ReadonlySet<PinErrorCode> = new Set([
  'not_found',
  'unauthorized',
  'rate_limited',
  'unavailable',
  'invalid_response',
  'unsupported_manifest',
  'digest_not_served',
]);

/** Whether a registry was heard. */
export function isAnswer({ silence, asked, code }: PinError): boolean {
  return silence === undefined && asked && ANSWERS.has(code);
}

/** Another host that was silent can only have been named by an answer of this one. */
function isAnswerOf({ origin }: Endpoint, error: PinError): boolean {
  return isAnswer(error) || (error.silence !== undefined && error.silence.origin !== origin);
}

/**
 * A connection that the operator has configured has its own certificates and rights, and whoever
 * names the same host without them must not be able to spoil it.
 */
function placeOf(endpoint: Endpoint): Place {
  const { origin, connection, repository } = endpoint;
  const how = connection && `${connection.connectTimeoutMs} ${connection.tls?.id}`;
  const host = `${origin} ${how ?? ''}`;
  return { endpoint, host, project: `${host} ${projectOf(repository)}` };
}

function projectOf(repository: string): string {
  return repository.split('/', 1).join();
}

function isShut(circuit: Circuit | undefined, nowMs: number): boolean {
  if (circuit === undefined || circuit.openings === 0) return false;
  return nowMs < circuit.untilMs || circuit.probed;
}

function refusal({ registry }: Endpoint, circuit: Circuit, nowMs: number): PinError {
  const { last, sinceMs, untilMs } = circuit;
  const ago = Math.ceil((nowMs - sinceMs) / 1000);
  const waitMs = Math.max(0, untilMs - nowMs);
  const when = circuit.probed ? 'being asked now' : `asked again in ${Math.ceil(waitMs / 1000)} s`;
  const message = `${last.message}; that began ${ago} s ago, and it is ${when}`;
  return new PinError(last.code, message, {
    cause: last,
    host: registry,
    retryAfterMs: waitMs,
    asked: false,
  });
}

/** The circuits that this question may close, which nobody else is to ask for meanwhile. */
function probesOf(circuits: LRUCache<string, Circuit>, place: Place): readonly Circuit[] {
  const known = [place.host, place.project].flatMap((key) => circuits.get(key) ?? []);
  const probes = known.filter(({ openings }) => openings > 0);
  for (const probe of probes) probe.probed = true;
  return probes;
}

function forget(parts: BreakerParts, circuits: LRUCache<string, Circuit>, place: Place): void {
  const host = circuits.peek(place.host);
  circuits.delete(place.host);
  circuits.delete(place.project);
  if (host !== undefined && host.openings > 0) parts.observe(place.endpoint.registry, 0);
}

interface Failure {
  readonly place: Place;
  readonly error: PinError;
  readonly probes: readonly Circuit[];
}

function count(parts: BreakerParts, circuits: LRUCache<string, Circuit>, failure: Failure): void {
  const { place, error } = failure;
  const first = { error, nowMs: parts.now() };
  const connected = error.silence?.connected === true;
  const name = projectOf(place.endpoint.repository);
  const host = circuitOf(circuits, place.host, first);
  const counts = !connected || !host.silent.has(name);
  if (connected && host.openings === 0) host.silent.add(name);
  if (add(parts, host, { ...failure, counts })) {
    parts.observe(place.endpoint.registry, host.untilMs);
  }
  const project = connected
    ? circuitOf(circuits, place.project, first)
    : circuits.get(place.project);
  if (project !== undefined) add(parts, project, { ...failure, counts: connected });
}

function circuitOf(
  circuits: LRUCache<string, Circuit>,
  key: string,
  { error, nowMs }: { readonly error: PinError; readonly nowMs: number },
): Circuit {
  const known = circuits.get(key) ?? {
    failures: 0,
    silent: new Set(),
    sinceMs: nowMs,
    last: error,
    openings: 0,
    untilMs: 0,
    probed: false,
  };
  circuits.set(key, known);
  return known;
}

/** Tells whether that opened the circuit, or kept it open. */
function add(
  parts: BreakerParts,
  circuit: Circuit,
  { error, probes, counts }: Failure & { readonly counts: boolean },
): boolean {
  const isProbe = probes.includes(circuit);
  // What was on its way when the circuit opened tells nothing new.
  if (!isProbe && (circuit.openings > 0 || !counts)) return false;
  circuit.failures += 1;
  circuit.last = error;
  if (!isProbe && circuit.failures < FAILURES) return false;
  const waitMs = Math.min(MAX_WAIT_MS, FIRST_WAIT_MS * 2 ** circuit.openings);
  circuit.openings += 1;
  circuit.untilMs = parts.now() + waitMs * (1 - JITTER + 2 * JITTER * parts.random());
  return true;
}
