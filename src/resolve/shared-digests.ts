import type { CachedLookup } from './cache.ts';

/** What other replicas found, and are told. Digests alone: failures are not shared. */
export interface SharedDigests {
  /**
   * What is fresh there under a key of the cache; undefined, in a short time, for everything else.
   * Never rejects.
   */
  readonly find: (key: string) => Promise<CachedLookup | undefined>;
  /** Nobody waits for it. */
  readonly keep: (key: string, found: CachedLookup) => void;
}
