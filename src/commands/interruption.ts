/** What a command does to the end, although it is interrupted. */
export interface Interruption {
  /** Runs the work. After an interrupt nothing begins any more, and the promise stays open. */
  readonly uninterrupted: <T>(work: () => Promise<T>) => Promise<T>;
  /** Interrupts; resolves when the work that is under way has ended. */
  readonly interrupt: () => Promise<void>;
}

/** `onFirstWork` is told when there is something to be waited for. */
export function createInterruption(onFirstWork: () => void): Interruption {
  const underWay = new Set<Promise<unknown>>();
  let isInterrupted = false;
  let hasBegun = false;
  return {
    uninterrupted: async (work) => {
      if (isInterrupted) return new Promise(() => {});
      if (!hasBegun) onFirstWork();
      hasBegun = true;
      const done = work();
      underWay.add(done);
      try {
        return await done;
      } finally {
        underWay.delete(done);
      }
    },
    interrupt: async () => {
      isInterrupted = true;
      await Promise.allSettled(underWay);
    },
  };
}
