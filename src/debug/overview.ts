import { type DecisionFilter, passes } from './filter.ts';
import type { PastReview } from './past-reviews.ts';
import type { Pin } from './pins.ts';
import type { CertificateState, DebugRecord } from './record.ts';
import type { LookUpPlaces, RegistryState } from './registries.ts';
import type { LeftOut } from './shares.ts';

/** All that the page shows, and what `/debug.json` has: docs/debug.md says the same. */
export interface Overview {
  readonly version: string;
  readonly node: string;
  /** The time of the day, in milliseconds since 1970. */
  readonly atMs: number;
  readonly uptimeMs: number;
  /** What readiness waits for; empty when the webhook may be called. */
  readonly notReady: readonly string[];
  /** The youngest first. */
  readonly decisions: readonly PastReview[];
  /** Younger than the oldest of these: namespaces with most of them make room for others. */
  readonly decisionsLeftOut: readonly LeftOut[];
  readonly pins: readonly Pin[];
  readonly registries: readonly RegistryState[];
  readonly cache: CacheState;
  readonly certificates: readonly CertificateState[];
  /** Flags with their values, of those that hold no secret. */
  readonly settings: Readonly<Record<string, string>>;
}

interface CacheState {
  /** Digests and failures in memory. */
  readonly entries: number;
  readonly maxDigests: number;
  /** Look-ups by how the cache answered: `hit`, `negative_hit`, `shared`, `miss`, `stale`. */
  readonly results: Readonly<Record<string, number>>;
}

export interface OverviewParts extends Pick<Overview, 'version' | 'node' | 'settings'> {
  readonly record: DebugRecord;
  readonly cacheEntries: () => number;
  readonly maxDigests: number;
  readonly placesOf: (registry: string) => LookUpPlaces;
  readonly notReady: () => readonly string[];
  /** Since the start of the process, in milliseconds. */
  readonly now: () => number;
  /** The time of the day, in milliseconds since 1970. */
  readonly clock: () => number;
}

export function createOverview(parts: OverviewParts): () => Overview {
  const { version, node, settings, record, placesOf, maxDigests } = parts;
  return () => ({
    version,
    node,
    atMs: parts.clock(),
    uptimeMs: Math.round(parts.now()),
    notReady: parts.notReady(),
    decisions: record.decisions(),
    decisionsLeftOut: record.decisionsLeftOut(),
    pins: record.pins(),
    registries: record.registries.states(placesOf),
    cache: { entries: parts.cacheEntries(), maxDigests, results: record.cacheResults() },
    certificates: record.certificates(),
    settings,
  });
}

/** The same with the decisions that pass. */
export function overviewPassing(overview: Overview, filter: DecisionFilter): Overview {
  return {
    ...overview,
    decisions: overview.decisions.filter((decision) => passes(decision, filter)),
  };
}
