import { PinError } from '../errors.ts';
import { printable } from '../image/printable.ts';
import { type JsonObject, objectIn } from '../json.ts';
import { POLICY_LISTS, policyViolations } from '../workload/digest-policy.ts';
import { type AdmissionResponse, allow, deny } from './response.ts';
import type { Review } from './review.ts';
import { DENIALS } from './wording.ts';

/** What became of one review that was to be judged. */
export interface Verdict {
  readonly review: Review;
  readonly outcome: 'allowed' | 'denied';
  /** How many images were refused. */
  readonly refused: number;
}

export interface DigestsParts {
  /** True for an image, as it is written, that may have a tag. */
  readonly isExempt: (image: string) => boolean;
  /** Told once of every review that was judged. */
  readonly observe: (verdict: Verdict) => void;
}

/** Answers a review by a verdict alone, without a change and without asking anybody. */
export type DigestsJudge = (review: Review) => AdmissionResponse;

/** As many as the webhook reads of a pod spec: one that holds more would keep all others waiting. */
const MAX_CONTAINERS = 5000;

/**
 * Judges as K8sImageDigests 1.0.1 does, with its messages. Unlike that, an update is refused for
 * nothing that was stored before: an object by tag can be labelled, lose its finalizer and go.
 * The judge throws PinError `review_too_large` for more containers than an object could be stored with.
 */
export function createDigestsJudge({ isExempt, observe }: DigestsParts): DigestsJudge {
  return (review) => {
    const messages = newViolations(review, isExempt);
    const outcome = messages.length === 0 ? 'allowed' : 'denied';
    observe({ review, outcome, refused: messages.length });
    return outcome === 'allowed'
      ? allow(review.uid, [], [])
      : deny(review.uid, DENIALS.notByDigest(messages.map(printable).join('\n')));
  };
}

function newViolations(
  { operation, object, oldObject }: Review,
  isExempt: DigestsParts['isExempt'],
): readonly string[] {
  const messagesOf = (judged: Review['object']): readonly string[] => {
    if (judged === undefined) return [];
    requireFewContainers(objectIn(judged, 'spec') ?? {});
    return policyViolations(judged, isExempt).map(({ message }) => message);
  };
  if (operation === 'CREATE') return messagesOf(object);
  if (operation !== 'UPDATE') return [];
  const before = new Set(messagesOf(oldObject));
  return messagesOf(object).filter((message) => !before.has(message));
}

function requireFewContainers(spec: JsonObject): void {
  const count = [...POLICY_LISTS.keys()]
    .map((list) => sizeOf(spec[list]))
    .reduce((sum, size) => sum + size);
  if (count <= MAX_CONTAINERS) return;
  const message = `The pod spec has ${count} containers, of which at most ${MAX_CONTAINERS} are judged`;
  throw new PinError('review_too_large', message);
}

/** Of a list, or of an object, whose values the policy goes through in the same way. */
function sizeOf(value: unknown): number {
  return typeof value === 'object' && value !== null ? Object.keys(value).length : 0;
}
