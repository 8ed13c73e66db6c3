import type { ImageOutcome, Mode, ReviewOutcome } from './policy.ts';
import type { LookUpPhases } from './ports.ts';
import type { Review } from './review.ts';

/** What became of one image, as the log and the metrics tell it. */
export interface ImageReport {
  /** Container name, or `volume/<name>`. */
  readonly container: string;
  readonly outcome: ImageOutcome;
  /** An error code, or which of several rules held; empty where the outcome says it all. */
  readonly reason: string;
  /** The host that was to be asked, where one was. */
  readonly registry: string | undefined;
  /** As it was written, before any pin: a stranger's text, of any length. Not for the log. */
  readonly original: string;
  /** That stands in the pin, or would; undefined where none was found, or none was looked for. */
  readonly digest: string | undefined;
  readonly stale: boolean;
  /** From the arrival of the review to the answer for this image. */
  readonly ms: number;
  /** Where that time went; undefined where nobody had to be asked. */
  readonly phases: LookUpPhases | undefined;
}

/** What became of one review. Holds no credential. */
export interface AdmissionReport {
  readonly mode: Mode;
  /** A kind that holds a pod template, or `other`: a closed set. */
  readonly kind: string;
  readonly review: Review;
  readonly outcome: ReviewOutcome;
  readonly images: readonly ImageReport[];
  readonly ms: number;
}
