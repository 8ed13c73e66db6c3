import type { PinError } from '../errors.ts';
import type { ImageReference } from '../image/reference.ts';

/** Whose credentials may be used for the images of a pod spec: always those of its namespace. */
export interface PullIdentity {
  readonly namespace: string;
  /** Names of `imagePullSecrets`, in their order. */
  readonly pullSecrets: readonly string[];
  /** For a template without pull secrets: the ServiceAccount that will lend its own. */
  readonly serviceAccount: string | undefined;
}

/** The circumstances in which an image is to be resolved. */
export interface ImageQuestion {
  readonly identity: PullIdentity;
  /** On the clock of `performance.now()`, in milliseconds. */
  readonly deadlineAtMs: number;
  /** Only a look-up that began after this moment answers, so the cache may not. */
  readonly notBeforeMs: number | undefined;
}

/** What is known of a tag. */
export interface ResolvedImage {
  readonly digest: string;
  /** The last known digest, served because the registry did not answer. */
  readonly stale: boolean;
  readonly ageMs: number;
}

/**
 * Resolves a tag. Answers at once, without a promise, where the digest is known; a promise never
 * rejects. Errors are values, because one image's failure is not the review's.
 */
export type ResolveImage = (
  reference: ImageReference,
  question: ImageQuestion,
) => ResolvedImage | PinError | Promise<ResolvedImage | PinError>;
