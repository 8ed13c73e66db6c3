import type { PinErrorCode } from '../error-codes.ts';
import type { Logger } from '../log.ts';

export interface CallerRefusalsParts {
  readonly observeRefused: (code: PinErrorCode) => void;
  readonly log: Logger;
  /** The clock of `performance.now()`, in milliseconds. */
  readonly now: () => number;
}

/** What was looked at; `connection`: of too many, one on which nobody was answered. */
type LookedAt = 'path' | 'certificate' | 'connection';

const CODES: Readonly<Record<LookedAt, PinErrorCode>> = {
  path: 'unknown_caller',
  certificate: 'unknown_caller',
  connection: 'overloaded',
};

/** Anybody may call, as often as they like, and is not to fill the log. */
const LOG_EVERY_MS = 60_000;

/**
 * What counts a caller who is not let in, and logs one line a minute, with how many there were since the last.
 */
export function createCallerRefusals(
  by: LookedAt,
  { observeRefused, log, now }: CallerRefusalsParts,
): () => void {
  const code = CODES[by];
  let loggedAtMs = Number.NEGATIVE_INFINITY;
  let unlogged = 0;
  return () => {
    observeRefused(code);
    unlogged += 1;
    if (now() - loggedAtMs < LOG_EVERY_MS) return;
    log.warn({ code, by, calls: unlogged }, 'callers refused');
    loggedAtMs = now();
    unlogged = 0;
  };
}
