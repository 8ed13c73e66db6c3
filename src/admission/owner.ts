import { type JsonObject, objectIn, textOf } from '../json.ts';
import { controllerReference, groupOf } from '../workload/controller-reference.ts';
import type { Review } from './review.ts';

/** The controller of an object: the one owner reference that says so. */
export interface Controller {
  /** Of its `apiVersion`, without the version; empty for the core group. */
  readonly group: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
}

/** The controller that owns the object with this metadata, or undefined where none does. */
export function controllerOf(metadata: JsonObject | undefined): Controller | undefined {
  if (metadata === undefined) return undefined;
  const owner = controllerReference(metadata);
  if (owner === undefined) return undefined;
  return {
    group: groupOf(textOf(owner, 'apiVersion') ?? ''),
    kind: textOf(owner, 'kind') ?? '',
    name: textOf(owner, 'name') ?? '',
    uid: textOf(owner, 'uid') ?? '',
  };
}

/** A Pod that is being made by a controller. */
export interface OwnedPod {
  readonly namespace: string;
  readonly owner: Controller;
  readonly metadata: JsonObject;
}

/** What Kubernetes itself gives an object, and so all that a uid in a review may look like. */
const UID = /^[A-Za-z0-9-]{1,64}$/;

/** The Pod of a review that creates one for a controller; undefined for any other review. */
export function ownedPodOf({ operation, namespace, object }: Review): OwnedPod | undefined {
  if (operation !== 'CREATE') return undefined;
  const metadata = objectIn(object, 'metadata');
  const owner = controllerOf(metadata);
  if (metadata === undefined || owner === undefined || !UID.test(owner.uid)) return undefined;
  return { namespace, owner, metadata };
}
