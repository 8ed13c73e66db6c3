import { LRUCache } from 'lru-cache';

import { PinError } from '../../errors.ts';
import { createFetches } from './fetches.ts';

/** An answer, and until when it is good. */
export interface Fresh<T> {
  readonly value: T;
  /** On the clock of `performance.now()`, in milliseconds; in the past or now: not kept. */
  readonly goodUntilMs: number;
  /** What it is kept by, where that is wider than what was asked for. */
  readonly key?: string;
}

/** One question: what it is known by, and how it is answered. */
interface Question<T> {
  /** Who is asked, for messages: `credential helper "ecr-login"`. */
  readonly asked: string;
  /** Keys whose answer will do, the narrowest first: by that one the question itself is shared. */
  readonly keys: readonly [string, ...string[]];
  /** Told to stop when its time is over. */
  readonly fetch: (signal: AbortSignal) => Promise<Fresh<T>>;
}

/** Remembers what an outside source answered. */
export interface AnswerMemory<T> {
  /**
   * From memory, or by one fetch for all who wait for it; whoever gives up leaves it to the others.
   * Throws PinError `credential_source_failed`.
   */
  readonly ask: (question: Question<T>, signal: AbortSignal) => Promise<T>;
  /** The next question is asked anew, unless the answer is from a moment ago. */
  readonly forget: (keys: readonly string[]) => void;
}

export interface AnswerMemoryParts<T> {
  /** The clock of `performance.now()`, in milliseconds. */
  readonly now: () => number;
  /** How many fetches may go on at once; without it, any number. */
  readonly atATime?: number;
  /** Told how each fetch ended. */
  readonly observe: (outcome: T | PinError) => void;
}

/** A tenant chooses the names of images, and with them the keys. */
const MAX_KEYS = 1000;
/** A look-up has 8 s, of which the registry needs some. */
const FETCH_DEADLINE_MS = 5000;
/** So that what is broken is not started again for each image of an object. */
const FAILURE_TTL_MS = 3000;
/**
 * Look-ups that were refused with the same expired answer end one after the other. The first asks
 * anew, and the others must not throw away what it got.
 */
const TOO_YOUNG_TO_FORGET_MS = 5000;

interface Known<T> {
  readonly outcome: T | PinError;
  readonly learntAtMs: number;
  readonly goodUntilMs: number;
}

export function createAnswerMemory<T extends object>(parts: AnswerMemoryParts<T>): AnswerMemory<T> {
  const known = new LRUCache<string, Known<T>>({ max: MAX_KEYS });
  const fetches = createFetches<T>(parts.atATime ?? Number.POSITIVE_INFINITY);

  const keep = (key: string, outcome: T | PinError, goodUntilMs: number): void => {
    const learntAtMs = parts.now();
    if (goodUntilMs > learntAtMs) known.set(key, { outcome, learntAtMs, goodUntilMs });
  };
  const remembered = (keys: readonly string[]): T | PinError | undefined => {
    const entries = keys.map((key) => known.get(key));
    return entries.find((entry) => entry !== undefined && entry.goodUntilMs > parts.now())?.outcome;
  };
  const learn = async ({ keys, fetch }: Question<T>, stop: AbortSignal): Promise<T> => {
    const found = remembered(keys);
    // What the turn of another question brought may do for this one.
    if (found !== undefined && !(found instanceof PinError)) return found;
    const { value, goodUntilMs, key = keys[0] } = await fetch(stop);
    keep(key, value, goodUntilMs);
    parts.observe(value);
    return value;
  };
  const learnInTime = async (question: Question<T>): Promise<T> => {
    const { asked, keys } = question;
    try {
      return await withinDeadline(asked, (stop) => learn(question, stop));
    } catch (caught) {
      const error = toFailure(asked, caught);
      keep(keys[0], error, parts.now() + FAILURE_TTL_MS);
      parts.observe(error);
      throw error;
    }
  };

  return {
    ask: async (question, signal) => {
      const found = remembered(question.keys);
      if (found instanceof PinError) throw found;
      if (found !== undefined) return found;
      const { asked, keys } = question;
      return fetches({ asked, key: keys[0], signal }, () => learnInTime(question));
    },
    forget: (keys) => {
      for (const key of keys) {
        const entry = known.get(key);
        if (entry === undefined || entry.outcome instanceof PinError) continue;
        if (parts.now() - entry.learntAtMs >= TOO_YOUNG_TO_FORGET_MS) known.delete(key);
      }
    },
  };
}

/** Ends at the deadline, whether or not the fetch listens to its signal. */
function withinDeadline<T>(asked: string, fetch: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const stop = new AbortController();
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      const message = `${asked} did not answer within ${FETCH_DEADLINE_MS / 1000} s`;
      reject(new PinError('credential_source_failed', message));
      stop.abort();
    }, FETCH_DEADLINE_MS);
    // An async function of its own: what is thrown at once is a rejection, too.
    (async () => fetch(stop.signal))()
      .then(resolve, reject)
      .finally(() => clearTimeout(timer));
  });
}

function toFailure(asked: string, caught: unknown): PinError {
  if (caught instanceof PinError && caught.code === 'credential_source_failed') return caught;
  if (caught instanceof PinError) {
    return new PinError('credential_source_failed', caught.message, { cause: caught });
  }
  // The text of a stranger's error may hold what it was given: it is for the log alone.
  return new PinError('credential_source_failed', `${asked} failed`, { cause: caught });
}
