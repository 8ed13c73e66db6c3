import { PinError } from '../errors.ts';
import { type ImageReference, normalizedName, parseReference } from '../image/reference.ts';
import { textOf } from '../json.ts';
import { SKIP_ANNOTATION } from '../workload/annotations.ts';
import type { ImagePlace } from '../workload/locations.ts';
import { counts, type Original } from '../workload/originals.ts';
import { type ImageOutcome, MODE_POLICIES, type Mode } from './policy.ts';
import type { Subject, TemplateState } from './subject.ts';

/** A pin that is in the stored object, and its entry in the record where it has one. */
export interface OldPin {
  readonly image: string;
  readonly entry: Original | undefined;
}

/** What is to be done with one image. */
export type Decision =
  | { readonly act: 'leave'; readonly outcome: ImageOutcome; readonly reason?: string }
  | { readonly act: 'reuse'; readonly pin: OldPin }
  | { readonly act: 'resolve'; readonly original: string; readonly reference: ImageReference }
  | {
      readonly act: 'refresh';
      readonly original: string;
      readonly reference: ImageReference;
      /** Stays, in every mode, when the look-up fails. */
      readonly pin: OldPin;
    }
  | { readonly act: 'refuse'; readonly error: PinError };

/** The operator's part in the decision. */
export interface DecisionOptions {
  /** True for a name (`registry/repository`, normalised) on the operator's skip list. */
  readonly isSkipped: (name: string) => boolean;
  readonly allowSkipInEnforce: boolean;
}

interface Question {
  readonly subject: Subject;
  readonly mode: Mode;
  readonly options: DecisionOptions;
  readonly place: ImagePlace;
  readonly reference: ImageReference;
  /** The same place, by list and name, in the stored object. */
  readonly old: ImagePlace | undefined;
}

type Row = (question: Question) => Decision | undefined;

/** The decision table for one image: the first row that answers decides. */
const ROWS: readonly Row[] = [
  refreshed,
  alreadyPinned,
  unchanged,
  reused,
  immutable,
  onSkipList,
  ({ place, reference }) => ({ act: 'resolve', original: place.image, reference }),
];

/** Decides what to do with one image of the subject; asks no registry. */
export function decide(
  subject: Subject,
  place: ImagePlace,
  asked: { readonly mode: Mode; readonly options: DecisionOptions },
): Decision {
  const left = leftAlone(subject, place, asked);
  if (left !== undefined) return left;
  const reference = read(place.image);
  if (reference instanceof PinError) return unreadable(subject, place, reference);
  const question: Question = {
    ...asked,
    subject,
    place,
    reference,
    old: placeIn(subject.before, place),
  };
  for (const row of ROWS) {
    const decision = row(question);
    if (decision !== undefined) return decision;
  }
  throw new PinError('internal', `No row decided on image ${JSON.stringify(place.image)}`);
}

/** Rows that need no parse: what is no image yet, and what somebody asked to leave. */
function leftAlone(
  subject: Subject,
  place: ImagePlace,
  asked: { readonly mode: Mode; readonly options: DecisionOptions },
): Decision | undefined {
  // `auto` is the placeholder of gateway templates; an injector fills in the image later.
  if (place.image === '' || place.image === 'auto')
    return { act: 'leave', outcome: 'not_an_image' };
  const honoured = MODE_POLICIES[asked.mode].honoursSkip || asked.options.allowSkipInEnforce;
  if (honoured && asksToSkip(subject.now, place)) {
    return { act: 'leave', outcome: 'skipped', reason: 'annotation' };
  }
  // A side-loaded image has no registry that could be asked.
  if (place.pullPolicy === 'Never') return { act: 'leave', outcome: 'never_pulled' };
  return undefined;
}

/** The skip annotation names this container, or all of them. */
export function asksToSkip(state: TemplateState, place: ImagePlace): boolean {
  const value = textOf(state.template.annotations, SKIP_ANNOTATION)?.trim();
  if (value === undefined || value === '') return false;
  return value === 'true' || value.split(',').some((name) => name.trim() === place.key);
}

function read(image: string): ImageReference | PinError {
  try {
    return parseReference(image);
  } catch (caught) {
    if (caught instanceof PinError) return caught;
    throw caught;
  }
}

