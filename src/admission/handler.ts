import { PinError } from '../errors.ts';
import {
  type ImageReference,
  normalizedName,
  normalizedTag,
  type ReferenceForm,
} from '../image/reference.ts';
import { isJsonObject, listOf, textOf } from '../json.ts';
import { SKIP_ANNOTATION } from '../workload/annotations.ts';
import { type ImagePlace, locationOf } from '../workload/locations.ts';
import { type Decision, type DecisionOptions, decide } from './decide.ts';
import { denialOf, warningOf } from './message.ts';
import { patchOf } from './patch.ts';
import {
  MAX_LOOKUPS_PER_REVIEW,
  MODE_POLICIES,
  type Mode,
  type ReviewOutcome,
  reviewOutcome,
} from './policy.ts';
import type { PullIdentity, ResolveImage } from './ports.ts';
import { recordToWrite } from './record.ts';
import type { AdmissionReport, ImageReport } from './report.ts';
import { type AdmissionResponse, allow, deny, type Review } from './review.ts';
import { type Answer, type SettledImage, settle } from './settle.ts';
import { type Subject, subjectOf, untouched } from './subject.ts';
import { unpinnedMark } from './unpinned.ts';

export interface HandlerParts {
  readonly resolve: ResolveImage;
  /** Told once of every review that was answered. */
  readonly observe: (report: AdmissionReport) => void;
  /** The clock of `performance.now()`, in milliseconds. */
  readonly now: () => number;
  readonly decision: DecisionOptions;
  readonly referenceForm: ReferenceForm;
}

/** A decoded review with what its caller asked for. */
interface AdmissionCall {
  readonly review: Review;
  readonly mode: Mode;
  /** On the clock of `performance.now()`. */
  readonly startedAtMs: number;
  readonly deadlineAtMs: number;
}

/** Answers admission reviews; with a promise only where a registry has to be asked. */
export type AdmissionHandler = (
  call: AdmissionCall,
) => AdmissionResponse | Promise<AdmissionResponse>;

/** The use case, top to bottom: a review in, a decision an image, the look-ups, the response. */
export function createHandler(parts: HandlerParts): AdmissionHandler {
  return (call) => {
    const { review, mode } = call;
    const where = locationOf(review.group, review.kind);
    const writes = review.operation === 'CREATE' || review.operation === 'UPDATE';
    if (where === undefined || !writes) return leave(parts, call, 'no_images');
    const left = untouched(review, where);
    if (left !== undefined) return leave(parts, call, left);
    const subject = subjectOf(review, where);
    if (subject === undefined) return leave(parts, call, 'no_images');

    const decided = subject.now.places.map((place) => ({
      place,
      decision: decide(subject, place, { mode, options: parts.decision }),
    }));
    const answers = lookUpAll(parts, call, { subject, decided });
    const conclusion = (all: readonly (Answer | undefined)[]): AdmissionResponse => {
      const how = { mode, form: parts.referenceForm };
      const images = decided.map(({ place, decision }, index) =>
        settle(place, { decision, answer: all[index] }, how),
      );
      return conclude(parts, call, { subject, images });
    };
    if (areKnown(answers)) return conclusion(answers);
    // oxlint-disable-next-line typescript/await-thenable -- some are promises, others known already
    return Promise.all(answers).then(conclusion);
  };
}

interface Decided {
  readonly place: ImagePlace;
  readonly decision: Decision;
}

type PendingAnswer = Answer | undefined | Promise<Answer>;

function areKnown(answers: readonly PendingAnswer[]): answers is readonly (Answer | undefined)[] {
  return !answers.some((answer) => answer instanceof Promise);
}

/** Asks for all images at the same time, and once for images that are the same. */
function lookUpAll(
  parts: HandlerParts,
  call: AdmissionCall,
  asked: { readonly subject: Subject; readonly decided: readonly Decided[] },
): PendingAnswer[] {
  const identity = identityOf(call.review.namespace, asked.subject);
  const byTag = new Map<string, PendingAnswer>();
  let refusal: Answer | undefined;
  return asked.decided.map(({ decision }) => {
    if (decision.act !== 'resolve' && decision.act !== 'refresh') return undefined;
    const { reference } = decision;
    const tag = `${normalizedName(reference)}:${normalizedTag(reference)}`;
    const known = byTag.get(tag);
    if (known !== undefined) return known;
    if (byTag.size >= MAX_LOOKUPS_PER_REVIEW) {
      refusal ??= tooMany();
      return refusal;
    }
    const answer = lookUp(parts, call, {
      reference,
      identity,
      fresh: asked.subject.refreshAsked,
    });
    byTag.set(tag, answer);
    return answer;
  });
}

