import { textOf } from '../json.ts';
import { ORIGINALS_ANNOTATION } from '../workload/annotations.ts';
import type { ImagePlace } from '../workload/locations.ts';
import {
  counts,
  formatOriginals,
  MAX_RECORD_CHARS,
  type Original,
  type Originals,
} from '../workload/originals.ts';
import { type ImageOutcome, MODE_POLICIES, type Mode } from './policy.ts';
import { refreshValuesOf, type Subject } from './subject.ts';

/** One image after the decision: what will stand in the field, and what is known of it. */
export interface Settled {
  readonly place: ImagePlace;
  readonly outcome: ImageOutcome;
  /** The text that will stand in the field. */
  readonly image: string;
  /** The entry that this review itself found or made. */
  readonly entry?: Original | undefined;
}

/** Outcomes that answer a refresh, whether or not the value asked for one. */
const ANSWERS_REFRESH: ReadonlySet<ImageOutcome> = new Set([
  'pinned',
  'refreshed',
  'refresh_failed',
]);

/**
 * The bytes that the record of a template is to have, or undefined where it stays as it is.
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
): string | undefined {
  const patched = settled.some(({ image, place }) => image !== place.image);
  if (!subject.templateChanged && !patched) return undefined;
  const mends = MODE_POLICIES[mode].writesPins || patched;
  if (!mends && subject.now.record !== undefined) return undefined;
  const wanted = wantedRecord(subject, settled);
  if (wanted.entries.size === 0) return undefined;
  if (includes(subject.now.record, wanted)) return undefined;
  const text = droppedRecord(subject, wanted) ?? formatOriginals(wanted);
  return text.length > MAX_RECORD_CHARS ? undefined : text;
}

/** What a PUT has dropped comes back byte for byte: a template may be immutable, or be compared. */
function droppedRecord({ now, before }: Subject, wanted: Originals): string | undefined {
  if (now.record !== undefined || !includes(before?.record, wanted)) return undefined;
  return textOf(before?.template.annotations, ORIGINALS_ANNOTATION);
}

function wantedRecord(subject: Subject, settled: readonly Settled[]): Originals {
  const base = subject.now.record ?? subject.before?.record;
  const entries = new Map<string, Original>();
  for (const { place, image, entry } of settled) {
    if (!place.recorded) continue;
    // An entry that this review made or found counts by the way it came about.
    const known = entry ?? countingEntry(base, place.key, image);
    if (known !== undefined) entries.set(place.key, known);
  }
  const answered = settled.some(({ outcome }) => ANSWERS_REFRESH.has(outcome));
  const refreshed = answered ? refreshValuesOf(subject.now.template) : base?.refreshed;
  return { entries, refreshed: refreshed ?? new Map() };
}

function countingEntry(
  base: Originals | undefined,
  key: string,
  image: string,
): Original | undefined {
  const entry = base?.entries.get(key);
  return counts(entry, image) ? entry : undefined;
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
