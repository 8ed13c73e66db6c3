/** Asks once for all who want the same at the same time. */
export interface SharedRequests<T> {
  /**
   * Joins the request of this key that is under way, or starts it. Whoever gives up leaves it to the
   * others, and rejects with the reason of the signal; when the last has gone it is ended.
   */
  readonly join: (
    key: string,
    signal: AbortSignal,
    start: (signal: AbortSignal) => Promise<T>,
  ) => Promise<T>;
}

interface SharedRequest<T> {
  readonly answer: Promise<T>;
  readonly stop: AbortController;
  waiters: number;
}

/** Holds no more than one request for each who waits. */
export function createSharedRequests<T>(): SharedRequests<T> {
  const underWay = new Map<string, SharedRequest<T>>();
  return {
    join: async (key, signal, start) => {
      signal.throwIfAborted();
      const request = underWay.get(key) ?? begin(start);
      underWay.set(key, request);
      request.waiters += 1;
      try {
        return await whileWanted(request.answer, signal);
      } finally {
        request.waiters -= 1;
        if (request.waiters === 0) {
          underWay.delete(key);
          request.stop.abort();
        }
      }
    },
  };
}

function begin<T>(start: (signal: AbortSignal) => Promise<T>): SharedRequest<T> {
  const stop = new AbortController();
  return { answer: start(stop.signal), stop, waiters: 0 };
}

function whileWanted<T>(answer: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const giveUp = (): void => reject(signal.reason);
    signal.addEventListener('abort', giveUp, { once: true });
    answer.then(resolve, reject).finally(() => signal.removeEventListener('abort', giveUp));
  });
}
