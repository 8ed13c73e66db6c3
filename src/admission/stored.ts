import { PinError } from '../errors.ts';
import {
  type ImageReference,
  normalizedName,
  normalizedTag,
  parseReference,
} from '../image/reference.ts';
import { type JsonObject, sameJson } from '../json.ts';
import { ORIGINALS_ANNOTATION, SKIP_ANNOTATION } from '../workload/annotations.ts';
import {
  type ImagePlace,
  imagePlacesOf,
  type Location,
  type PodTemplate,
  podTemplateOf,
  withImages,
} from '../workload/locations.ts';
import {
  countingEntry,
  type Original,
  type Originals,
  parseOriginals,
} from '../workload/originals.ts';
import { parseSkip } from '../workload/skip.ts';

/** One pod template of a review, before or after the request, with what it says of its images. */
export interface TemplateState {
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
export interface StoredState extends TemplateState {
  readonly placeLike: (place: ImagePlace) => ImagePlace | undefined;
  /** By key of the record: the pins whose entry counts. */
  readonly pins: ReadonlyMap<string, RecordedPin>;
  /** By the reference that the user wrote: the first of these pins. */
  readonly pinsByOriginal: ReadonlyMap<string, RecordedPin>;
}

/** The state of the template in `object`, or undefined where it has none. */
export function stateOf(
  object: JsonObject | undefined,
  where: Location,
): TemplateState | undefined {
  const template = podTemplateOf(object, where);
  if (template === undefined) return undefined;
  return {
    template,
    places: imagePlacesOf(template),
    record: parseOriginals(template.annotations?.[ORIGINALS_ANNOTATION]),
    skips: parseSkip(template.annotations?.[SKIP_ANNOTATION]),
  };
}

/** The same of a stored object. */
export function storedStateOf(
  object: JsonObject | undefined,
  where: Location,
): StoredState | undefined {
  const state = stateOf(object, where);
  if (state === undefined) return undefined;
  const byListAndKey = new Map<string, ImagePlace>();
  const pins = new Map<string, RecordedPin>();
  const pinsByOriginal = new Map<string, RecordedPin>();
  for (const place of state.places) {
    byListAndKey.set(`${place.list} ${place.key}`, place);
    const entry = countingEntry(state.record, place.key, place.image);
    if (entry === undefined) continue;
    const pin = { image: place.image, entry };
    pins.set(place.key, pin);
    if (!pinsByOriginal.has(entry.reference)) pinsByOriginal.set(entry.reference, pin);
  }
  const placeLike: StoredState['placeLike'] = ({ list, key }) => byListAndKey.get(`${list} ${key}`);
  return { ...state, placeLike, pins, pinsByOriginal };
}

/** Reads an image field; a name that cannot be read is a value, too. */
export function readImage(image: string): ImageReference | PinError {
  try {
    return parseReference(image);
  } catch (caught) {
    if (caught instanceof PinError) return caught;
    throw caught;
  }
}

/**
 * The stored pin that an image without a digest goes back to: its own, by the record or in the form
 * of another pinner, then that of any container with the same original.
 */
export function pinToReuse(
  before: StoredState | undefined,
  place: ImagePlace,
  reference: ImageReference,
): OldPin | undefined {
  if (before === undefined || reference.digest !== undefined) return undefined;
  const own = before.pins.get(place.key);
  if (own?.entry.reference === place.image) return own;
  return foreignPin(before, place, reference) ?? before.pinsByOriginal.get(place.image);
}

/**
 * The stored image of the same place, where it is `<name>:<tag>@<digest>` of the same name and tag:
 * the form in which other tools write pins. They fill in `latest` where the user wrote no tag; a
 * digest behind no tag answers only for a name without one, as whoever adds a tag means that tag.
 * Where a record says what the pin was made of, no other tag goes back to it.
 */
export function foreignPin(
  before: StoredState,
  place: ImagePlace,
  tagged: ImageReference,
): OldPin | undefined {
  const image = before.placeLike(place)?.image ?? '';
  const pinned = readImage(image);
  if (pinned instanceof PinError || pinned.digest === undefined) return undefined;
  const recorded = before.pins.get(place.key)?.entry.reference;
  if (recorded !== undefined && normalizedTag(parseReference(recorded)) !== normalizedTag(tagged)) {
    return undefined;
  }
  const tags = tagged.tag === undefined ? [undefined, 'latest'] : [tagged.tag];
  const same =
    tagged.digest === undefined &&
    normalizedName(pinned) === normalizedName(tagged) &&
    tags.includes(pinned.tag);
  return same ? { image, entry: undefined } : undefined;
}

/**
 * Whether a changed template differs in more than that pins are to be put back: a file that is
 * applied again brings its tags, and lacks the record, and asks for nothing.
 */
export function changesBeyondPins(now: TemplateState, before: StoredState): boolean {
  const { template } = now;
  const images = new Map<string, string>();
  for (const place of now.places) {
    const reference = readImage(place.image);
    const pin = reference instanceof PinError ? undefined : pinToReuse(before, place, reference);
    if (pin !== undefined) images.set(place.pointer, pin.image);
  }
  const restored = withRecord(withImages(template, images), template, before);
  return !sameJson(restored, before.template.whole);
}

/** With the stored record, where the update has dropped it. */
function withRecord(whole: JsonObject, now: PodTemplate, before: StoredState): JsonObject {
  const record = before.template.annotations?.[ORIGINALS_ANNOTATION];
  if (record === undefined || now.annotations?.[ORIGINALS_ANNOTATION] !== undefined) return whole;
  const annotations = { ...now.annotations, [ORIGINALS_ANNOTATION]: record };
  return { ...whole, metadata: { ...now.metadata, annotations } };
}
