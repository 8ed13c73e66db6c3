import { objectIn, sameJson, textOf } from '../json.ts';
import { MIRROR_ANNOTATION } from '../workload/annotations.ts';
import type { Location } from '../workload/locations.ts';
import { type Controller, controllerOf, type OwnedPod, ownedPodOf } from './owner.ts';
import type { ObjectOutcome } from './policy.ts';
import type { PullIdentity } from './ports.ts';
import { pullIdentityOf } from './pull-identity.ts';
import { asksForRefresh, type RefreshPolicy, refreshPolicyOf } from './refresh.ts';
import type { Review } from './review.ts';
import {
  changesBeyondPins,
  type StoredState,
  stateOf,
  storedStateOf,
  type TemplateState,
} from './stored.ts';

/** What a review is about: the template that is to be stored, and the one that is. */
export interface Subject {
  readonly where: Location;
  /** Present where a controller makes a Pod. */
  readonly ownedPod: OwnedPod | undefined;
  /** Whose credentials its images are looked up with. */
  readonly identity: PullIdentity;
  readonly now: TemplateState;
  /** Present in an UPDATE. */
  readonly before: StoredState | undefined;
  /** Something of the template differs from what is stored; always true for a new object. */
  readonly templateChanged: boolean;
  /** And not only in that pins are to be put back. */
  readonly changedBeyondPins: boolean;
  /** Images may not change in this update (a Job's template). */
  readonly immutable: boolean;
  readonly refreshPolicy: RefreshPolicy;
  readonly refreshAsked: boolean;
}

/** The operator's part in which objects are never touched. */
export interface UntouchedOptions {
  /** True for a controller that compares its Pods' images, and makes anew what differs. */
  readonly isForeignOwner: (owner: Controller) => boolean;
}

/**
 * Whole objects that are never touched. A controller finds "its" object by comparing templates, so
 * rewriting an owned ReplicaSet makes a Deployment create another, for ever. No controller of
 * Kubernetes compares a Pod's images; some operators do.
 */
export function untouched(
  review: Review,
  where: Location,
  { isForeignOwner }: UntouchedOptions,
): ObjectOutcome | undefined {
  const metadata = objectIn(review.object, 'metadata');
  const owner = controllerOf(metadata);
  if (!where.isPod && owner !== undefined) return 'owned';
  const annotations = objectIn(metadata, 'annotations');
  if (where.isPod && annotations !== undefined && MIRROR_ANNOTATION in annotations) return 'mirror';
  if (textOf(metadata, 'deletionTimestamp') !== undefined) return 'deleting';
  return owner !== undefined && isForeignOwner(owner) ? 'foreign_owner' : undefined;
}

/** The subject of a review, or undefined for an object without a pod spec. */
export function subjectOf(
  review: Review,
  where: Location,
  standardPolicy: RefreshPolicy,
): Subject | undefined {
  const now = stateOf(review.object, where);
  if (now === undefined) return undefined;
  const before = review.operation === 'UPDATE' ? storedStateOf(review.oldObject, where) : undefined;
  const templateChanged =
    before === undefined || !sameJson(now.template.whole, before.template.whole);
  const changedBeyondPins =
    templateChanged && (before === undefined || changesBeyondPins(now, before));
  const refreshPolicy = refreshPolicyOf(now, standardPolicy);
  const canRefresh = before !== undefined && !where.isPod && !where.immutable;
  return {
    where,
    ownedPod: where.isPod ? ownedPodOf(review) : undefined,
    identity: pullIdentityOf(review.namespace, where, now.template),
    now,
    before,
    templateChanged,
    changedBeyondPins,
    immutable: where.immutable && before !== undefined,
    refreshPolicy,
    refreshAsked: canRefresh && asksForRefresh(refreshPolicy, { now, before, changedBeyondPins }),
  };
}
