import { textOf } from '../json.ts';
import { ORIGINALS_ANNOTATION } from '../workload/annotations.ts';
import { fitsBeside } from '../workload/annotations-size.ts';
import {
  countingEntry,
  formatOriginals,
  MAX_RECORD_CHARS,
  type Original,
  type Originals,
} from '../workload/originals.ts';
import { type ImageOutcome, MODE_POLICIES, type Mode } from './policy.ts';
import { refreshValuesOf } from './refresh.ts';
import type { Settled } from './settle.ts';
import type { Subject } from './subject.ts';

/** Outcomes that answer a refresh, whether or not the value asked for one. */
const ANSWERS_REFRESH: ReadonlySet<ImageOutcome> = new Set([
  'pinned',
  'refreshed',
  'refresh_failed',
]);

/** What a review does to the record of a template. */
export interface RecordChange {
  /** The bytes that it is to have; undefined where it stays as it is. */
  readonly text: string | undefined;
  /** It is wanted, and longer than a record or than all annotations of an object may be. */
  readonly isTooLong: boolean;
}

const AS_IT_IS: RecordChange = { text: undefined, isTooLong: false };

/**
 * What becomes of the record of a template.
 *
 * The record is part of the template, so writing it can start a rollout: it is written only where
 * the template changes anyway. A record in the request whose entries all count keeps its bytes,
 * for an undo must find the ReplicaSet that was made with them. Mode `warn` puts a record back, and
 * mends none.
 */
export function recordToWrite(
  subject: Subject,
  settled: readonly Settled[],
  mode: Mode,
): RecordChange {
  const patched = settled.some(({ image, place }) => image !== place.image);
  if (!subject.templateChanged && !patched) return AS_IT_IS;
  const mends = MODE_POLICIES[mode].writesPins || patched;
  if (!mends && subject.now.record !== undefined) return AS_IT_IS;
  const wanted = wantedRecord(subject, settled);
  if (wanted.entries.size === 0) return AS_IT_IS;
  if (includes(subject.now.record, wanted)) return AS_IT_IS;
  const text = droppedRecord(subject, wanted) ?? formatOriginals(wanted);
  const fits =
    text.length <= MAX_RECORD_CHARS &&
    fitsBeside(subject.now.template.annotations ?? {}, ORIGINALS_ANNOTATION, text);
  return fits ? { text, isTooLong: false } : { text: undefined, isTooLong: true };
}

/** What a PUT has dropped comes back byte for byte: a template may be immutable, or be compared. */
function droppedRecord({ now, before }: Subject, wanted: Originals): string | undefined {
  if (now.record !== undefined || !includes(before?.record, wanted)) return undefined;
  return textOf(before?.template.annotations, ORIGINALS_ANNOTATION);
}

function wantedRecord(subject: Subject, settled: readonly Settled[]): Originals {
  const answered = settled.some(({ outcome }) => ANSWERS_REFRESH.has(outcome));
  const refreshed = answered
    ? refreshValuesOf(subject.now, subject.refreshPolicy)
    : baseOf(subject)?.refreshed;
  return { entries: countingEntries(subject, settled), refreshed: refreshed ?? new Map() };
}

/** By key of the record: the entries that count once the review is answered. */
export function countingEntries(
  subject: Subject,
  settled: readonly Settled[],
): Map<string, Original> {
  const base = baseOf(subject);
  const entries = new Map<string, Original>();
  for (const { place, image, entry } of settled) {
    if (!place.recorded) continue;
    // An entry that this review made or found counts by the way it came about.
    const known = entry ?? countingEntry(base, place.key, image);
    if (known !== undefined) entries.set(place.key, known);
  }
  return entries;
}

function baseOf({ now, before }: Subject): Originals | undefined {
  return now.record ?? before?.record;
}

/** The record in the request says the same as the wanted one, entry by entry. */
function includes(record: Originals | undefined, wanted: Originals): boolean {
  return (
    record !== undefined &&
    record.entries.size === wanted.entries.size &&
    record.refreshed.size === wanted.refreshed.size &&
    [...wanted.refreshed].every(([key, value]) => record.refreshed.get(key) === value) &&
    [...wanted.entries].every(([key, { reference, digest }]) => {
      const entry = record.entries.get(key);
      return entry?.reference === reference && entry.digest === digest;
    })
  );
}
