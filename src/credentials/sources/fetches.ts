import { PinError } from '../../errors.ts';
import { createTurns } from '../turns.ts';

/** What is fetched, and how long whoever asks waits for it. */
interface Wanted {
  /** Who is asked, for messages: `credential helper "ecr-login"`. */
  readonly asked: string;
  readonly key: string;
  readonly signal: AbortSignal;
}

/**
 * Fetches once for all who want the same, so many at a time; the others wait, and are fetched in
 * their order. Whoever gives up leaves it to the others; what nobody waits for any more when its turn
 * comes is not fetched. Throws PinError `credential_source_failed` where it is given up.
 */
type Fetches<T> = (wanted: Wanted, fetch: () => Promise<T>) => Promise<T>;

interface Fetch<T> {
  readonly ended: Promise<T>;
  readonly waiters: Waiters;
}

interface Waiters {
  /** One more than there are once it has begun, for then it goes on whoever gives up. */
  count: number;
}

export function createFetches<T>(atATime: number): Fetches<T> {
  const fetches = new Map<string, Fetch<T>>();
  const inTurn = createTurns({ inAll: atATime, each: atATime });

  const begin = async (
    { asked, key }: Wanted,
    waiters: Waiters,
    fetch: () => Promise<T>,
  ): Promise<T> => {
    const givenUp = (): PinError | undefined => (waiters.count > 0 ? undefined : tooLate(asked));
    try {
      // Sources do not know on whose behalf they are asked.
      return await inTurn({ whose: '', givenUp }, () => {
        waiters.count += 1;
        return fetch();
      });
    } finally {
      if (fetches.get(key)?.waiters === waiters) fetches.delete(key);
    }
  };
  const join = (wanted: Wanted, fetch: () => Promise<T>): Fetch<T> => {
    const shared = fetches.get(wanted.key);
    if (shared !== undefined && shared.waiters.count > 0) {
      shared.waiters.count += 1;
      return shared;
    }
    const waiters = { count: 1 };
    const begun = { ended: begin(wanted, waiters, fetch), waiters };
    fetches.set(wanted.key, begun);
    return begun;
  };
  return async (wanted, fetch) => {
    const { ended, waiters } = join(wanted, fetch);
    try {
      return await whileWanted(ended, wanted);
    } finally {
      waiters.count -= 1;
    }
  };
}

function whileWanted<T>(ended: Promise<T>, { asked, signal }: Wanted): Promise<T> {
  return new Promise((resolve, reject) => {
    const giveUp = (): void => reject(tooLate(asked));
    ended.then(resolve, reject).finally(() => signal.removeEventListener('abort', giveUp));
    if (signal.aborted) giveUp();
    else signal.addEventListener('abort', giveUp, { once: true });
  });
}

function tooLate(asked: string): PinError {
  const message = `${asked} did not answer within the time of the look-up`;
  return new PinError('credential_source_failed', message);
}
