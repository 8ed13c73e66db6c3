import type { ImageOutcome } from '../admission/policy.ts';
import type { AdmissionReport } from '../admission/report.ts';
import { flat, kept } from './kept-text.ts';
import { createShares } from './shares.ts';

/** What an image, as it is written in a namespace, was pinned to. */
export interface Pin {
  readonly namespace: string;
  readonly image: string;
  readonly digest: string;
  /** How often, with this digest, since it is remembered. */
  readonly count: number;
  /** In milliseconds since 1970. */
  readonly lastSeenMs: number;
  /**
   * What the same text was pinned to before, there: the tag moved. In another namespace other
   * credentials may see another image.
   */
  readonly before: string | undefined;
}

/** Which images get which digests, in memory. */
export interface Pins {
  readonly count: (report: AdmissionReport, atMs: number) => void;
  /** Those that were pinned last, first; of one namespace no more than its share, while others need room. */
  readonly lastSeen: () => readonly Pin[];
}

const MAX_PINS = 500;

const PINS: ReadonlySet<ImageOutcome> = new Set(['pinned', 'refreshed', 'sibling', 'reused']);

export function createPins(): Pins {
  const pins = createShares<string, { -readonly [K in keyof Pin]: Pin[K] }>(MAX_PINS);
  const countOne = (
    image: string,
    digest: string,
    { namespace, atMs }: { readonly namespace: string; readonly atMs: number },
  ): void => {
    const pin = pins.use(namespace, image);
    if (pin === undefined) {
      const key = flat(image);
      const fresh = { digest: flat(digest), count: 1, lastSeenMs: atMs, before: undefined };
      pins.add({ namespace, key }, { namespace, image: key, ...fresh });
      return;
    }
    pin.lastSeenMs = atMs;
    if (pin.digest === digest) {
      pin.count += 1;
      return;
    }
    pin.before = pin.digest;
    pin.digest = flat(digest);
    pin.count = 1;
  };
  return {
    count: ({ review, images }, atMs) => {
      // A dry run stores nothing.
      if (review.dryRun) return;
      const seen = { namespace: kept(review.namespace), atMs };
      for (const { outcome, original, digest } of images) {
        if (digest !== undefined && PINS.has(outcome)) countOne(original, digest, seen);
      }
    },
    lastSeen: pins.lastUsed,
  };
}
