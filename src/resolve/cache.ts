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
  /** When the last look-up that a registry answered began: with a digest, or with a refusal. */
  readonly answeredAtMs: number;
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
  readonly keepFailure: (key: string, failure: PinError, times: FailureTimes) => void;
  readonly size: () => number;
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
}

/** About 1 KB an entry, and 2 KB with the longest names: a tenant may fill it with names invented. */
const MAX_ENTRIES = 30_000;

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
      const { known, failure, failureUntilMs } = entry;
      // Before the failure: a refresh that fails says nothing against a digest that is fresh.
      if (known !== undefined && nowMs - known.askedAtMs < options.ttlMs) return known;
      return nowMs < failureUntilMs ? failure : undefined;
    },
    stale: (key, nowMs) => {
      const known = entries.get(key)?.known;
      if (known === undefined) return undefined;
      return nowMs - known.askedAtMs < options.staleIfErrorMs ? known : undefined;
    },
    keep: (key, known) => {
      const answeredAtMs = known.askedAtMs;
      if (hasYounger(entries.peek(key), answeredAtMs)) return;
      entries.set(key, { known, answeredAtMs, failure: undefined, failureUntilMs: 0 });
    },
    keepFailure: (key, failure, { askedAtMs, nowMs }) => {
      const before = entries.peek(key);
      const silent = failure.rule.servesStale;
      if (!silent && hasYounger(before, askedAtMs)) return;
      const ttlMs = FAILURE_TTL_MS[failure.rule.caching];
      // An answer (404, 401) ends what was known; silence does not.
      const known = silent ? before?.known : undefined;
      const answeredAtMs = silent ? (before?.answeredAtMs ?? 0) : askedAtMs;
      if (ttlMs === 0 && known === undefined) entries.delete(key);
      else entries.set(key, { known, answeredAtMs, failure, failureUntilMs: nowMs + ttlMs });
    },
    size: () => entries.size,
  };
}

/** A look-up that began earlier may end later: the younger question has the better answer. */
function hasYounger(entry: Entry | undefined, askedAtMs: number): boolean {
  return entry !== undefined && entry.answeredAtMs > askedAtMs;
}
