import { describeError, type Logger } from '../log.ts';
import type { Connection } from './connection.ts';

/** Keeps one connection to the shared cache, or none: nobody waits for it. */
export interface Link {
  /** Undefined while the server is left alone. */
  readonly connection: () => Connection | undefined;
  /** It has answered. */
  readonly answered: () => void;
  /** It has not: after a few times in a row it is left alone. */
  readonly failed: (connection: Connection, why: unknown) => void;
  readonly start: () => void;
  readonly close: () => void;
}

export interface LinkParts {
  /** Connects, and sees that a question is answered. Rejects. */
  readonly connect: () => Promise<Connection>;
  /** Told of every change. */
  readonly observe: (isLeftAlone: boolean) => void;
  readonly log: Logger;
  /** `HOST:PORT`, for the log. */
  readonly address: string;
  /** At least 0, and below 1. */
  readonly random: () => number;
}

const MAX_FAILURES = 3;
const FIRST_WAIT_MS = 500;
const MAX_WAIT_MS = 30_000;
/** By chance up to a third less, so that replicas do not come back together. */
const JITTER = 1 / 3;

/**
 * A breaker whose trials are new connections, made beside all look-ups: no review pays for one, and a
 * connection that hangs is not kept. The wait between them grows until something is answered again.
 */
export function createLink(parts: LinkParts): Link {
  let current: Connection | undefined;
  let failures = 0;
  let trials = 0;
  let timer: NodeJS.Timeout | undefined;
  let isClosed = false;
  const tell = createTelling(parts);

  const leave = (why: unknown): void => {
    current?.close();
    current = undefined;
    if (isClosed) return;
    tell(why);
    const waitMs = Math.min(MAX_WAIT_MS, FIRST_WAIT_MS * 2 ** trials);
    trials += 1;
    timer = setTimeout(() => void attempt(), waitMs * (1 - JITTER * parts.random()));
    timer.unref();
  };
  const attempt = async (): Promise<void> => {
    try {
      const made = await parts.connect();
      if (isClosed) return made.close();
      current = made;
      failures = 0;
      tell(undefined);
      void watch(made);
    } catch (caught) {
      leave(caught);
    }
  };
  const watch = async (made: Connection): Promise<void> => {
    const why = await made.lost;
    if (current === made) leave(why);
  };
  return {
    connection: () => current,
    answered: () => {
      failures = 0;
      trials = 0;
    },
    failed: (connection, why) => {
      if (connection !== current) return;
      failures += 1;
      if (failures >= MAX_FAILURES) leave(why);
    },
    start: () => void attempt(),
    close: () => {
      isClosed = true;
      clearTimeout(timer);
      leave(undefined);
    },
  };
}

/** Reasons of one absence that are logged: a wrong password may follow a connection that was lost. */
const MAX_REASONS = 5;

/** Tells of changes alone, and of new reasons: a server that is away for a day is a few lines. */
function createTelling({ log, observe, address }: LinkParts): (why: unknown) => void {
  let wasUp: boolean | undefined;
  const reasons = new Set<string>();
  return (why) => {
    const isUp = why === undefined;
    if (isUp !== wasUp) {
      wasUp = isUp;
      reasons.clear();
      observe(!isUp);
      if (isUp) log.info({ address }, 'shared cache used');
    }
    if (isUp) return;
    const described = describeError(why);
    const reason = String(described['error']);
    if (reasons.has(reason) || reasons.size >= MAX_REASONS) return;
    reasons.add(reason);
    log.warn({ address, ...described }, 'shared cache left alone');
  };
}
