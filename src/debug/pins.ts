import { LRUCache } from 'lru-cache';

import type { ImageOutcome } from '../admission/policy.ts';
import type { AdmissionReport } from '../admission/report.ts';
import { flat } from './kept-text.ts';

/** What an image, as it is written, was pinned to. */
export interface Pin {
  readonly image: string;
  readonly digest: string;
  /** How often, with this digest, since it is remembered. */
  readonly count: number;
  /** In milliseconds since 1970. */
  readonly lastSeenMs: number;
  /** What the same text was pinned to before: the tag moved, or other credentials see another image. */
  readonly before: string | undefined;
}

/** Which images get which digests, in memory. */
export interface Pins {
  readonly count: (report: AdmissionReport, atMs: number) => void;
  /** Those that were pinned last, first. */
  readonly lastSeen: () => readonly Pin[];
}

/** Images are chosen by tenants: the least used is forgotten. */
const MAX_PINS = 500;

const PINS: ReadonlySet<ImageOutcome> = new Set(['pinned', 'refreshed', 'sibling', 'reused']);

export function createPins(): Pins {
  const pins = new LRUCache<string, { -readonly [K in keyof Pin]: Pin[K] }>({ max: MAX_PINS });
  const countOne = (image: string, digest: string, atMs: number): void => {
    const pin = pins.get(image);
    if (pin?.digest === digest) {
      pin.count += 1;
      pin.lastSeenMs = atMs;
      return;
    }
    const name = flat(image);
    const before = pin?.digest;
    pins.set(name, { image: name, digest: flat(digest), count: 1, lastSeenMs: atMs, before });
  };
  return {
    count: ({ review, images }, atMs) => {
      // A dry run stores nothing.
      if (review.dryRun) return;
      for (const { outcome, original, digest } of images) {
        if (digest !== undefined && PINS.has(outcome)) countOne(original, digest, atMs);
      }
    },
    lastSeen: () => [...pins.values()],
  };
}
