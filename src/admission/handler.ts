import { PinError } from '../errors.ts';
import type { ReferenceForm } from '../image/reference.ts';
import { type Location, locationOf } from '../workload/locations.ts';
import { type ConclusionParts, conclude } from './conclude.ts';
import { adopted, type Decision, type DecisionOptions, decide } from './decide.ts';
import { type LookUpParts, lookUpAll, type PendingAnswer } from './look-ups.ts';
import { MODE_POLICIES, type Mode, type ReviewOutcome } from './policy.ts';
import type { PeekTag, PinsByOriginal, Revision, SiblingPins } from './ports.ts';
import type { RefreshPolicy } from './refresh.ts';
import { type AdmissionResponse, allow } from './response.ts';
import type { Review } from './review.ts';
import { revisionOf } from './revision.ts';
import type { Answer } from './settle.ts';
import { type Subject, subjectOf, type UntouchedOptions, untouched } from './subject.ts';

export interface HandlerParts extends LookUpParts, ConclusionParts {
  readonly decision: DecisionOptions;
  readonly untouched: UntouchedOptions;
  readonly referenceForm: ReferenceForm;
  /** Of templates whose annotation names none. */
  readonly refreshPolicy: RefreshPolicy;
  /** `group/Kind` to location: custom resources that the operator names. */
  readonly extraKinds: ReadonlyMap<string, Location>;
  /** Undefined: each Pod is looked up by itself. */
  readonly siblings: SiblingPins | undefined;
}

/** A decoded review with what its caller asked for. */
interface AdmissionCall {
  readonly review: Review;
  readonly mode: Mode;
  /** False: what is not known already is not to be asked for. */
  readonly mayLookUp: boolean;
  /** On the clock of `performance.now()`. */
  readonly startedAtMs: number;
  readonly deadlineAtMs: number;
}

/** Answers admission reviews; with a promise only where somebody has to be asked. */
export type AdmissionHandler = (
  call: AdmissionCall,
) => AdmissionResponse | Promise<AdmissionResponse>;

/** What was decided of each image of a subject, in their order. */
interface Decided {
  readonly subject: Subject;
  readonly decisions: readonly Decision[];
  /** Whose replica the subject is, where one image at least is to be looked up. */
  readonly revision: Revision | undefined;
}

/** And what was answered to those that needed a look-up. */
interface Answered extends Decided {
  readonly answers: readonly (Answer | undefined)[];
}

/**
 * The use case, top to bottom: a review in, a decision an image, the look-ups, the response. Throws
 * or rejects with PinError `overloaded` where a look-up is needed and may not be made.
 */
export function createHandler(parts: HandlerParts): AdmissionHandler {
  return (call) => {
    const { review, mode } = call;
    const where =
      locationOf(review.group, review.kind) ??
      parts.extraKinds.get(`${review.group}/${review.kind}`);
    const writes = review.operation === 'CREATE' || review.operation === 'UPDATE';
    if (where === undefined || !writes) return leave(parts, call, { where, outcome: 'no_images' });
    const left = untouched(review, where, parts.untouched);
    if (left !== undefined) return leave(parts, call, { where, outcome: left });
    const subject = subjectOf(review, where, parts.refreshPolicy);
    if (subject === undefined) return leave(parts, call, { where, outcome: 'no_images' });

    const asked = { mode, options: parts.decision };
    const decisions = subject.now.places.map((place) => decide(subject, place, asked));
    const revision = revisionToAsk(parts, mode, { subject, decisions });
    const decided: Decided = { subject, decisions, revision };
    if (revision === undefined) return lookUp(parts, call, decided);
    const siblings = parts.siblings?.of(revision, call.deadlineAtMs);
    return siblings instanceof Promise
      ? siblings.then((known) => lookUp(parts, call, adopting(decided, known)))
      : lookUp(parts, call, adopting(decided, siblings));
  };
}

/** Whether somebody has to be asked, the API server for pull secrets among them. */
function needsLookUp(peek: PeekTag, { subject: { identity }, decisions }: Decided): boolean {
  return decisions.some(
    (decision) =>
      decision.act === 'refresh' ||
      (decision.act === 'resolve' && peek(decision.reference, identity) === undefined),
  );
}

function tooMany(): PinError {
  return new PinError(
    'overloaded',
    'As many reviews wait for look-ups as may, or as may of this namespace',
  );
}

/** The revision whose siblings may know what an image of a new Pod is to be. */
function revisionToAsk(
  { siblings }: HandlerParts,
  mode: Mode,
  { subject: { ownedPod }, decisions }: Pick<Decided, 'subject' | 'decisions'>,
): Revision | undefined {
  const isAsked =
    siblings !== undefined &&
    ownedPod !== undefined &&
    MODE_POLICIES[mode].writesPins &&
    decisions.some(({ act }) => act === 'resolve');
  return isAsked ? revisionOf(ownedPod) : undefined;
}

function adopting<T extends Decided>(decided: T, siblings: PinsByOriginal | undefined): T {
  if (siblings === undefined) return decided;
  return { ...decided, decisions: decided.decisions.map((one) => adopted(one, siblings)) };
}

function lookUp(
  parts: HandlerParts,
  call: AdmissionCall,
  decided: Decided,
): AdmissionResponse | Promise<AdmissionResponse> {
  if (!call.mayLookUp && needsLookUp(parts.peek, decided)) throw tooMany();
  const answers = lookUpAll(parts, call, decided);
  const conclusion = (all: readonly (Answer | undefined)[]): AdmissionResponse =>
    conclude(parts, call, agreed(parts, call, { ...decided, answers: all }));
  if (areKnown(answers)) return conclusion(answers);
  // oxlint-disable-next-line typescript/await-thenable -- some are promises, others known already
  return Promise.all(answers).then(conclusion);
}

function areKnown(answers: readonly PendingAnswer[]): answers is readonly (Answer | undefined)[] {
  return !answers.some((answer) => answer instanceof Promise);
}

/** Replicas that are looked up at the same time get what the first of them got. */
function agreed(
  { siblings }: HandlerParts,
  { review }: AdmissionCall,
  decided: Answered,
): Answered {
  const { decisions, revision, answers } = decided;
  if (siblings === undefined || revision === undefined || review.dryRun) return decided;
  const found = new Map<string, string>();
  decisions.forEach((decision, index) => {
    const result = answers[index]?.result;
    const isFound = decision.act === 'resolve' && result !== undefined && 'digest' in result;
    if (isFound) found.set(decision.original, result.digest);
  });
  if (found.size === 0) return decided;
  const stands = siblings.agree(revision, found);
  const others = new Map(
    [...stands].filter(([original, digest]) => found.get(original) !== digest),
  );
  return others.size === 0 ? decided : adopting(decided, others);
}

function leave(
  parts: HandlerParts,
  { review, mode, startedAtMs }: AdmissionCall,
  left: { readonly where: Location | undefined; readonly outcome: ReviewOutcome },
): AdmissionResponse {
  const kind = left.where?.kind ?? 'other';
  const ms = parts.now() - startedAtMs;
  parts.observe({ mode, kind, review, outcome: left.outcome, images: [], ms });
  return allow(review.uid, [], []);
}