function lookUp(
  parts: HandlerParts,
  call: AdmissionCall,
  asked: {
    readonly reference: ImageReference;
    readonly identity: PullIdentity;
    readonly fresh: boolean;
  },
): PendingAnswer {
  const result = parts.resolve(asked.reference, {
    identity: asked.identity,
    deadlineAtMs: call.deadlineAtMs,
    notBeforeMs: asked.fresh ? call.startedAtMs : undefined,
  });
  if (!(result instanceof Promise)) return { result, ms: parts.now() - call.startedAtMs };
  return result.then((late) => ({ result: late, ms: parts.now() - call.startedAtMs }));
}

function tooMany(): Answer {
  const message = `an object may name at most ${MAX_LOOKUPS_PER_REVIEW} images that need a look-up`;
  return { result: new PinError('too_many_images', message), ms: 0 };
}

/**
 * For a Pod its own list alone: the API server has already copied the ServiceAccount's where the
 * Pod had none (kubernetes plugin/pkg/admission/serviceaccount). A template gets the same rule.
 */
function identityOf(namespace: string, { where, now }: Subject): PullIdentity {
  const { spec } = now.template;
  const pullSecrets = listOf(spec, 'imagePullSecrets').flatMap((item) => {
    const name = isJsonObject(item) ? textOf(item, 'name') : undefined;
    return name === undefined || name === '' ? [] : [name];
  });
  const account = textOf(spec, 'serviceAccountName') || textOf(spec, 'serviceAccount') || 'default';
  const lends = !where.isPod && pullSecrets.length === 0;
  return { namespace, pullSecrets, serviceAccount: lends ? account : undefined };
}

/** Everything is known: admit with a patch, or deny. */
function conclude(
  parts: HandlerParts,
  call: AdmissionCall,
  { subject, images }: { readonly subject: Subject; readonly images: readonly SettledImage[] },
): AdmissionResponse {
  const { uid } = call.review;
  const ignored = skipWarnings(parts, call, subject);
  const failed = images.some(({ outcome }) => outcome === 'failed');
  if (failed && MODE_POLICIES[call.mode].onFailure === 'deny') {
    return finish(parts, call, {
      images,
      outcome: 'denied',
      response: deny(uid, denialOf(images), ignored),
    });
  }
  const warnings = [...ignored, ...images.flatMap((image) => warningOf(image) ?? [])];
  const annotates = call.review.subResource === '';
  const patch = patchOf(subject.now.template, images, {
    originals: annotates ? recordToWrite(subject, images, call.mode) : undefined,
    unpinned: annotates ? unpinnedMark(subject, images, call.mode) : undefined,
  });
  const outcome = reviewOutcome(images.map((image) => image.outcome));
  return finish(parts, call, { images, outcome, response: allow(uid, patch, warnings) });
}

function skipWarnings(
  { decision }: HandlerParts,
  { mode }: AdmissionCall,
  { now }: Subject,
): string[] {
  if (MODE_POLICIES[mode].honoursSkip || decision.allowSkipInEnforce) return [];
  return now.places.some(({ key }) => now.skips(key))
    ? [`${SKIP_ANNOTATION} is ignored in a namespace of mode "${mode}"`]
    : [];
}

function leave(
  parts: HandlerParts,
  call: AdmissionCall,
  outcome: ReviewOutcome,
): AdmissionResponse {
  return finish(parts, call, { images: [], outcome, response: allow(call.review.uid, [], []) });
}

function finish(
  parts: HandlerParts,
  { review, mode, startedAtMs }: AdmissionCall,
  ended: {
    readonly images: readonly SettledImage[];
    readonly outcome: ReviewOutcome;
    readonly response: AdmissionResponse;
  },
): AdmissionResponse {
  parts.observe({
    mode,
    kind: locationOf(review.group, review.kind)?.kind ?? 'other',
    review,
    outcome: ended.outcome,
    images: ended.images.map(imageReport),
    response: ended.response,
    ms: parts.now() - startedAtMs,
  });
  return ended.response;
}

function imageReport({ place, outcome, decision, answer, error }: SettledImage): ImageReport {
  const result = answer?.result;
  return {
    container: place.key,
    outcome,
    reason: error?.code ?? (decision.act === 'leave' ? (decision.reason ?? '') : ''),
    registry: 'reference' in decision ? decision.reference.registry : undefined,
    stale: result !== undefined && 'stale' in result && result.stale,
    ms: answer?.ms ?? 0,
  };
}
