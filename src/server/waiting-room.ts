/** Reviews that wait for look-ups, up to a number. */
export interface WaitingRoom {
  /** Whether one more of a namespace may wait. */
  readonly hasRoomFor: (namespace: string) => boolean;
  /** Counts one until it has its answer. */
  readonly admit: (namespace: string, answered: Promise<void>) => void;
}

/**
 * A namespace has no more places than it leaves to the others: half of them where it is alone, and then
 * the next has a quarter.
 *
 * @param observe told of each that comes (1) and goes (-1)
 */
export function createWaitingRoom(
  places: number,
  observe: (change: 1 | -1) => void = () => {},
): WaitingRoom {
  const waitingOf = new Map<string, number>();
  let waiting = 0;
  const add = (namespace: string, by: 1 | -1): void => {
    waiting += by;
    observe(by);
    const sum = (waitingOf.get(namespace) ?? 0) + by;
    if (sum === 0) waitingOf.delete(namespace);
    else waitingOf.set(namespace, sum);
  };
  return {
    hasRoomFor: (namespace) => (waitingOf.get(namespace) ?? 0) < places - waiting,
    admit: (namespace, answered) => {
      add(namespace, 1);
      void answered.finally(() => add(namespace, -1));
    },
  };
}
