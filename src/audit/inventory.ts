import { PinError } from '../errors.ts';
import { readReference } from '../image/read-reference.ts';
import { spelledName } from '../image/reference.ts';
import { type JsonObject, objectIn, textOf } from '../json.ts';
import { ORIGINALS_ANNOTATION } from '../workload/annotations.ts';
import { controllerReference } from '../workload/controller-reference.ts';
import {
  type ImagePlace,
  imagePlacesOf,
  labelOf,
  locationOf,
  type PodTemplate,
  podTemplateOf,
} from '../workload/locations.ts';
import { parseOriginals } from '../workload/originals.ts';
import { imageIdsOf, type RunningImage } from './running.ts';
import { accountOf, originalOf, type Use, type Workload } from './use.ts';

/** An object as the API server lists it. */
export interface ListedObject {
  readonly group: string;
  readonly kind: string;
  readonly object: JsonObject;
}

/**
 * What a cluster runs, put together from its objects one by one: owners must come before what they
 * own, Pods last. Keeps one entry for each image of each workload, however many Pods there are.
 */
export class Inventory {
  readonly #owners = new Map<string, Workload>();
  readonly #uses = new Map<string, CountedUse>();
  readonly #running = new Map<string, RunningImage>();
  #unread = 0;

  /** Objects of kinds without a pod template say nothing of images. */
  add({ group, kind, object }: ListedObject): void {
    const where = locationOf(group, kind);
    const template = where && podTemplateOf(object, where);
    if (where === undefined || template === undefined) return;
    const metadata = objectIn(object, 'metadata') ?? {};
    const owner = this.#ownerOf(metadata);
    const workload = owner ?? nameOf(metadata, kind);
    this.#owners.set(ownerKey(metadata, metadata), workload);
    const { isPod } = where;
    // What a controller made of a template says nothing new, until it is a Pod.
    if (owner === undefined || isPod) {
      this.#addImages({ workload, isPod, inTemplate: owner === undefined, object, template });
    }
  }

  /** By workload, in the order in which they came. */
  get uses(): readonly Use[] {
    return [...this.#uses.values()];
  }

  get running(): readonly RunningImage[] {
    return [...this.#running.values()];
  }

  /** How many objects had more images than are read. */
  get unread(): number {
    return this.#unread;
  }

  #ownerOf(metadata: JsonObject): Workload | undefined {
    const controller = controllerReference(metadata);
    if (controller === undefined) return undefined;
    const known = this.#owners.get(ownerKey(metadata, controller));
    return (
      known ?? {
        namespace: textOf(metadata, 'namespace') ?? '',
        kind: textOf(controller, 'kind') ?? '',
        name: textOf(controller, 'name') ?? '',
      }
    );
  }

  #addImages({ workload, isPod, inTemplate, object, template }: Found): void {
    const record = parseOriginals(template.annotations?.[ORIGINALS_ANNOTATION]);
    const account = accountOf(workload.namespace, template);
    const ids = isPod ? imageIdsOf(object) : undefined;
    for (const { list, key, image } of this.#placesOf(template)) {
      const use = this.#useOf({
        workload,
        place: labelOf({ list, key }),
        image,
        original: originalOf(record, key, image),
        inTemplate: false,
        pods: 0,
        account,
      });
      use.inTemplate ||= inTemplate;
      use.pods += isPod ? 1 : 0;
      if (ids !== undefined) this.#addRunning(image, ids.get(key));
    }
  }

  #placesOf(template: PodTemplate): readonly ImagePlace[] {
    try {
      return imagePlacesOf(template);
    } catch (caught) {
      if (!(caught instanceof PinError)) throw caught;
      this.#unread += 1;
      return [];
    }
  }

  /** The one that is counted already, or this one. */
  #useOf(use: CountedUse): CountedUse {
    const { workload, place, image } = use;
    const { namespace, kind, name } = workload;
    const key = [namespace, kind, name, place, image].join('\n');
    const known = this.#uses.get(key) ?? use;
    this.#uses.set(key, known);
    return known;
  }

  #addRunning(image: string, imageId: string | undefined): void {
    const reference = readReference(image);
    if (reference === undefined) return;
    // A node tells the repository under which it saw the digest first: the digest alone is this image's.
    const digest = reference.digest ?? readReference(imageId ?? '')?.digest;
    const name = spelledName(image);
    this.#running.set(`${name}@${digest}`, { name, digest });
  }
}

type CountedUse = { -readonly [Field in keyof Use]: Use[Field] };

interface Found {
  readonly workload: Workload;
  readonly isPod: boolean;
  readonly inTemplate: boolean;
  readonly object: JsonObject;
  readonly template: PodTemplate;
}

/** Nobody owns what is in another namespace: who says so wants its name, or its pull secrets. */
function ownerKey({ namespace }: JsonObject, { uid }: JsonObject): string {
  return JSON.stringify([namespace, uid]);
}

function nameOf(metadata: JsonObject, kind: string): Workload {
  const name = textOf(metadata, 'name') ?? '';
  return { namespace: textOf(metadata, 'namespace') ?? '', kind, name };
}
