import type { AdmissionReport, ImageReport } from '../admission/report.ts';
import { kept } from './kept-text.ts';
import { createShares, type Shares } from './shares.ts';

/** What is remembered of a review: no object, which may be megabytes, and no text longer than a line. */
export interface PastReview extends Pick<AdmissionReport, 'mode' | 'kind' | 'outcome' | 'ms'> {
  /** When it was answered, in milliseconds since 1970. */
  readonly atMs: number;
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  readonly operation: string;
  readonly subResource: string;
  readonly dryRun: boolean;
  readonly images: readonly ImageReport[];
  /** How many more it had. */
  readonly moreImages: number;
}

/** The last decisions, in memory. */
export interface PastReviews {
  /** @param atMs in milliseconds since 1970 */
  readonly keep: (report: AdmissionReport, atMs: number) => void;
  /** The youngest first. */
  readonly last: () => readonly PastReview[];
  /** Younger ones than the oldest of these, which made room for those of other namespaces. */
  readonly leftOut: Shares<PastReview>['leftOut'];
}

export const MAX_PAST_REVIEWS = 200;
const MAX_IMAGES = 20;
/**
 * Of what images and containers are called, in a review. Each character may become eight in a page, and
 * stands there twice: more would let whoever makes Pods fill the memory of who looks at them.
 */
const MAX_TEXT_CHARS = 2048;
const MAX_CHARS_OF_MANY = 50;

export function createPastReviews(): PastReviews {
  const shares = createShares<PastReview>(MAX_PAST_REVIEWS);
  return {
    keep: (report, atMs) => {
      const review = pastReviewOf(report, atMs);
      shares.add(review.namespace, review);
    },
    last: shares.lastUsed,
    leftOut: shares.leftOut,
  };
}

/** On the way of every review: references, and nothing copied or formatted. */
function pastReviewOf(report: AdmissionReport, atMs: number): PastReview {
  const { review, images } = report;
  return {
    atMs,
    mode: report.mode,
    kind: report.kind,
    outcome: report.outcome,
    ms: report.ms,
    uid: kept(review.uid),
    namespace: kept(review.namespace),
    name: kept(review.name),
    operation: kept(review.operation),
    subResource: kept(review.subResource),
    dryRun: review.dryRun,
    images: areShort(images) ? images : shortened(images),
    moreImages: Math.max(0, images.length - MAX_IMAGES),
  };
}

function areShort(images: readonly ImageReport[]): boolean {
  if (images.length > MAX_IMAGES) return false;
  let chars = 0;
  for (const { container, original } of images) chars += container.length + original.length;
  return chars <= MAX_TEXT_CHARS;
}

function shortened(images: readonly ImageReport[]): readonly ImageReport[] {
  return images.slice(0, MAX_IMAGES).map((image) => ({
    ...image,
    container: kept(image.container, MAX_CHARS_OF_MANY),
    original: kept(image.original, MAX_CHARS_OF_MANY),
  }));
}
