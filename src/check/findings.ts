import type { FoundImage } from '../files/finding.ts';
import { type FindOptions, imagesIn } from '../files/images.ts';
import type { Fault, ManifestDocument, Position } from '../files/manifest.ts';
import { type ManifestObject, nameOf, type ObjectName, objectsOf } from '../files/objects.ts';
import { readReference } from '../image/read-reference.ts';
import {
  POLICY_LISTS,
  passesPolicy,
  policyMessage,
  policyViolations,
} from '../workload/digest-policy.ts';
import type { Constraint } from './constraint.ts';

/** An image that a constraint refuses. */
export interface Finding extends Position {
  readonly file: string;
  /** The document of the file, from 1. */
  readonly document: number;
  readonly object: ObjectName;
  /** JSON pointer to the image inside of the document. */
  readonly path: string;
  readonly message: string;
  readonly constraint: string | undefined;
  readonly denies: boolean;
}

/** What is judged, and by whom. */
export interface CheckRules {
  readonly constraints: readonly Constraint[];
  /** All locations, and digests of their full length. */
  readonly strict: boolean;
  /** The namespace of objects that name none. */
  readonly namespace: string;
  readonly find: FindOptions;
}

/** The verdicts on one file. */
export interface CheckedFile {
  readonly file: string;
  readonly findings: readonly Finding[];
  /** Why parts of the file were not judged. */
  readonly faults: readonly Fault[];
  /** Kinds of the unpinned images that the policy does not look at; one entry an image. */
  readonly unexamined: readonly string[];
  readonly images: number;
}

/** Judges one file. */
export function checkText(file: string, text: string, rules: CheckRules): CheckedFile {
  const { manifest, images, faults } = imagesIn(text, rules.find);
  const byObject = Map.groupBy(images, keyOf);
  const findings = manifest.documents.flatMap((document) =>
    judgedObjects(document, byObject).flatMap((judged) =>
      rules.constraints
        .filter(({ matches }) => matches(judged.object, rules.namespace))
        .flatMap((constraint) => {
          const { name, denies } = constraint;
          return refusalsOf(judged, constraint, rules.strict).map(({ path, message }) => ({
            file,
            document: document.index,
            object: judged.name,
            ...manifest.positionOf(document.at(path)?.start ?? 0),
            path: pointer(path),
            message,
            constraint: name,
            denies,
          }));
        }),
    ),
  );
  const unexamined = rules.strict ? [] : images.filter((image) => isOverlooked(image, rules));
  const kinds = unexamined.map(({ object }) => object.kind);
  return { file, findings, faults, unexamined: kinds, images: images.length };
}

function judgedObjects(
  document: ManifestDocument,
  byObject: ReadonlyMap<string, readonly FoundImage[]>,
): Judged[] {
  const objects = objectsOf(document.value);
  // Values of a chart are no object, and are judged as one of that kind.
  const values: ManifestObject = { group: '', kind: 'Values', value: {}, path: [] };
  return (objects.length === 0 ? [values] : objects).map((object) => {
    const name = nameOf(object);
    const images = byObject.get(keyOf({ document: document.index, object: name })) ?? [];
    return { document, object, name, images };
  });
}

function keyOf({ document, object }: Pick<FoundImage, 'document' | 'object'>): string {
  return `${document}${object.pointer}`;
}

interface Judged {
  readonly document: ManifestDocument;
  readonly object: ManifestObject;
  readonly name: ObjectName;
  readonly images: readonly FoundImage[];
}

interface Refusal {
  readonly path: readonly string[];
  readonly message: string;
}

function refusalsOf(
  { document, object, images }: Judged,
  { isExempt }: Constraint,
  strict: boolean,
): readonly Refusal[] {
  const byPolicy = policyViolations(object.value, isExempt).map(({ path, message }) => ({
    path: [...object.path, ...path],
    message,
  }));
  if (!strict) return byPolicy;
  const told = new Set(byPolicy.map(({ path }) => pointer(path)));
  const others = images.flatMap((image) => {
    if (told.has(image.path) || isExempt(image.reference)) return [];
    const message = strictMessage(document, image);
    return message === undefined ? [] : [{ path: image.path.split('/').slice(1), message }];
  });
  return [...byPolicy, ...others];
}

/** Why an image fails the strict check; undefined for one with a whole digest. */
function strictMessage(document: ManifestDocument, image: FoundImage): string | undefined {
  const { reference } = image;
  if (readReference(reference)?.digest !== undefined) return undefined;
  const [noun, name] = nounOf(document, image);
  if (!passesPolicy(reference)) return policyMessage(noun, name, reference);
  return `${noun} <${name}> uses an image with a malformed reference or digest <${reference}>`;
}

/** Containers are named as the policy names them; other places by the last part of their label. */
function nounOf(document: ManifestDocument, { path, label }: FoundImage): [string, string] {
  const steps = path.split('/').slice(1);
  const noun = POLICY_LISTS.get(steps.at(-3) ?? '');
  const name = document.at([...steps.slice(0, -1), 'name'])?.value;
  if (noun !== undefined) return [noun, typeof name === 'string' ? name : ''];
  const [, what = label, quoted = ''] = /^(.*) "(.*)"$/.exec(label) ?? [];
  return [what, quoted];
}

function pointer(path: readonly string[]): string {
  return path.map((step) => `/${step}`).join('');
}

/** An unpinned image where the policy does not look, and which not every constraint exempts. */
function isOverlooked({ object, path, reference }: FoundImage, rules: CheckRules): boolean {
  const [first, list = '', ...rest] = path.slice(object.pointer.length).split('/').slice(1);
  const isSeen = first === 'spec' && POLICY_LISTS.has(list) && rest.length === 2;
  return (
    !isSeen &&
    !passesPolicy(reference) &&
    !rules.constraints.every(({ isExempt }) => isExempt(reference))
  );
}
