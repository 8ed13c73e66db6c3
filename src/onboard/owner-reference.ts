import { type JsonObject, textOf } from '../json.ts';
import { controllerReference, groupOf } from '../workload/controller-reference.ts';
import { locationOf } from '../workload/locations.ts';

/** The controller of an object, as the object names it. Whoever made the object wrote this. */
export interface OwnerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
}

/** The one owner reference that says it is the controller's, or undefined where none does. */
export function ownerReferenceOf(metadata: JsonObject): OwnerReference | undefined {
  const found = controllerReference(metadata);
  if (found === undefined) return undefined;
  return {
    apiVersion: textOf(found, 'apiVersion') ?? '',
    kind: textOf(found, 'kind') ?? '',
    name: textOf(found, 'name') ?? '',
    uid: textOf(found, 'uid') ?? '',
  };
}

/** `group/Kind`, as tables and flags have kinds; the core group is empty. */
export function groupKindOf({ apiVersion, kind }: OwnerReference): string {
  return `${groupOf(apiVersion)}/${kind}`;
}

export function isBuiltIn({ apiVersion, kind }: OwnerReference): boolean {
  return locationOf(groupOf(apiVersion), kind) !== undefined;
}
