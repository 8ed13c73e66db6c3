import { type DecisionOptions, decide } from '../admission/decide.ts';
import { type LookUpParts, lookUpAll } from '../admission/look-ups.ts';
import type { ImageOutcome, ObjectOutcome } from '../admission/policy.ts';
import type { PullIdentity } from '../admission/ports.ts';
import type { RefreshPolicy } from '../admission/refresh.ts';
import type { Review } from '../admission/review.ts';
import { type SettledImage, settle } from '../admission/settle.ts';
import { type Subject, subjectOf, type UntouchedOptions, untouched } from '../admission/subject.ts';
import type { PinError } from '../errors.ts';
import type { ReferenceForm } from '../image/reference.ts';
import { type JsonObject, objectIn, textOf } from '../json.ts';
import { LABEL_PREFIX } from '../workload/annotations.ts';
import type { Candidate } from './census.ts';
import type { Place } from './place.ts';

/** What the webhook decides with, of the same settings. */
export interface OutlookParts extends LookUpParts {
  readonly decision: DecisionOptions;
  readonly untouched: UntouchedOptions;
  readonly referenceForm: ReferenceForm;
  readonly refreshPolicy: RefreshPolicy;
}

/** What the webhook would do with one image, in mode `pin`. */
export interface Outlook {
  readonly place: Place;
  /** Of the whole object where it is left alone for what it is. */
  readonly outcome: ImageOutcome | ObjectOutcome;
  /** Which of several rules held, where the outcome does not say it all. */
  readonly reason: string | undefined;
  /** The image as it would stand there; of an object that is left alone, too. */
  readonly pinned: string | undefined;
  readonly error: PinError | undefined;
  /** Whose credentials count. */
  readonly identity: PullIdentity | undefined;
}

/** Tells what would become of the places of an object. Never rejects. */
export type Foresee = (candidate: Candidate) => Promise<readonly Outlook[]>;

/** As the webhook is called: the `timeoutSeconds` of its entries. */
const PATIENCE_MS = 10_000;
/** In a rollout something of the template changes: this does, in a copy. */
const CHANGE = `${LABEL_PREFIX}onboard`;

/** The webhook's own decisions about reviews that no API server sends. */
export function createForesight(parts: OutlookParts): Foresee {
  return async (candidate) => {
    const review = reviewOf(candidate);
    const left = untouched(review, candidate.where, parts.untouched);
    if (left !== undefined && left !== 'foreign_owner') return allOf(candidate, left);
    const subject = subjectOf(review, candidate.where, parts.refreshPolicy);
    if (subject === undefined) return [];
    const images = await settled(parts, review, subject);
    const { identity } = subject;
    return images.flatMap((image) => {
      const place = candidate.places.get(image.place.key);
      return place === undefined ? [] : outlookOf(image, { place, identity, left });
    });
  };
}

async function settled(
  parts: OutlookParts,
  review: Review,
  subject: Subject,
): Promise<readonly SettledImage[]> {
  const { places } = subject.now;
  const asked = { mode: 'pin', options: parts.decision } as const;
  const decisions = places.map((place) => decide(subject, place, asked));
  const startedAtMs = parts.now();
  const call = { review, startedAtMs, deadlineAtMs: startedAtMs + PATIENCE_MS };
  // oxlint-disable-next-line typescript/await-thenable -- some are promises, others known already
  const answers = await Promise.all(lookUpAll(parts, call, { subject, decisions }));
  return decisions.flatMap((decision, index) => {
    const place = places[index];
    const how = { mode: 'pin', form: parts.referenceForm } as const;
    return place === undefined ? [] : settle(place, { decision, answer: answers[index] }, how);
  });
}

function outlookOf(
  { outcome, image, decision, error }: SettledImage,
  {
    place,
    identity,
    left,
  }: {
    readonly place: Place;
    readonly identity: PullIdentity;
    readonly left: 'foreign_owner' | undefined;
  },
): Outlook {
  const reason = decision.act === 'leave' ? decision.reason : undefined;
  const pinned = image === place.image ? undefined : image;
  const isOpen = pinned !== undefined || outcome === 'failed';
  return {
    place,
    outcome: isOpen && left !== undefined ? left : outcome,
    reason,
    pinned,
    error,
    identity,
  };
}

function allOf({ places }: Candidate, outcome: ObjectOutcome): readonly Outlook[] {
  return [...places.values()].map((place) => ({
    place,
    outcome,
    reason: undefined,
    pinned: undefined,
    error: undefined,
    identity: undefined,
  }));
}

/**
 * A rollout for what has a template that may change, and else the object made anew: for the Pods of
 * an immutable template, and of one that somebody owns, get what that would get.
 */
function reviewOf({ group, kind, where, object, next }: Candidate): Review {
  const metadata = objectIn(object, 'metadata');
  const common = {
    uid: '',
    group,
    kind,
    subResource: '',
    namespace: textOf(metadata, 'namespace') ?? '',
    name: textOf(metadata, 'name') ?? '',
    dryRun: true,
  };
  if (next === 'pod') {
    const made = where.isPod ? object : withoutOwners(object);
    return { ...common, operation: 'CREATE', object: made, oldObject: undefined };
  }
  const steps = [...where.template, 'metadata', 'annotations', CHANGE];
  const changed = withText(object, steps, 'true');
  return { ...common, operation: 'UPDATE', object: changed, oldObject: object };
}

function withoutOwners(object: JsonObject): JsonObject {
  return { ...object, metadata: { ...objectIn(object, 'metadata'), ownerReferences: [] } };
}

/** A copy with a text at the end of a path; the rest is shared with it. */
function withText(
  object: JsonObject,
  [step, ...steps]: readonly string[],
  text: string,
): JsonObject {
  if (step === undefined) return object;
  if (steps.length === 0) return { ...object, [step]: text };
  return { ...object, [step]: withText(objectIn(object, step) ?? {}, steps, text) };
}
