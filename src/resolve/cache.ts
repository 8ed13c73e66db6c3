import { LRUCache } from 'lru-cache';

import type { FailureCaching } from '../error-codes.ts';
import type { PinError } from '../errors.ts';
import type { Lookup } from '../registry/client.ts';
import { createCompactor } from './compactor.ts';

/** A digest as the cache knows it. Times are on the clock of `performance.now()`. */
export interface CachedLookup {
  readonly lookup: Lookup;
  /** When the look-up that found it began. */
  readonly askedAtMs: number;
}

interface Failure {
  readonly error: PinError;
  readonly untilMs: number;
  /** When the look-up began that a registry answered with a refusal; `NEVER_MS` where none answered. */
  readonly answeredAtMs: number;
}

/**
 * Digests by registry, repository, tag and credential fingerprint. Without the last, one tenant
 * would read another's private tags.
 */
export interface DigestCache {
  readonly fresh: (key: string, nowMs: number) => CachedLookup | PinError | undefined;
  /** The last known digest, within the stale-if-error time. */
  readonly stale: (key: string, nowMs: number) => CachedLookup | undefined;
  readonly keep: (key: string, found: CachedLookup) => void;
  readonly keepFailure: (key: string, failure: PinError, times: FailureTimes) => void;
  readonly size: () => number;
  /**
   * What `stale` would give for each key, the most used first; what is looked up meanwhile may be
   * among it or not.
   */
  readonly lastKnown: (nowMs: number) => Iterable<readonly [key: string, known: CachedLookup]>;
  /**
   * Takes a digest that an earlier process knew: it is never fresh, and gives way to any answer.
   * Tells whether it is of use.
   */
  readonly restore: (key: string, known: CachedLookup, nowMs: number) => boolean;
  /** Differs when the last known digests have changed. */
  readonly changes: () => number;
}

/** Of a look-up that failed. */
interface FailureTimes {
  /** When it began. */
  readonly askedAtMs: number;
  readonly nowMs: number;
}

export interface CacheOptions {
  readonly ttlMs: number;
  readonly staleIfErrorMs: number;
  /** At least 0, and below 1. */
  readonly random: () => number;
  /** How many digests are kept; {@link MAX_DIGESTS} unless told otherwise. */
  readonly maxDigests?: number;
}

/**
 * About 0.35 KB an entry, and 1 KB with the longest names: 30 MB at most. A tenant with a fast
 * registry of his own can fill it with invented tags, in some 20 s: eight look-ups at a time, 5 ms
 * each. Others then ask their registries anew, and have no last known digest if one is down just then.
 */
const MAX_DIGESTS = 30_000;
/** Apart from the digests, which names that are invented would push out for free. */
const MAX_FAILURES = 5000;

/** At most: long enough to break a storm of retries, short enough that a push is seen at once. */
const FAILURE_TTL_MS: Readonly<Record<FailureCaching, number>> = {
  never: 0,
  briefly: 5000,
  backoff: 1000,
};
/** Other processes began look-ups before the clock of this one did. */
const NEVER_MS = Number.NEGATIVE_INFINITY;
/** By chance up to a third less, so that what failed together is not asked together again. */
const JITTER = 1 / 3;

export function createCache(options: CacheOptions): DigestCache {
  const digests = new LRUCache<string, CachedLookup>({ max: options.maxDigests ?? MAX_DIGESTS });
  const failures = new LRUCache<string, Failure>({ max: MAX_FAILURES });
  /** Of an earlier process; not in the cache, for all that is in there may be fresh. */
  const restored = new Map<string, CachedLookup>();
  const { flat, compact } = createCompactor();
  let changes = 0;
  const isUsable = (known: CachedLookup, nowMs: number): boolean =>
    nowMs - known.askedAtMs < options.staleIfErrorMs;
  /** A look-up that began earlier may end later: the younger question has the better answer. */
  const hasYounger = (key: string, askedAtMs: number): boolean =>
    (digests.peek(key)?.askedAtMs ?? NEVER_MS) > askedAtMs ||
    (failures.peek(key)?.answeredAtMs ?? NEVER_MS) > askedAtMs;
  return {
    fresh: (key, nowMs) => {
      const known = digests.get(key);
      // Before the failure: a refresh that fails says nothing against a digest that is fresh.
      if (known !== undefined && nowMs - known.askedAtMs < options.ttlMs) return known;
      const failure = failures.get(key);
      return failure !== undefined && nowMs < failure.untilMs ? failure.error : undefined;
    },
    stale: (key, nowMs) => {
      const known = digests.get(key) ?? restored.get(key);
      return known !== undefined && isUsable(known, nowMs) ? known : undefined;
    },
    keep: (key, known) => {
      if (hasYounger(key, known.askedAtMs)) return;
      digests.set(flat(key), { lookup: compact(known.lookup), askedAtMs: known.askedAtMs });
      failures.delete(key);
      restored.delete(key);
      changes += 1;
    },
    keepFailure: (key, error, { askedAtMs, nowMs }) => {
      const silent = error.rule.servesStale;
      if (!silent && hasYounger(key, askedAtMs)) return;
      // An answer (404, 401) ends what was known; silence does not.
      if (!silent && (digests.delete(key) || restored.delete(key))) changes += 1;
      const ttlMs = FAILURE_TTL_MS[error.rule.caching] * (1 - JITTER * options.random());
      const answeredAtMs = silent ? (failures.peek(key)?.answeredAtMs ?? NEVER_MS) : askedAtMs;
      if (ttlMs === 0) failures.delete(key);
      else failures.set(key, { error, untilMs: nowMs + ttlMs, answeredAtMs });
    },
    size: () => digests.size + restored.size + failures.size,
    lastKnown: function* (nowMs) {
      for (const entry of mostUsedFirst(digests)) if (isUsable(entry[1], nowMs)) yield entry;
      for (const [key, known] of restored) {
        if (isUsable(known, nowMs)) yield [key, known];
        else restored.delete(key);
      }
    },
    restore: (key, known, nowMs) => {
      const { lookup, askedAtMs } = known;
      if (!isUsable(known, nowMs) || digests.has(key) || hasYounger(key, askedAtMs)) return false;
      restored.set(flat(key), { lookup: compact(lookup), askedAtMs });
      return true;
    },
    changes: () => changes,
  };
}

/**
 * Each entry once, and none of them listed before, for which reviews would wait. What is used just
 * when it is looked at moves to the front, and takes the walk along: it must end all the same.
 */
function* mostUsedFirst(
  digests: LRUCache<string, CachedLookup>,
): Generator<readonly [key: string, known: CachedLookup]> {
  const seen = new Set<string>();
  let steps = 2 * digests.size;
  for (const entry of digests.entries()) {
    const [key] = entry;
    if (!seen.has(key)) yield entry;
    seen.add(key);
    steps -= 1;
    if (steps === 0) return;
  }
}
