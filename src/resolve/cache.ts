import { LRUCache } from 'lru-cache';

import type { FailureCaching, PinError } from '../errors.ts';
import type { Lookup } from '../registry/client.ts';

/** A digest as the cache knows it. Times are on the clock of `performance.now()`. */
export interface CachedLookup {
  readonly lookup: Lookup;
  /** When the look-up that found it began. */
  readonly askedAtMs: number;
}

interface Entry {
  readonly known: CachedLookup | undefined;
  readonly failure: PinError | undefined;
  /** The failure is remembered until then. */
  readonly failureUntilMs: number;
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
  readonly keepFailure: (key: string, failure: PinError, nowMs: number) => void;
  readonly size: () => number;
}

export interface CacheOptions {
  readonly ttlMs: number;
  readonly staleIfErrorMs: number;
}

/** About 400 bytes an entry. */
const MAX_ENTRIES = 100_000;

/** Long enough to break a storm of retries, short enough that a push is seen at once. */
const FAILURE_TTL_MS: Readonly<Record<FailureCaching, number>> = {
  never: 0,
  briefly: 5000,
  backoff: 1000,
};

export function createCache(options: CacheOptions): DigestCache {
  const entries = new LRUCache<string, Entry>({ max: MAX_ENTRIES });
  return {
    fresh: (key, nowMs) => {
      const entry = entries.get(key);
      if (entry === undefined) return undefined;
      if (entry.failure !== undefined && nowMs < entry.failureUntilMs) return entry.failure;
      const age =
        entry.known === undefined ? Number.POSITIVE_INFINITY : nowMs - entry.known.askedAtMs;
      return age < options.ttlMs ? entry.known : undefined;
    },
    stale: (key, nowMs) => {
      const known = entries.get(key)?.known;
      if (known === undefined) return undefined;
      return nowMs - known.askedAtMs < options.staleIfErrorMs ? known : undefined;
    },
    keep: (key, known) => {
      // A look-up that began earlier may end later: the younger question has the better answer.
      const before = entries.peek(key)?.known;
      if (before !== undefined && before.askedAtMs > known.askedAtMs) return;
      entries.set(key, { known, failure: undefined, failureUntilMs: 0 });
    },
    keepFailure: (key, failure, nowMs) => {
      const ttlMs = FAILURE_TTL_MS[failure.rule.caching];
      // An answer (404, 401) ends what was known; silence does not.
      const known = failure.rule.servesStale ? entries.peek(key)?.known : undefined;
      if (ttlMs === 0 && known === undefined) entries.delete(key);
      else entries.set(key, { known, failure, failureUntilMs: nowMs + ttlMs });
    },
    size: () => entries.size,
  };
}
