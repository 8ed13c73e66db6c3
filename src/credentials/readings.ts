import { PinError } from '../errors.ts';
import { createTurns } from './turns.ts';

/** What is to be read, and how long whoever asks waits for it. */
interface Wanted {
  readonly key: string;
  readonly namespace: string;
  /** On the clock of `performance.now()`, in milliseconds. */
  readonly untilMs: number;
}

/**
 * Reads once for all who want the same; two at a time of one namespace, which may name its secrets in
 * any number of orders. What has not begun when all who want it have waited until their `untilMs`
 * never begins, and is `secret_unreadable`.
 */
type Readings<T> = (wanted: Wanted, read: () => Promise<T>) => Promise<T | PinError>;

interface Reading<T> {
  readonly ended: Promise<T | PinError>;
  readonly lease: Lease;
}

interface Lease {
  /** Without an end once it has begun: what it brings is remembered. */
  untilMs: number;
}

const AT_A_TIME = 2;

export function createReadings<T>(now: () => number): Readings<T> {
  const readings = new Map<string, Reading<T>>();
  const inTurn = createTurns({ inAll: Number.POSITIVE_INFINITY, each: AT_A_TIME });

  const begin = async (
    { key, namespace }: Wanted,
    lease: Lease,
    read: () => Promise<T>,
  ): Promise<T | PinError> => {
    const late = tooLate();
    const givenUp = (): PinError | undefined => (now() < lease.untilMs ? undefined : late);
    try {
      return await inTurn({ whose: namespace, givenUp }, () => {
        lease.untilMs = Number.POSITIVE_INFINITY;
        return read();
      });
    } catch (caught) {
      if (caught === late) return late;
      throw caught;
    } finally {
      if (readings.get(key)?.lease === lease) readings.delete(key);
    }
  };
  return (wanted, read) => {
    const { key, untilMs } = wanted;
    const shared = readings.get(key);
    if (shared !== undefined && now() < shared.lease.untilMs) {
      shared.lease.untilMs = Math.max(shared.lease.untilMs, untilMs);
      return shared.ended;
    }
    const lease = { untilMs };
    const ended = begin(wanted, lease, read);
    readings.set(key, { ended, lease });
    return ended;
  };
}

function tooLate(): PinError {
  const message = 'the API server did not tell the pull secrets within the time of the review';
  return new PinError('secret_unreadable', message);
}
