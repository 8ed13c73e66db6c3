import type { ReferenceForm } from '../image/reference.ts';
import { SKIP_ANNOTATION } from '../workload/annotations.ts';
import { type Location, locationOf } from '../workload/locations.ts';
import { type DecisionOptions, decide } from './decide.ts';
import { type LookUpParts, lookUpAll, type PendingAnswer } from './look-ups.ts';
import { denialOf, warningOf } from './message.ts';
import { patchOf } from './patch.ts';
import { MODE_POLICIES, type Mode, type ReviewOutcome, reviewOutcome } from './policy.ts';
import { recordToWrite } from './record.ts';
import type { AdmissionReport, ImageReport } from './report.ts';
import { type AdmissionResponse, allow, deny, type Review } from './review.ts';
import { type Answer, type SettledImage, settle } from './settle.ts';
import { type Subject, subjectOf, untouched } from './subject.ts';
import { unpinnedMark } from './unpinned.ts';

export interface HandlerParts extends LookUpParts {
  /** Told once of every review that was answered. */
  readonly observe: (report: AdmissionReport) => void;
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
    if (where === undefined || !writes) return leave(parts, call, { where, outcome: 'no_images' });
    const left = untouched(review, where);
    if (left !== undefined) return leave(parts, call, { where, outcome: left });
    const subject = subjectOf(review, where);
    if (subject === undefined) return leave(parts, call, { where, outcome: 'no_images' });

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

function areKnown(answers: readonly PendingAnswer[]): answers is readonly (Answer | undefined)[] {
  return !answers.some((answer) => answer instanceof Promise);
}

/** Everything is known: admit with a patch, or deny. */
function conclude(
  parts: HandlerParts,
  call: AdmissionCall,
  { subject, images }: { readonly subject: Subject; readonly images: readonly SettledImage[] },
): AdmissionResponse {
  const { uid } = call.review;
  const { where } = subject;
  const ignored = skipWarnings(parts, call, subject);
  const failed = images.some(({ outcome }) => outcome === 'failed');
  if (failed && MODE_POLICIES[call.mode].onFailure === 'deny') {
    return finish(parts, call, {
      where,
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
  return finish(parts, call, { where, images, outcome, response: allow(uid, patch, warnings) });
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
  left: { readonly where: Location | undefined; readonly outcome: ReviewOutcome },
): AdmissionResponse {
  return finish(parts, call, { ...left, images: [], response: allow(call.review.uid, [], []) });
}

function finish(
  parts: HandlerParts,
  { review, mode, startedAtMs }: AdmissionCall,
  ended: {
    readonly where: Location | undefined;
    readonly images: readonly SettledImage[];
    readonly outcome: ReviewOutcome;
    readonly response: AdmissionResponse;
  },
): AdmissionResponse {
  parts.observe({
    mode,
    kind: ended.where?.kind ?? 'other',
    review,
    outcome: ended.outcome,
    images: ended.images.map(imageReport),
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
