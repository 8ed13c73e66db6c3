import { PinError } from '../errors.ts';
import {
  imagePlacesOf,
  type Location,
  labelOf,
  locationOf,
  podTemplateOf,
} from '../workload/locations.ts';
import type { Finding, FoundImage } from './finding.ts';
import { helmImagesIn } from './helm-values.ts';
import { isKustomization, kustomizeImagesIn } from './kustomization.ts';
import type { Fault, Manifest, Written } from './manifest.ts';
import { type ManifestObject, nameOf, type ObjectName, objectsOf } from './objects.ts';
import { slotOf } from './slot.ts';
import { readManifest } from './yaml.ts';

/** What is to be found beside the kinds that are known. */
export interface FindOptions {
  /** Parse all documents, those that can hold no image too: their faults are faults of the file. */
  readonly readsAll: boolean;
  /** By `group/Kind`: see {@link parseExtraKind}. */
  readonly extraKinds: ReadonlyMap<string, Location>;
  readonly helmValues: boolean;
}

/** All that is known of the images of a file. */
export interface FileImages {
  readonly manifest: Manifest;
  readonly images: readonly FoundImage[];
  /** Why parts of the file cannot be read. */
  readonly faults: readonly Fault[];
  /** What a reader should know, and is no fault. */
  readonly notes: readonly Fault[];
}

/** Finds every image of a file of Kubernetes YAML or JSON. */
export function imagesIn(text: string, options: FindOptions): FileImages {
  const manifest = readManifest(text, options.readsAll ? undefined : mayHoldImage);
  const images: FoundImage[] = [];
  const notes: Fault[] = [];
  const faults = [...manifest.faults];
  const { positionOf } = manifest;
  for (const document of manifest.documents) {
    const finding: Finding = { text, document, positionOf, images, faults, notes };
    const objects = objectsOf(document.value);
    settle(
      finding,
      objects.flatMap((object) => findInObject(finding, object, options)),
    );
    if (objects.length === 0 && options.helmValues) helmImagesIn(finding);
  }
  return { manifest, images, faults, notes };
}

/**
 * Whether a document can hold an image, as far as its text tells: each stands below a key `image`, or
 * `images`, or in Helm values `repository`, and a key is written out unless a backslash escapes it.
 * What a template will print, nobody knows.
 */
function mayHoldImage(document: string): boolean {
  return HINTS.some((hint) => document.includes(hint));
}

const HINTS = ['image', 'repository', '\\', '{{'];

function findInObject(
  finding: Finding,
  object: ManifestObject,
  options: FindOptions,
): readonly Candidate[] {
  const key = `${object.group}/${object.kind}`;
  const where = options.extraKinds.get(key) ?? locationOf(object.group, object.kind);
  if (where !== undefined) return candidatesIn(finding, object, where);
  if (isKustomization(object)) kustomizeImagesIn(finding, object);
  return [];
}

/** A field of a pod spec that holds an image. */
interface Candidate {
  readonly path: readonly string[];
  readonly label: string;
  readonly value: Written;
  readonly object: ObjectName;
}

function candidatesIn(finding: Finding, object: ManifestObject, where: Location): Candidate[] {
  const template = podTemplateOf(object.value, where);
  if (template === undefined) return [];
  try {
    return imagePlacesOf(template).flatMap(({ pointer, list, key }) => {
      const path = [...object.path, ...pointer.split('/').slice(1)];
      const value = finding.document.at(path);
      const isEmpty = value === undefined || value.value === null || value.value === '';
      // A placeholder of injectors for the image of a sidecar: there is nothing to look up.
      if (isEmpty || value.value === 'auto') return [];
      return [{ path, label: labelOf({ list, key }), value, object: nameOf(object) }];
    });
  } catch (caught) {
    if (!(caught instanceof PinError)) throw caught;
    finding.faults.push({ line: 1, column: 1, message: caught.message });
    return [];
  }
}

/**
 * An alias of another image follows that one. Any other alias is replaced itself: what it stands
 * for may be a label, or the tag of something else.
 */
function settle(finding: Finding, candidates: readonly Candidate[]): void {
  const own = new Set(candidates.map(({ value }) => value.start));
  for (const { path, label, value, object } of candidates) {
    const { target } = value;
    const edited = target !== undefined && own.has(target.start) ? target : value;
    const position = finding.positionOf(value.start);
    const isText = typeof value.value === 'string' && !isTemplate(value.value);
    const slot = isText ? slotOf(finding.text, edited) : undefined;
    if (slot === undefined || typeof value.value !== 'string') {
      finding.faults.push({ ...position, message: unreadable(finding.text, label, value) });
      continue;
    }
    const { index } = finding.document;
    const where = { document: index, object, path: `/${path.join('/')}`, label, ...position };
    finding.images.push({ ...where, reference: value.value, holds: 'reference', slot });
  }
  noteFollowers(finding, candidates);
}

/** Says where an anchored image takes something along that is none. */
function noteFollowers(finding: Finding, candidates: readonly Candidate[]): void {
  const own = new Set(candidates.map(({ value }) => value.start));
  const anchored = candidates.filter(({ value }) => value.isAnchored);
  for (const start of new Set(anchored.map(({ value }) => value.start))) {
    for (const alias of finding.document.aliasesOf(start)) {
      if (own.has(alias)) continue;
      const message = 'this alias of an image changes with it, and is no image itself';
      finding.notes.push({ ...finding.positionOf(alias), message });
    }
  }
}

/** What Helm or the like will fill in is no image before that. */
function isTemplate(image: string): boolean {
  return image.includes('{{');
}

function unreadable(text: string, label: string, { value }: Written): string {
  if (typeof value === 'string' && isTemplate(value)) {
    return `the image of ${label} looks like a template: render it first`;
  }
  if (typeof value === 'string') return `the image of ${label} is on several lines`;
  const advice = text.includes('{{') ? '; it looks like a template: render it first' : '';
  return `the image of ${label} is no text${advice}`;
}
