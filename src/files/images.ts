import { PinError } from '../errors.ts';
import { imagePlacesOf, type Location, locationOf, podTemplateOf } from '../workload/locations.ts';
import type { Finding, FoundImage } from './finding.ts';
import { helmImagesIn } from './helm-values.ts';
import { isKustomization, kustomizeImagesIn } from './kustomization.ts';
import { type ManifestObject, nameOf, type ObjectName, objectsOf } from './objects.ts';
import { slotOf } from './slot.ts';
import { type Fault, type Manifest, readManifest, type Written } from './yaml.ts';

/** What is to be found beside the kinds that are known. */
export interface FindOptions {
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

/** Placeholder of injectors for the image of a sidecar: there is nothing to look up. */
const PLACEHOLDER = 'auto';

/** Finds every image of a file of Kubernetes YAML or JSON. */
export function imagesIn(text: string, options: FindOptions): FileImages {
  const manifest = readManifest(text);
  const images: FoundImage[] = [];
  const notes: Fault[] = [];
  const faults = [...manifest.faults];
  const { positionOf } = manifest;
  for (const document of manifest.documents) {
    const finding: Finding = { text, document, positionOf, images, faults, notes };
    const objects = objectsOf(document.value);
    for (const object of objects) findInObject(finding, object, options);
    if (objects.length === 0 && options.helmValues) helmImagesIn(finding);
  }
  return { manifest, images, faults, notes };
}

function findInObject(finding: Finding, object: ManifestObject, options: FindOptions): void {
  const key = `${object.group}/${object.kind}`;
  const where = options.extraKinds.get(key) ?? locationOf(object.group, object.kind);
  if (where !== undefined) findInTemplate(finding, object, where);
  else if (isKustomization(object)) kustomizeImagesIn(finding, object);
}

function findInTemplate(finding: Finding, object: ManifestObject, where: Location): void {
  const template = podTemplateOf(object.value, where);
  if (template === undefined) return;
  try {
    for (const { pointer, label } of imagePlacesOf(template)) {
      const path = [...object.path, ...pointer.split('/').slice(1)];
      const value = finding.document.at(path);
      if (value === undefined || value.value === null) continue;
      addImage(finding, { path, label, value, object: nameOf(object) });
    }
  } catch (caught) {
    if (!(caught instanceof PinError)) throw caught;
    finding.faults.push({ line: 1, column: 1, message: caught.message });
  }
}

interface Candidate {
  readonly path: readonly string[];
  readonly label: string;
  readonly value: Written;
  readonly object: ObjectName;
}

function addImage(finding: Finding, { path, label, value, object }: Candidate): void {
  const position = finding.positionOf(value.start);
  const reference = value.value;
  if (typeof reference !== 'string') {
    finding.faults.push({ ...position, message: noText(finding.text, label) });
    return;
  }
  if (reference === '' || reference === PLACEHOLDER) return;
  const slot = slotOf(finding.text, value);
  if (slot === undefined) {
    finding.faults.push({ ...position, message: `the image of ${label} is on several lines` });
    return;
  }
  const pointer = `/${path.join('/')}`;
  const where = { document: finding.document.index, object, path: pointer, label, ...position };
  finding.images.push({ ...where, reference, holds: 'reference', slot });
}

function noText(text: string, label: string): string {
  const advice = text.includes('{{') ? '; it looks like a template: render it first' : '';
  return `the image of ${label} is no text${advice}`;
}
