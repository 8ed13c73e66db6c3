import type { PinErrorCode } from '../error-codes.ts';
import type { Logger } from '../log.ts';

export interface CallerRefusalsParts {
  readonly observeRefused: (code: PinErrorCode) => void;
  readonly log: Logger;
  /** The clock of `performance.now()`, in milliseconds. */
  readonly now: () => number;
}

/** Anybody may call, as often as they like, and is not to fill the log. */
const LOG_EVERY_MS = 60_000;

/**
 * What counts a caller who is not let in, and logs one line a minute, with how many there were since the last.
 *
 * @param by what was looked at
 */
export function createCallerRefusals(
  by: 'path' | 'certificate',
  { observeRefused, log, now }: CallerRefusalsParts,
): () => void {
  const code = 'unknown_caller';
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