/** A name that cannot be read fails, unless the update leaves it as it was stored. */
function unreadable(subject: Subject, place: ImagePlace, error: PinError): Decision {
  const same = placeIn(subject.before, place)?.image === place.image;
  return same && staysAsStored(subject)
    ? { act: 'leave', outcome: 'unchanged' }
    : { act: 'refuse', error };
}

function placeIn(state: TemplateState | undefined, place: ImagePlace): ImagePlace | undefined {
  return state?.places.find(({ list, key }) => list === place.list && key === place.key);
}

/** The pin of `old` with its entry, where the record has one that counts. */
function pinOf(
  state: TemplateState,
  old: ImagePlace,
): { pin: OldPin; entry: Original } | undefined {
  const entry = state.record?.entries.get(old.key);
  return counts(entry, old.image) ? { pin: { image: old.image, entry }, entry } : undefined;
}

function refreshed({ subject, mode, place, reference, old }: Question): Decision | undefined {
  const { before } = subject;
  const wanted = subject.refreshAsked && MODE_POLICIES[mode].writesPins;
  if (!wanted || before === undefined || old === undefined) return undefined;
  const recorded = pinOf(before, old);
  if (recorded !== undefined) {
    const original = recorded.entry.reference;
    if (place.image !== old.image && place.image !== original) return undefined;
    return { act: 'refresh', original, reference: parseReference(original), pin: recorded.pin };
  }
  if (!isPinnedFormOf(old.image, reference)) return undefined;
  const pin = { image: old.image, entry: undefined };
  return { act: 'refresh', original: place.image, reference, pin };
}

function alreadyPinned({ reference }: Question): Decision | undefined {
  return reference.digest === undefined ? undefined : { act: 'leave', outcome: 'already_pinned' };
}

function unchanged({ subject, place, old }: Question): Decision | undefined {
  if (old?.image !== place.image || !staysAsStored(subject)) return undefined;
  return { act: 'leave', outcome: 'unchanged' };
}

/**
 * An image that equals the stored one stays a tag while nothing else of the template changes, so
 * that no rollout starts because of a pin. In a Pod, where a new image string restarts the
 * container, and in a Job, whose template is immutable, it stays whatever else changes.
 */
function staysAsStored(subject: Subject): boolean {
  const { where, immutable: job, templateChanged } = subject;
  return where.isPod || job || !templateChanged;
}

function reused({ subject, place, reference, old }: Question): Decision | undefined {
  const { before } = subject;
  if (before === undefined) return undefined;
  const candidates = old === undefined ? before.places : [old, ...before.places];
  for (const candidate of candidates) {
    const recorded = pinOf(before, candidate);
    if (recorded?.entry.reference === place.image) return { act: 'reuse', pin: recorded.pin };
  }
  if (old === undefined || !isPinnedFormOf(old.image, reference)) return undefined;
  return { act: 'reuse', pin: { image: old.image, entry: undefined } };
}

/**
 * True for `<name>:<tag>@<digest>` against the same name and tag: the form in which other tools
 * write pins. They fill in `latest` where the user wrote no tag; a digest behind no tag answers
 * only for a name without one, as whoever adds a tag means that tag.
 */
function isPinnedFormOf(image: string, tagged: ImageReference): boolean {
  const pinned = read(image);
  if (pinned instanceof PinError || pinned.digest === undefined) return false;
  const tags = tagged.tag === undefined ? [undefined, 'latest'] : [tagged.tag];
  return (
    tagged.digest === undefined &&
    normalizedName(pinned) === normalizedName(tagged) &&
    tags.includes(pinned.tag)
  );
}

function immutable({ subject, place }: Question): Decision | undefined {
  const updatesPod = subject.where.isPod && subject.before !== undefined;
  const existed = placeIn(subject.before, place) !== undefined;
  const fixed = subject.immutable || (updatesPod && place.immutableInPod && existed);
  return fixed ? { act: 'leave', outcome: 'immutable' } : undefined;
}

function onSkipList({ options, reference }: Question): Decision | undefined {
  if (!options.isSkipped(normalizedName(reference))) return undefined;
  return { act: 'leave', outcome: 'skipped', reason: 'skip_list' };
}
