/** Whether the event loop is late: not once, but turn after turn. */
export interface Pressure {
  readonly isHigh: () => boolean;
}

/** Calls `act` again and again, with that many milliseconds between. */
type Repeat = (ms: number, act: () => void) => void;

const TICK_MS = 100;
/** A look-up takes four to eight turns: at this pace, half of the ten seconds that a call has. */
const LATE_MS = 500;
/** One pause of the garbage collector, or a process that was stopped, is one turn, and over when it is seen. */
const LATE_IN_A_ROW = 3;
const IN_TIME_MS = LATE_MS / 2;

/**
 * Looks by a timer at how long the event loop takes to come round. Not at how busy it is: one that
 * answers a thousand calls a second never rests, and none of them waits.
 *
 * @param now the clock of `performance.now()`, in milliseconds
 */
export function createPressure(now: () => number, repeat: Repeat = unwaitedFor): Pressure {
  let seenAtMs = now();
  let lateInARow = 0;
  let isHigh = false;
  repeat(TICK_MS, () => {
    const nowMs = now();
    const turnMs = nowMs - seenAtMs;
    seenAtMs = nowMs;
    lateInARow = turnMs > LATE_MS ? lateInARow + 1 : 0;
    if (lateInARow >= LATE_IN_A_ROW) isHigh = true;
    else if (turnMs < IN_TIME_MS) isHigh = false;
  });
  return { isHigh: () => isHigh };
}

const unwaitedFor: Repeat = (ms, act) => {
  setInterval(act, ms).unref();
};
