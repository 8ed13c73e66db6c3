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

/** What a look-up waited for, in its order, each in milliseconds: where its time went. */
export interface LookUpPhases {
  /** The API server, for pull secrets. */
  readonly secretMs: number;
  /** A place among the look-ups of its namespace and registry. */
  readonly queueMs: number;
  readonly tokenMs: number;
  /** The registry, for all but tokens. */
  readonly manifestMs: number;
}

/** The circumstances in which an image is to be resolved. */
export interface ImageQuestion {
  readonly identity: PullIdentity;
  /** On the clock of `performance.now()`, in milliseconds. */
  readonly deadlineAtMs: number;
  /** Only a look-up that began after this moment answers, so the cache may not. */
  readonly notBeforeMs: number | undefined;
  /** Told how long was waited for what, where an answer is not known at once. */
  readonly observe: (reference: ImageReference, phase: keyof LookUpPhases, ms: number) => void;
}

/** What is known of a tag. */
export interface ResolvedImage {
  readonly digest: string;
  /** The registry that told it, or a mirror of it. */
  readonly host: string;
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

/** What is known of a tag, a failure as well, and nobody asked: not even the API server for a pull secret. */
export type PeekTag = (
  reference: ImageReference,
  identity: PullIdentity,
) => ResolvedImage | PinError | undefined;

/** The replicas of one template: a Pod's controller, and the label that tells its revision. */
export interface Revision {
  readonly namespace: string;
  readonly ownerUid: string;
  /** A label selector, `name=value`; undefined where only the owner is known. */
  readonly selector: string | undefined;
}

/** Digests by the original that they were resolved for. */
export type PinsByOriginal = ReadonlyMap<string, string>;

/** What the replicas of one revision run. */
export interface SiblingPins {
  /** At once where it is remembered; a promise never rejects. Undefined where nothing is known. */
  readonly of: (
    revision: Revision,
    deadlineAtMs: number,
  ) => PinsByOriginal | undefined | Promise<PinsByOriginal | undefined>;
  /**
   * Remembers what a replica is about to get, and answers with what it is to have: of replicas that
   * are made at the same time the first one decides.
   */
  readonly agree: (revision: Revision, found: PinsByOriginal) => PinsByOriginal;
}

/** A Pod that is being made under a name of its own, and the pins that it would get. */
export interface NamedPod {
  readonly namespace: string;
  readonly ownerUid: string;
  readonly name: string;
  /** Its revision, its originals and their digests, as text. */
  readonly content: string;
}

/** Tells whether a controller makes the same Pod again and again; `counts` false only looks. */
export type IsContended = (pod: NamedPod, counts: boolean) => boolean;
