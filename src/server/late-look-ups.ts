/** Reviews that wait for look-ups, of those that came while the event loop was late. */
export interface LateLookUps {
  /** Whether one more of a namespace may wait. */
  readonly haveRoomFor: (namespace: string) => boolean;
  /** Counts one until it has its answer. */
  readonly count: (namespace: string, answered: Promise<void>) => void;
}

/** So many wait even while the event loop is late: it is slow then, and does not stand. */
const MAX_WAITING = 16;

/**
 * A namespace has no more of them than it leaves to the others: eight where it is alone, and then the
 * next has four. Reviews that waited before the loop was late do not count, for a namespace may have
 * sent hundreds of them.
 */
export function createLateLookUps(): LateLookUps {
  const waitingOf = new Map<string, number>();
  let waiting = 0;
  const add = (namespace: string, by: 1 | -1): void => {
    waiting += by;
    const sum = (waitingOf.get(namespace) ?? 0) + by;
    if (sum === 0) waitingOf.delete(namespace);
    else waitingOf.set(namespace, sum);
  };
  return {
    haveRoomFor: (namespace) => (waitingOf.get(namespace) ?? 0) < MAX_WAITING - waiting,
    count: (namespace, answered) => {
      add(namespace, 1);
      void answered.finally(() => add(namespace, -1));
    },
  };
}
