import type { Streams } from '../files/streams.ts';

/** A bar on standard error, for a person; nobody else sees any of it. */
export interface ProgressBar {
  readonly expect: (count: number) => void;
  readonly done: () => void;
  /** Takes the bar away, as other lines are to follow; the next {@link ProgressBar.done} may bring it back. */
  readonly clear: () => Promise<void>;
}

/** More often is unrest, and costs more than the look-ups. */
const REDRAW_MS = 100;
const WIDTH_CHARS = 30;
/** To the first column, and erase to the end of the line (ECMA-48: EL). */
const ERASE = '\r\u001B[K';

/** `[=====     ] 120 of 1000 tags`; `now` in milliseconds. */
export function createProgressBar(streams: Streams, noun: string, now: () => number): ProgressBar {
  if (!streams.redraws) return { expect: ignore, done: ignore, clear: async () => {} };
  let expected = 0;
  let done = 0;
  let drawnAtMs = Number.NEGATIVE_INFINITY;
  let writing = Promise.resolve();
  let isDrawn = false;
  return {
    expect: (count) => {
      expected += count;
    },
    done: () => {
      done += 1;
      if (now() - drawnAtMs < REDRAW_MS) return;
      drawnAtMs = now();
      isDrawn = true;
      writing = streams.err(`${ERASE}${drawing(done, expected, noun)}`);
    },
    clear: async () => {
      await writing;
      if (isDrawn) await streams.err(ERASE);
      isDrawn = false;
    },
  };
}

function ignore(): void {}

function drawing(done: number, expected: number, noun: string): string {
  const filled = Math.round((WIDTH_CHARS * done) / expected);
  return `[${'='.repeat(filled).padEnd(WIDTH_CHARS)}] ${done} of ${expected} ${noun}`;
}
