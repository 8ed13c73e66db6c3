import { PinError } from '../errors.ts';
import { printableJson } from '../image/printable.ts';
import { isJsonObject, type JsonObject, listOf, objectAt, objectIn, textOf } from '../json.ts';

/** Where a kind keeps its pod template, and what an update may do to it. */
export interface Location {
  /** The `kind` as the metrics show it. */
  readonly kind: string;
  /** Steps from the object to the pod template; a Pod is its own template. */
  readonly template: readonly string[];
  readonly isPod: boolean;
  /** The API server refuses any change of an image in an update. */
  readonly immutable: boolean;
}

function location(kind: string, template: readonly string[], immutable = false): Location {
  return { kind, template, isPod: kind === 'Pod', immutable };
}

/** `group/Kind` to location. A Job's template is immutable (kubernetes KEP-2926). */
const LOCATIONS: ReadonlyMap<string, Location> = new Map([
  ['/Pod', location('Pod', [])],
  ['/PodTemplate', location('PodTemplate', ['template'])],
  ['/ReplicationController', location('ReplicationController', ['spec', 'template'])],
  ['apps/Deployment', location('Deployment', ['spec', 'template'])],
  ['apps/StatefulSet', location('StatefulSet', ['spec', 'template'])],
  ['apps/DaemonSet', location('DaemonSet', ['spec', 'template'])],
  ['apps/ReplicaSet', location('ReplicaSet', ['spec', 'template'])],
  ['batch/Job', location('Job', ['spec', 'template'], true)],
  ['batch/CronJob', location('CronJob', ['spec', 'jobTemplate', 'spec', 'template'])],
]);

/** The location of a kind, or undefined for one that holds no pod template known here. */
export function locationOf(group: string, kind: string): Location | undefined {
  return LOCATIONS.get(`${group}/${kind}`);
}

/** A pod template inside an object, with the JSON pointer that leads to it. */
export interface PodTemplate {
  /** `metadata` and `spec` together, as the API server compares them. */
  readonly whole: JsonObject;
  readonly pointer: string;
  readonly metadata: JsonObject | undefined;
  readonly annotations: JsonObject | undefined;
  readonly spec: JsonObject;
}

/** The pod template of `object`, or undefined where it has no pod spec. */
export function podTemplateOf(object: unknown, where: Location): PodTemplate | undefined {
  const whole = objectAt(object, where.template);
  const spec = objectIn(whole, 'spec');
  if (whole === undefined || spec === undefined) return undefined;
  const metadata = objectIn(whole, 'metadata');
  const annotations = objectIn(metadata, 'annotations');
  const pointer = where.template.map((step) => `/${step}`).join('');
  return { whole, spec, pointer, metadata, annotations };
}

/** One place in a pod spec that holds an image. */
export interface ImagePlace {
  /** Container name, or `volume/<name>`: unique in a pod spec, and the key of the record. */
  readonly key: string;
  readonly list: string;
  /** The text in the field; empty where the field is absent or no text. */
  readonly image: string;
  readonly pullPolicy: string | undefined;
  readonly pointer: string;
  /** False for ephemeral containers: the API server drops annotations in that subresource. */
  readonly recorded: boolean;
  /** May not change in an update of a Pod, whatever the kind allows elsewhere. */
  readonly immutableInPod: boolean;
}

interface ImageList {
  readonly list: string;
  readonly noun: string;
  readonly keyPrefix: string;
  /** The field of the list's item whose object holds the image, if not the item itself. */
  readonly holder: string | undefined;
  readonly imageField: string;
  /** Both, as a JSON pointer has them. */
  readonly field: string;
  readonly pullPolicyField: string;
  readonly recorded: boolean;
  readonly immutableInPod: boolean;
}

const CONTAINERS: ImageList = {
  list: 'containers',
  noun: 'container',
  keyPrefix: '',
  holder: undefined,
  imageField: 'image',
  field: 'image',
  pullPolicyField: 'imagePullPolicy',
  recorded: true,
  immutableInPod: false,
};

/** Every list of a pod spec that holds images. */
const IMAGE_LISTS: readonly ImageList[] = [
  CONTAINERS,
  { ...CONTAINERS, list: 'initContainers', noun: 'init container' },
  {
    ...CONTAINERS,
    list: 'ephemeralContainers',
    noun: 'ephemeral container',
    recorded: false,
    immutableInPod: true,
  },
  {
    list: 'volumes',
    noun: 'image volume',
    keyPrefix: 'volume/',
    holder: 'image',
    imageField: 'reference',
    field: 'image/reference',
    pullPolicyField: 'pullPolicy',
    recorded: true,
    immutableInPod: true,
  },
];

/**
 * About what etcd can store of the smallest containers; a review that holds more would keep all
 * others waiting for nothing.
 */
const MAX_PLACES = 5000;

/**
 * Every image of a pod template, in the order of the lists above.
 *
 * @throws PinError `review_too_large` for more images than an object could be stored with
 */
export function imagePlacesOf(template: PodTemplate): ImagePlace[] {
  const places: ImagePlace[] = [];
  for (const list of IMAGE_LISTS) {
    const items = listOf(template.spec, list.list);
    for (let index = 0; index < items.length; index += 1) {
      const place = placeIn(list, items[index], pointerOf(template, list, index));
      if (place !== undefined) places.push(place);
    }
  }
  if (places.length > MAX_PLACES) {
    const message = `The pod spec has ${places.length} images, of which at most ${MAX_PLACES} are read`;
    throw new PinError('review_too_large', message);
  }
  return places;
}

/** Of the image field of one item of a list. */
function pointerOf(template: PodTemplate, { list, field }: ImageList, index: number): string {
  return `${template.pointer}/spec/${list}/${index}/${field}`;
}

function placeIn(list: ImageList, item: unknown, pointer: string): ImagePlace | undefined {
  if (!isJsonObject(item)) return undefined;
  const holder = list.holder === undefined ? item : objectIn(item, list.holder);
  if (holder === undefined) return undefined;
  const name = textOf(item, 'name') ?? '';
  return {
    key: list.keyPrefix + name,
    list: list.list,
    image: textOf(holder, list.imageField) ?? '',
    pullPolicy: textOf(holder, list.pullPolicyField),
    pointer,
    recorded: list.recorded,
    immutableInPod: list.immutableInPod,
  };
}

/**
 * A place as a message names it: `container "web"`. A name that nobody has validated yet may hold
 * what forges a line or turns text round.
 */
export function labelOf({ list, key }: Pick<ImagePlace, 'list' | 'key'>): string {
  const { noun, keyPrefix } = IMAGE_LISTS.find((one) => one.list === list) ?? CONTAINERS;
  return `${noun} ${printableJson(key.slice(keyPrefix.length))}`;
}

/** The template with other images in some places, by their pointers; the rest is shared with it. */
export function withImages(template: PodTemplate, images: ReadonlyMap<string, string>): JsonObject {
  const spec: Record<string, unknown> = { ...template.spec };
  for (const list of IMAGE_LISTS) {
    const items = listOf(template.spec, list.list);
    if (items.length === 0) continue;
    spec[list.list] = items.map((item, index) => {
      const image = images.get(pointerOf(template, list, index));
      return image === undefined ? item : withImage(list, item, image);
    });
  }
  return { ...template.whole, spec };
}

function withImage({ holder, imageField }: ImageList, item: unknown, image: string): unknown {
  if (!isJsonObject(item)) return item;
  if (holder === undefined) return { ...item, [imageField]: image };
  return { ...item, [holder]: { ...objectIn(item, holder), [imageField]: image } };
}
