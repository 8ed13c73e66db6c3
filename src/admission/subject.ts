import { isJsonObject, type JsonObject, listOf, objectAt, sameJson, textOf } from '../json.ts';
import {
  MIRROR_ANNOTATION,
  ORIGINALS_ANNOTATION,
  REFRESH_ANNOTATIONS,
  SKIP_ANNOTATION,
} from '../workload/annotations.ts';
import {
  type ImagePlace,
  imagePlacesOf,
  type Location,
  type PodTemplate,
  podTemplateOf,
} from '../workload/locations.ts';
import { counts, type Original, type Originals, parseOriginals } from '../workload/originals.ts';
import { parseSkip } from '../workload/skip.ts';
import type { ObjectOutcome } from './policy.ts';
import type { Review } from './review.ts';

/** One pod template of a review, before or after the request, with what it says of its images. */
interface TemplateState {
  readonly template: PodTemplate;
  readonly places: readonly ImagePlace[];
  readonly record: Originals | undefined;
  /** The skip annotation names the image of this key, or all of them. */
  readonly skips: (key: string) => boolean;
}

/** A pin that is in the stored object, and its entry in the record where it has one. */
export interface OldPin {
  readonly image: string;
  readonly entry: Original | undefined;
}

/** A pin whose original is known. */
interface RecordedPin extends OldPin {
  readonly entry: Original;
}

/**
 * The template that is stored, indexed. An object may have thousands of images: to go through all
 * of them for each of them would keep every other review waiting for seconds.
 */
interface StoredState extends TemplateState {
  readonly placeLike: (place: ImagePlace) => ImagePlace | undefined;
  /** By key of the record: the pins whose entry counts. */
  readonly pins: ReadonlyMap<string, RecordedPin>;
  /** By the reference that the user wrote: the first of these pins. */
  readonly pinsByOriginal: ReadonlyMap<string, RecordedPin>;
}

/** What a review is about: the template that is to be stored, and the one that is. */
export interface Subject {
  readonly where: Location;
  readonly now: TemplateState;
  /** Present in an UPDATE. */
  readonly before: StoredState | undefined;
  /** Something of the template differs from what is stored; always true for a new object. */
  readonly templateChanged: boolean;
  /** Images may not change in this update (a Job's template). */
  readonly immutable: boolean;
  readonly refreshAsked: boolean;
}

/**
 * Whole objects that are never touched. A controller finds "its" object by comparing templates, so
 * rewriting an owned ReplicaSet makes a Deployment create another, for ever; a Pod is the
 * exception, as no controller of Kubernetes compares a Pod's images.
 */
export function untouched(review: Review, where: Location): ObjectOutcome | undefined {
  const metadata = objectAt(review.object, ['metadata']);
  if (!where.isPod && hasController(metadata)) return 'owned';
  const annotations = objectAt(metadata, ['annotations']);
  if (where.isPod && annotations !== undefined && MIRROR_ANNOTATION in annotations) return 'mirror';
  return textOf(metadata, 'deletionTimestamp') === undefined ? undefined : 'deleting';
}

function hasController(metadata: JsonObject | undefined): boolean {
  if (metadata === undefined) return false;
  const owners = listOf(metadata, 'ownerReferences');
  return owners.some((owner) => isJsonObject(owner) && owner['controller'] === true);
}

/** The subject of a review, or undefined for an object without a pod spec. */
export function subjectOf(review: Review, where: Location): Subject | undefined {
  const now = stateOf(review.object, where);
  if (now === undefined) return undefined;
  const before = review.operation === 'UPDATE' ? storedStateOf(review.oldObject, where) : undefined;
  return {
    where,
    now,
    before,
    templateChanged: before === undefined || !sameJson(now.template.whole, before.template.whole),
    immutable: where.immutable && before !== undefined,
    refreshAsked:
      before !== undefined && !where.isPod && !where.immutable && asksForRefresh(now, before),
  };
}

function stateOf(object: JsonObject | undefined, where: Location): TemplateState | undefined {
  const template = podTemplateOf(object, where);
  if (template === undefined) return undefined;
  return {
    template,
    places: imagePlacesOf(template),
    record: parseOriginals(template.annotations?.[ORIGINALS_ANNOTATION]),
    skips: parseSkip(template.annotations?.[SKIP_ANNOTATION]),
  };
}

function storedStateOf(object: JsonObject | undefined, where: Location): StoredState | undefined {
  const state = stateOf(object, where);
  if (state === undefined) return undefined;
  const byListAndKey = new Map<string, ImagePlace>();
  const pins = new Map<string, RecordedPin>();
  const pinsByOriginal = new Map<string, RecordedPin>();
  for (const place of state.places) {
    byListAndKey.set(`${place.list} ${place.key}`, place);
    const entry = state.record?.entries.get(place.key);
    if (!counts(entry, place.image)) continue;
    const pin = { image: place.image, entry };
    pins.set(place.key, pin);
    if (!pinsByOriginal.has(entry.reference)) pinsByOriginal.set(entry.reference, pin);
  }
  const placeLike: StoredState['placeLike'] = ({ list, key }) => byListAndKey.get(`${list} ${key}`);
  return { ...state, placeLike, pins, pinsByOriginal };
}

/**
 * A refresh is asked for by a value that is new both against the stored object and against the
 * record: an undo restores record and value together, so it asks for nothing. No clock is involved.
 */
function asksForRefresh(now: TemplateState, before: TemplateState): boolean {
  const answered = (now.record ?? before.record)?.refreshed;
  return [...REFRESH_ANNOTATIONS].some(([key, annotation]) => {
    const value = textOf(now.template.annotations, annotation);
    return (
      value !== undefined &&
      value !== textOf(before.template.annotations, annotation) &&
      value !== answered?.get(key)
    );
  });
}

/** The refresh values of a template, by their keys in the record. */
export function refreshValuesOf(template: PodTemplate): Map<string, string> {
  const values = new Map<string, string>();
  for (const [key, annotation] of REFRESH_ANNOTATIONS) {
    const value = textOf(template.annotations, annotation);
    if (value !== undefined) values.set(key, value);
  }
  return values;
}
