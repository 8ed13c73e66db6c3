import { toPinError } from '../errors.ts';
import { type JsonObject, objectIn } from '../json.ts';
import type { OnboardedCluster } from './cluster.ts';
import { type ImagePath, imagePathsIn } from './image-paths.ts';
import type { Outlook } from './outlook.ts';
import {
  groupKindOf,
  isBuiltIn,
  type OwnerReference,
  ownerReferenceOf,
} from './owner-reference.ts';

/** An object in which the digest may belong: the owner, or what owns that in turn. */
export interface OwnerSpec {
  readonly reference: OwnerReference;
  /** By image, for those that stand in it. */
  readonly paths: ReadonlyMap<string, readonly ImagePath[]>;
  /** Why it could not be read. */
  readonly problem?: string;
}

/** A controller of no built-in kind, whose Pods have images by tag. */
export interface Owner {
  readonly reference: OwnerReference;
  /** Its Pods are left alone, for it is known to compare their images. */
  readonly leftAlone: boolean;
  /** Those of its Pods that carry no digest. */
  readonly outlooks: readonly Outlook[];
  /** From the owner upwards. */
  readonly specs: readonly OwnerSpec[];
}

export interface OwnerParts {
  readonly readOwner: OnboardedCluster['owner'];
  /** `group/Kind` of those whose templates are pinned, as the operator named them. */
  readonly isExtraKind: (groupKind: string) => boolean;
}

/** Controllers of controllers: hardly any has more above it. */
const MAX_LEVELS = 4;
/** One read each, and more would make a report that nobody reads. */
const MAX_READ = 100;

/** The owners that are not built in, with where their Pods' images stand in them. Never rejects. */
export async function findOwners(
  outlooks: readonly Outlook[],
  parts: OwnerParts,
): Promise<readonly Owner[]> {
  const open = outlooks.filter(
    ({ place: { owner }, outcome }) =>
      owner !== undefined && UNPINNED.has(outcome) && !parts.isExtraKind(groupKindOf(owner)),
  );
  const byOwner = Map.groupBy(open, ({ place: { owner } }) => owner?.uid);
  const owners: Owner[] = [];
  for (const group of byOwner.values()) {
    const reference = group[0]?.place.owner;
    if (reference === undefined) continue;
    const images = new Set(group.map(({ place }) => place.image));
    owners.push({
      reference,
      leftAlone: group.some(({ outcome }) => outcome === 'foreign_owner'),
      outlooks: group,
      specs:
        owners.length < MAX_READ
          ? // oxlint-disable-next-line no-await-in-loop -- one after the other, on somebody's API server
            await specsOf(reference, images, parts)
          : [{ reference, paths: new Map(), problem: `only ${MAX_READ} owners are read` }],
    });
  }
  return owners;
}

/** Of its own template's Pods; the others say themselves that they are to be left alone. */
const UNPINNED: ReadonlySet<string> = new Set(['pinned', 'failed', 'foreign_owner']);

async function specsOf(
  first: OwnerReference,
  images: ReadonlySet<string>,
  { readOwner }: OwnerParts,
): Promise<readonly OwnerSpec[]> {
  const specs: OwnerSpec[] = [];
  let reference: OwnerReference | undefined = first;
  while (reference !== undefined && !isBuiltIn(reference) && specs.length < MAX_LEVELS) {
    // oxlint-disable-next-line no-await-in-loop -- an owner tells who owns it
    const { spec, object } = await specOf(reference, images, readOwner);
    specs.push(spec);
    reference = ownerReferenceOf(objectIn(object, 'metadata') ?? {});
  }
  return specs;
}

async function specOf(
  reference: OwnerReference,
  images: ReadonlySet<string>,
  readOwner: OnboardedCluster['owner'],
): Promise<{ readonly spec: OwnerSpec; readonly object: JsonObject | undefined }> {
  const none: ReadonlyMap<string, readonly ImagePath[]> = new Map();
  try {
    const object = await readOwner(reference);
    if (object === undefined) {
      return { spec: { reference, paths: none, problem: 'it is not there any more' }, object };
    }
    const paths = [...images]
      .map((image) => [image, imagePathsIn(object, image)] as const)
      .filter(([, found]) => found.length > 0);
    return { spec: { reference, paths: new Map(paths) }, object };
  } catch (caught) {
    const problem = toPinError(caught).message;
    return { spec: { reference, paths: none, problem }, object: undefined };
  }
}
