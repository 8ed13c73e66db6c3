import type { ReferenceForm } from '../image/reference.ts';
import { auditAnnotationsOf } from './audit-annotations.ts';
import { concession } from './contention.ts';
import type { Decision, DecisionOptions } from './decide.ts';
import { denialOf, warningOf } from './message.ts';
import { misplacedWarnings } from './misplaced.ts';
import { movedWarnings } from './moved.ts';
import { patchOf } from './patch.ts';
import { MODE_POLICIES, type Mode, type ReviewOutcome, reviewOutcome } from './policy.ts';
import type { IsContended, PeekTag } from './ports.ts';
import { type RecordChange, recordToWrite } from './record.ts';
import type { AdmissionReport, ImageReport } from './report.ts';
import { type AdmissionResponse, allow, deny } from './response.ts';
import type { Review } from './review.ts';
import { type Answer, foundFor, originalOf, type SettledImage, settle } from './settle.ts';
import type { Subject } from './subject.ts';
import { unpinnedMark } from './unpinned.ts';
import { WARNINGS } from './wording.ts';

export interface ConclusionParts {
  /** Told once of every review that was answered. */
  readonly observe: (report: AdmissionReport) => void;
  readonly decision: DecisionOptions;
  readonly referenceForm: ReferenceForm;
  readonly isContended: IsContended;
  readonly peek: PeekTag;
  /** The clock of `performance.now()`, in milliseconds. */
  readonly now: () => number;
}

interface ReviewCall {
  readonly review: Review;
  readonly mode: Mode;
  readonly startedAtMs: number;
}

/** A subject of which everything is known: by the order of its images. */
interface Known {
  readonly subject: Subject;
  readonly decisions: readonly Decision[];
  readonly answers: readonly (Answer | undefined)[];
}

/** Everything is known: admit with a patch, or deny. */
export function conclude(
  parts: ConclusionParts,
  call: ReviewCall,
  known: Known,
): AdmissionResponse {
  const { review, mode } = call;
  const { subject } = known;
  const { images, record } = settleAll(parts, call, known);
  const notices = noticesOf(parts, call, subject);
  const failed = images.some(({ outcome }) => outcome === 'failed');
  if (failed && MODE_POLICIES[mode].onFailure === 'deny') {
    const response = deny(review.uid, denialOf(images, review.namespace), notices);
    return finish(parts, call, { subject, images, outcome: 'denied', response });
  }
  const given = concession(parts.isContended, call, { subject, images });
  const final = given?.images ?? images;
  const warnings = notices;
  for (const image of final) {
    const warning = warningOf(image);
    if (warning !== undefined) warnings.push(warning);
  }
  if (given !== undefined) warnings.push(given.warning);
  if (record.isTooLong) warnings.push(WARNINGS.recordTooLong());
  warnings.push(...movedWarnings(parts.peek, subject, final));
  const annotates = review.subResource === '';
  const patch =
    given !== undefined
      ? []
      : patchOf(subject.now.template, final, {
          originals: record.text,
          unpinned: annotates ? unpinnedMark(subject, final, mode) : undefined,
        });
  const outcome = reviewOutcome(final.map((image) => image.outcome));
  const response = allow(review.uid, patch, warnings);
  return finish(parts, call, { subject, images: final, outcome, response });
}

const NO_RECORD: RecordChange = { text: undefined, isTooLong: false };

/**
 * Where the record does not fit, the tag stays in the reference: the form of other pinners, which
 * is put back when the file is applied again, without any record.
 */
function settleAll(
  { referenceForm }: ConclusionParts,
  { review, mode }: ReviewCall,
  { subject, decisions, answers }: Known,
): { readonly images: readonly SettledImage[]; readonly record: RecordChange } {
  const inForm = (form: ReferenceForm): SettledImage[] => {
    const how = { mode, form };
    const settled: SettledImage[] = [];
    subject.now.places.forEach((place, index) => {
      const decision = decisions[index];
      if (decision === undefined) return;
      settled.push(settle(place, { decision, answer: answers[index] }, how));
    });
    return settled;
  };
  const images = inForm(referenceForm);
  const record = review.subResource === '' ? recordToWrite(subject, images, mode) : NO_RECORD;
  return { record, images: record.isTooLong ? inForm('tag-and-digest') : images };
}

/** What is told whatever becomes of the images. */
function noticesOf(
  parts: ConclusionParts,
  { review, mode }: ReviewCall,
  subject: Subject,
): string[] {
  return [...skipWarnings(parts, mode, subject), ...misplacedWarnings(review, subject)];
}

function skipWarnings({ decision }: ConclusionParts, mode: Mode, { now }: Subject): string[] {
  if (MODE_POLICIES[mode].honoursSkip || decision.allowSkipInEnforce) return [];
  return now.places.some(({ key }) => now.skips(key))
    ? [WARNINGS.skipIgnored(JSON.stringify(mode))]
    : [];
}

function finish(
  parts: ConclusionParts,
  { review, mode, startedAtMs }: ReviewCall,
  ended: {
    readonly subject: Subject;
    readonly images: readonly SettledImage[];
    readonly outcome: ReviewOutcome;
    readonly response: AdmissionResponse;
  },
): AdmissionResponse {
  parts.observe({
    mode,
    kind: ended.subject.where.kind,
    review,
    outcome: ended.outcome,
    images: ended.images.map(imageReport),
    ms: parts.now() - startedAtMs,
  });
  const auditAnnotations = auditAnnotationsOf(ended.images);
  return auditAnnotations === undefined ? ended.response : { ...ended.response, auditAnnotations };
}

function imageReport(settled: SettledImage): ImageReport {
  const { place, outcome, decision, answer, entry } = settled;
  const found = foundFor(settled);
  return {
    container: place.key,
    outcome,
    reason: reasonOf(settled),
    registry: 'reference' in decision ? decision.reference.registry : undefined,
    original: originalOf(settled),
    digest: entry?.digest ?? found?.digest,
    stale: found?.stale ?? false,
    ms: answer?.ms ?? 0,
    phases: answer?.phases,
  };
}

function reasonOf({ error, decision }: SettledImage): string {
  if (error !== undefined) return error.code;
  return decision.act === 'leave' ? (decision.reason ?? '') : '';
}
