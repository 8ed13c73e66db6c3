import { PinError } from '../errors.ts';
import { type ImageReference, normalizedName, parseReference } from '../image/reference.ts';
import type { ImagePlace } from '../workload/locations.ts';
import { type ImageOutcome, MODE_POLICIES, type Mode } from './policy.ts';
import type { PinsByOriginal } from './ports.ts';
import { foreignPin, type OldPin, pinToReuse, readImage, type StoredState } from './stored.ts';
import type { Subject } from './subject.ts';

/** What is to be done with one image. */
export type Decision =
  | { readonly act: 'leave'; readonly outcome: ImageOutcome; readonly reason?: string }
  | { readonly act: 'reuse'; readonly pin: OldPin }
  | {
      readonly act: 'adopt';
      readonly original: string;
      readonly reference: ImageReference;
      /** That its siblings run. */
      readonly digest: string;
    }
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
  const reference = readImage(place.image);
  if (reference instanceof PinError) return unreadable(subject, place, reference);
  const question: Question = {
    ...asked,
    subject,
    place,
    reference,
    old: subject.before?.placeLike(place),
  };
  for (const row of ROWS) {
    const decision = row(question);
    if (decision !== undefined) return decision;
  }
  throw new PinError('internal', `No row decided on image ${JSON.stringify(place.image)}`);
}

/**
 * The row before the last, for a Pod whose siblings are known: replicas of one revision run one
 * digest. Apart from the table, since the siblings are looked for only where that row is reached.
 */
export function adopted(decision: Decision, siblings: PinsByOriginal): Decision {
  if (decision.act !== 'resolve') return decision;
  const digest = siblings.get(decision.original);
  return digest === undefined ? decision : { ...decision, act: 'adopt', digest };
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
  if (honoured && subject.now.skips(place.key)) {
    return { act: 'leave', outcome: 'skipped', reason: 'annotation' };
  }
  // A side-loaded image has no registry that could be asked.
  if (place.pullPolicy === 'Never') return { act: 'leave', outcome: 'never_pulled' };
  return undefined;
}

/** A name that cannot be read fails, unless the update leaves it as it was stored. */
function unreadable(subject: Subject, place: ImagePlace, error: PinError): Decision {
  const same = subject.before?.placeLike(place)?.image === place.image;
  return same && staysAsStored(subject)
    ? { act: 'leave', outcome: 'unchanged' }
    : { act: 'refuse', error };
}

/**
 * A skipped image costs no request, on a refresh neither. An image that has no pin of its own to
 * refresh, but the tag of a recorded one, is refreshed with it: one tag, one digest in a template.
 */
function refreshed(question: Question): Decision | undefined {
  const { subject, mode, place, reference, options } = question;
  if (!subject.refreshAsked || !MODE_POLICIES[mode].writesPins) return undefined;
  const pin = pinToRefresh(question);
  if (pin === undefined) return undefined;
  const original = pin.entry?.reference ?? place.image;
  const asked = pin.entry === undefined ? reference : parseReference(original);
  if (options.isSkipped(normalizedName(asked))) return undefined;
  return { act: 'refresh', original, reference: asked, pin };
}

function pinToRefresh({ subject, place, reference, old }: Question): OldPin | undefined {
  const { before } = subject;
  if (before === undefined) return undefined;
  return (
    recordedPin(before, old, place) ??
    foreignPin(before, place, reference) ??
    before.pinsByOriginal.get(place.image)
  );
}

/** The recorded pin of the same place, where the update has that pin or its original. */
function recordedPin(
  before: StoredState,
  old: ImagePlace | undefined,
  place: ImagePlace,
): OldPin | undefined {
  const pin = old === undefined ? undefined : before.pins.get(old.key);
  const same = place.image === old?.image || place.image === pin?.entry.reference;
  return same ? pin : undefined;
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
function staysAsStored({ where, immutable: job, changedBeyondPins }: Subject): boolean {
  return where.isPod || job || !changedBeyondPins;
}

function reused({ subject, place, reference }: Question): Decision | undefined {
  const pin = pinToReuse(subject.before, place, reference);
  return pin === undefined ? undefined : { act: 'reuse', pin };
}

function immutable({ subject, place, old }: Question): Decision | undefined {
  const updatesPod = subject.where.isPod && subject.before !== undefined;
  const fixed = subject.immutable || (updatesPod && place.immutableInPod && old !== undefined);
  return fixed ? { act: 'leave', outcome: 'immutable' } : undefined;
}

function onSkipList({ options, reference }: Question): Decision | undefined {
  if (!options.isSkipped(normalizedName(reference))) return undefined;
  return { act: 'leave', outcome: 'skipped', reason: 'skip_list' };
}
