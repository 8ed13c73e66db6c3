import { LRUCache } from 'lru-cache';

import type { PinErrorCode } from '../error-codes.ts';
import { type PinError, toPinError } from '../errors.ts';
import { type Endpoint, projectOf } from '../registry/hosts.ts';
import { addFailure, type Circuit, isShut, newCircuit, refusalOf } from './circuit.ts';

/**
 * Leaves a place alone that did not answer several times in a row. What a tenant can bring about
 * must not count for others. So an answer is an answer, whatever it says (a 401 of wrong
 * credentials, a 404, a 5xx); a connection that cannot be made counts against the host, for all, as
 * no path has a part in it; and silence on a connection, which a path may be the cause of, counts
 * for the namespace that met with it: against the project, which may stand for something slow behind
 * the host, and against the host, but once for each project.
 */
export interface Breaker {
  /** Why none of them is to ask now, or undefined. */
  readonly closedFor: (question: Question) => PinError | undefined;
  /**
   * Asks, and learns from how that ends. Throws what `closedFor` tells where the place is left
   * alone; when its time has passed, one at a time is let through to find out.
   */
  readonly ask: <T>(question: Question, act: () => Promise<T>) => Promise<T>;
}

/** Who is to be asked, and on whose behalf. */
export interface Question {
  readonly endpoint: Endpoint;
  /** At least one; may grow while it is asked. */
  readonly namespaces: () => readonly string[];
}

export interface BreakerParts {
  /** The clock of `performance.now()`, in milliseconds. */
  readonly now: () => number;
  /** At least 0, and below 1. */
  readonly random: () => number;
  /** Told when a host is left alone, and until when; 0 when it has answered again. */
  readonly observe: (registry: string, untilMs: number) => void;
}

/** What an endpoint is known by. */
interface Place {
  readonly endpoint: Endpoint;
  readonly host: string;
  readonly views: () => readonly View[];
}

/** What a namespace knows it by. */
interface View {
  readonly host: string;
  readonly project: string;
}

/** Names are chosen by tenants. A host that is forgotten is asked five times more, and no worse. */
const MAX_CIRCUITS = 5000;

export function createBreaker(parts: BreakerParts): Breaker {
  const circuits = new LRUCache<string, Circuit>({ max: MAX_CIRCUITS });
  const closedFor = (place: Place): PinError | undefined => {
    const nowMs = parts.now();
    const shutOf = (...keys: readonly string[]): Circuit | undefined =>
      keys.map((key) => circuits.get(key)).find((one) => isShut(one, nowMs));
    const host = shutOf(place.host);
    const { registry } = place.endpoint;
    if (host !== undefined) return refusalOf(host, registry, nowMs);
    // Whoever joined the look-up of another must not pay for what that one met with.
    const seen = place.views().map((view) => shutOf(view.project, view.host));
    const [first] = seen;
    return first && seen.every(Boolean) ? refusalOf(first, registry, nowMs) : undefined;
  };
  return {
    closedFor: (question) => closedFor(placeOf(question)),
    ask: async (question, act) => {
      const { endpoint } = question;
      const place = placeOf(question);
      const shut = closedFor(place);
      if (shut !== undefined) throw shut;
      const probes = probesOf(circuits, place, parts.now());
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
function placeOf({ endpoint, namespaces }: Question): Place {
  const { origin, connection } = endpoint;
  const how = connection && `${connection.connectTimeoutMs} ${connection.tls?.id}`;
  const host = `${origin} ${how ?? ''}`;
  const project = projectOf(endpoint);
  const views = (): readonly View[] =>
    [...new Set(namespaces())].map((namespace) => {
      const seen = `${host} ${namespace}`;
      return { host: seen, project: `${seen} ${project}` };
    });
  return { endpoint, host, views };
}

/** The circuits that this question may close, which nobody else is to ask for meanwhile. */
function probesOf(
  circuits: LRUCache<string, Circuit>,
  place: Place,
  nowMs: number,
): readonly Circuit[] {
  const keys = [place.host, ...place.views().flatMap(({ host, project }) => [host, project])];
  const known = keys.flatMap((key) => circuits.get(key) ?? []);
  const probes = known.filter((one) => one.openings > 0 && !isShut(one, nowMs));
  for (const probe of probes) probe.probed = true;
  return probes;
}

function forget(parts: BreakerParts, circuits: LRUCache<string, Circuit>, place: Place): void {
  const views = place.views();
  const hosts = [place.host, ...views.map(({ host }) => host)];
  const wasOpen = hosts.some((key) => (circuits.peek(key)?.openings ?? 0) > 0);
  for (const key of [...hosts, ...views.map(({ project }) => project)]) circuits.delete(key);
  if (wasOpen) parts.observe(place.endpoint.registry, 0);
}

interface Failure {
  readonly place: Place;
  readonly error: PinError;
  readonly probes: readonly Circuit[];
}

function count(
  parts: BreakerParts,
  circuits: LRUCache<string, Circuit>,
  { place, error, probes }: Failure,
): void {
  const { registry } = place.endpoint;
  const met = { error, nowMs: parts.now() };
  const add = (circuit: Circuit, counts: boolean): boolean =>
    addFailure(circuit, { ...met, isProbe: probes.includes(circuit), counts }, parts.random);
  const addToHost = (key: string, silent?: string): void => {
    const host = circuitOf(circuits, key, met);
    const counts = silent === undefined || !host.silent.has(silent);
    if (silent !== undefined && host.openings === 0) host.silent.add(silent);
    if (add(host, counts)) parts.observe(registry, host.untilMs);
  };
  if (error.silence?.connected !== true) {
    addToHost(place.host);
    return;
  }
  // Connections do come about again, so nobody's silence keeps the host shut for others.
  const shared = circuits.peek(place.host);
  if (shared !== undefined && probes.includes(shared)) {
    circuits.delete(place.host);
    parts.observe(registry, 0);
  }
  for (const view of place.views()) {
    addToHost(view.host, projectOf(place.endpoint));
    add(circuitOf(circuits, view.project, met), true);
  }
}

function circuitOf(
  circuits: LRUCache<string, Circuit>,
  key: string,
  first: Parameters<typeof newCircuit>[0],
): Circuit {
  const known = circuits.get(key) ?? newCircuit(first);
  circuits.set(key, known);
  return known;
}
