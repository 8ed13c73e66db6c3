import type { ListedObject } from '../audit/inventory.ts';
import { imageIdsOf } from '../audit/running.ts';
import type { Workload } from '../audit/use.ts';
import { PinError } from '../errors.ts';
import { readReference } from '../image/read-reference.ts';
import { isJsonObject, type JsonObject, listOf, objectIn, textOf } from '../json.ts';
import {
  type ImagePlace,
  imagePlacesOf,
  type Location,
  labelOf,
  locationOf,
  type PodTemplate,
  podTemplateOf,
} from '../workload/locations.ts';
import { nameOf } from '../workload/object-name.ts';
import { isBuiltIn, type OwnerReference, ownerReferenceOf } from './owner-reference.ts';
import { addPod, type Place } from './place.ts';

/** An object of which it is to be told what the webhook would do with it. */
export interface Candidate {
  readonly group: string;
  readonly kind: string;
  readonly where: Location;
  readonly object: JsonObject;
  /** By container name, or `volume/<name>`; what is not here was told of another object. */
  readonly places: ReadonlyMap<string, Place>;
  readonly next: Place['next'];
}

/** What stands at the top of a Pod's owners, as far as they are of built-in kinds. */
interface Root {
  readonly workload: Workload;
  /** What owns it, where that is of no built-in kind. */
  readonly owner: OwnerReference | undefined;
}

interface Seen {
  readonly listed: ListedObject;
  readonly where: Location;
  readonly template: PodTemplate;
  readonly root: Root;
  readonly isOwned: boolean;
}

/**
 * What a namespace runs, put together from its objects one by one: owners must come before what they
 * own, Pods last. Keeps one entry for each image of each workload, however many Pods there are.
 */
export class Census {
  readonly #roots = new Map<string, Root>();
  readonly #places = new Map<string, Place>();
  readonly #candidates: Candidate[] = [];
  #pods = 0;
  #templates = 0;
  #unread = 0;

  add(listed: ListedObject): void {
    const { group, kind, object } = listed;
    const where = locationOf(group, kind);
    const template = where && podTemplateOf(object, where);
    if (where === undefined || template === undefined) return;
    const metadata = objectIn(object, 'metadata') ?? {};
    const owner = ownerReferenceOf(metadata);
    const root = this.#rootOf(metadata, kind, owner);
    this.#roots.set(textOf(metadata, 'uid') ?? '', root);
    if (isOver(object)) return;
    const isOwned = owner !== undefined;
    this.#count(where, isOwned);
    const seen = { listed, where, template, root, isOwned };
    if (!isCopy(seen)) this.#addImages(seen);
  }

  /** By workload, in the order in which they came. */
  get candidates(): readonly Candidate[] {
    return this.#candidates;
  }

  /** Live Pods, and templates that nobody owns. */
  get counts(): { readonly pods: number; readonly templates: number } {
    return { pods: this.#pods, templates: this.#templates };
  }

  /** How many objects had more images than are read. */
  get unread(): number {
    return this.#unread;
  }

  #rootOf(metadata: JsonObject, kind: string, owner: OwnerReference | undefined): Root {
    const namespace = textOf(metadata, 'namespace') ?? '';
    if (owner === undefined) {
      const name = textOf(metadata, 'name') ?? '';
      return { workload: { namespace, kind, name }, owner: undefined };
    }
    const known = this.#roots.get(owner.uid);
    if (known !== undefined) return known;
    const workload = { namespace, kind: owner.kind, name: owner.name };
    return { workload, owner: isBuiltIn(owner) ? undefined : owner };
  }

  #count({ isPod }: Location, isOwned: boolean): void {
    if (isPod) this.#pods += 1;
    else if (!isOwned) this.#templates += 1;
  }

  #addImages({ listed, where, template, root, isOwned }: Seen): void {
    const { isPod, immutable } = where;
    const next = isPod || immutable || isOwned ? 'pod' : 'rollout';
    const told = isPod ? imageIdsOf(listed.object) : undefined;
    const places = new Map<string, Place>();
    for (const { list, key, image } of this.#placesOf(template)) {
      const label = labelOf({ list, key });
      const { place, isNew } = this.#placeOf({ ...root, label, image, next });
      if (isNew) places.set(key, place);
      // A node tells the repository under which it saw the digest first: the digest alone is this image's.
      if (told) addPod(place, nameOf(listed.object), readReference(told.get(key) ?? '')?.digest);
    }
    if (places.size > 0) this.#candidates.push({ ...listed, where, places, next });
  }

  #placeOf(asked: Omit<Place, 'pods' | 'running'>): { place: Place; isNew: boolean } {
    const { workload, owner, label, image } = asked;
    const id = [workload.kind, workload.name, owner?.uid, label, image].join('\n');
    const known = this.#places.get(id);
    if (known !== undefined) return { place: known, isNew: false };
    const place = { ...asked, pods: 0, running: new Map() };
    this.#places.set(id, place);
    return { place, isNew: true };
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
}

const ENDED_PHASES: ReadonlySet<string> = new Set(['Succeeded', 'Failed']);
const ENDED_CONDITIONS: ReadonlySet<string> = new Set(['Complete', 'Failed']);

/** A Pod or a Job that has ended, and what is being deleted: nothing is made of it any more. */
function isOver(object: JsonObject): boolean {
  const metadata = objectIn(object, 'metadata');
  if (textOf(metadata, 'deletionTimestamp') !== undefined) return true;
  const status = objectIn(object, 'status') ?? {};
  if (ENDED_PHASES.has(textOf(status, 'phase') ?? '')) return true;
  return listOf(status, 'conditions')
    .filter(isJsonObject)
    .some(({ type, status: is }) => ENDED_CONDITIONS.has(String(type)) && is === 'True');
}

/**
 * What a controller made of its template says nothing new, until it is a Pod; that of somebody else's
 * kind is all that is seen of it while no Pod is there.
 */
function isCopy({ listed, where, root, isOwned }: Seen): boolean {
  if (!isOwned || where.isPod) return false;
  return root.owner === undefined || objectIn(listed.object, 'spec')?.['replicas'] === 0;
}
