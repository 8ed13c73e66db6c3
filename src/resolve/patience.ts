import { LRUCache } from 'lru-cache';

import { PinError } from '../errors.ts';

/**
 * Acts, and acts again when a registry that wanted to be left alone may be asked again, for a person
 * who has the time. `act` is told since when an answer may be; undefined the first time. Rejects
 * with what cannot be waited for.
 */
export type Patience = <T>(act: (notBeforeMs: number | undefined) => Promise<T>) => Promise<T>;

export interface PatienceParts {
  /** The clock of `performance.now()`, in milliseconds. */
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<void>;
  /** Told why, and how long, where others do not wait for the same host already. */
  readonly observe: (error: PinError, waitMs: number) => void;
}

/** Whoever asks for more is not waited for. */
const MAX_WAIT_MS = 60_000;
/** Of all waits of one question together. */
const MAX_PATIENCE_MS = 600_000;
/** Where a registry does not say how long; doubled each time. */
const FIRST_WAIT_MS = 1000;
const MAX_HOSTS = 1000;

export function createPatience({ now, sleep, observe }: PatienceParts): Patience {
  /** By host, until when somebody waits. */
  const waiting = new LRUCache<string, number>({ max: MAX_HOSTS });
  return async (act) => {
    const endAtMs = now() + MAX_PATIENCE_MS;
    let notBeforeMs: number | undefined;
    for (let doubledMs = FIRST_WAIT_MS; ; doubledMs = Math.min(2 * doubledMs, MAX_WAIT_MS)) {
      try {
        // oxlint-disable-next-line no-await-in-loop -- one try after the other
        return await act(notBeforeMs);
      } catch (caught) {
        if (!(caught instanceof PinError) || caught.code !== 'rate_limited') throw caught;
        // Timers may be early by a part of a millisecond.
        const waitMs = Math.ceil(caught.retryAfterMs ?? doubledMs) + 1;
        const nowMs = now();
        if (waitMs > MAX_WAIT_MS + 1 || nowMs + waitMs > endAtMs) throw tooLong(caught, waitMs);
        const { host = '' } = caught;
        if ((waiting.get(host) ?? 0) <= nowMs) {
          waiting.set(host, nowMs + waitMs);
          observe(caught, waitMs);
        }
        // oxlint-disable-next-line no-await-in-loop -- that is what is asked for
        await sleep(waitMs);
        notBeforeMs = now();
      }
    }
  };
}

function tooLong(error: PinError, waitMs: number): PinError {
  if (error.retryAfterMs === undefined || !error.asked) return error;
  const message = `${error.message}, and asks for ${Math.round(waitMs / 1000)} s`;
  const host = error.host === undefined ? {} : { host: error.host };
  return new PinError(error.code, message, { ...host, cause: error, retryAfterMs: waitMs });
}
