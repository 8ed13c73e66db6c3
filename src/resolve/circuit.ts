import { PinError } from '../errors.ts';

/** Failures in a row: of a host, and of a host or a project as one namespace sees it. */
export interface Circuit {
  failures: number;
  /** Of a host that a namespace sees: the projects that were silent. */
  readonly silent: Set<string>;
  readonly sinceMs: number;
  last: PinError;
  /** 0 while it is still asked. */
  openings: number;
  untilMs: number;
  /** Somebody is finding out whether it answers again. */
  probed: boolean;
}

interface Failure {
  readonly error: PinError;
  readonly nowMs: number;
  /** Of who was let through to find out. */
  readonly isProbe: boolean;
  /** False for what was counted before. */
  readonly counts: boolean;
}

const FAILURES = 5;
const FIRST_WAIT_MS = 1000;
const MAX_WAIT_MS = 60_000;
/** So that the replicas, and the hosts of one fault, do not ask all at once. */
const JITTER = 0.2;

export function newCircuit({ error, nowMs }: Pick<Failure, 'error' | 'nowMs'>): Circuit {
  return {
    failures: 0,
    silent: new Set(),
    sinceMs: nowMs,
    last: error,
    openings: 0,
    untilMs: 0,
    probed: false,
  };
}

export function isShut(circuit: Circuit | undefined, nowMs: number): boolean {
  if (circuit === undefined || circuit.openings === 0) return false;
  return nowMs < circuit.untilMs || circuit.probed;
}

/**
 * Tells whether that opened the circuit, or kept it open.
 *
 * @param random at least 0, and below 1
 */
export function addFailure(circuit: Circuit, failure: Failure, random: () => number): boolean {
  const { error, nowMs, isProbe, counts } = failure;
  // What was on its way when the circuit opened tells nothing new.
  if (!isProbe && (circuit.openings > 0 || !counts)) return false;
  circuit.failures += 1;
  circuit.last = error;
  if (!isProbe && circuit.failures < FAILURES) return false;
  const waitMs = Math.min(MAX_WAIT_MS, FIRST_WAIT_MS * 2 ** circuit.openings);
  circuit.openings += 1;
  circuit.untilMs = nowMs + waitMs * (1 - JITTER + 2 * JITTER * random());
  return true;
}

/** What whoever asks meanwhile is told. */
export function refusalOf(circuit: Circuit, registry: string, nowMs: number): PinError {
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
