import type { ImageOutcome } from '../admission/policy.ts';
import type { AdmissionReport } from '../admission/report.ts';
import { flat, kept } from './kept-text.ts';
import { createShares, type Held } from './shares.ts';

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

type CountedPin = { -readonly [K in keyof Pin]: Pin[K] };

export function createPins(): Pins {
  /** By namespace and image. */
  const index = new Map<string, Map<string, Held<CountedPin>>>();
  const pins = createShares<CountedPin>(MAX_PINS, ({ namespace, image }) => {
    const ofNamespace = index.get(namespace);
    ofNamespace?.delete(image);
    if (ofNamespace?.size === 0) index.delete(namespace);
  });
  const remember = (pin: CountedPin): void => {
    const { namespace, image } = pin;
    // It may make the last of its namespace be forgotten, and with it what was known of that.
    const held = pins.add(namespace, pin);
    const ofNamespace = index.get(namespace) ?? new Map<string, Held<CountedPin>>();
    index.set(namespace, ofNamespace.set(image, held));
  };
  const countOne = (
    image: string,
    digest: string,
    { namespace, atMs }: { readonly namespace: string; readonly atMs: number },
  ): void => {
    const held = index.get(namespace)?.get(image);
    if (held === undefined) {
      const own = { image: flat(image), digest: flat(digest) };
      remember({ namespace, ...own, count: 1, lastSeenMs: atMs, before: undefined });
      return;
    }
    pins.use(held);
    const pin = held.value.value;
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
