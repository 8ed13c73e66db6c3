import { isJsonObject, type JsonObject, listOf, objectAt, sameJson, textOf } from '../json.ts';
import { MIRROR_ANNOTATION, REFRESH_ANNOTATIONS } from '../workload/annotations.ts';
import type { Location, PodTemplate } from '../workload/locations.ts';
import type { ObjectOutcome } from './policy.ts';
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
  readonly now: TemplateState;
  /** Present in an UPDATE. */
  readonly before: StoredState | undefined;
  /** Something of the template differs from what is stored; always true for a new object. */
  readonly templateChanged: boolean;
  /** And not only in that pins are to be put back. */
  readonly changedBeyondPins: boolean;
  /** Images may not change in this update (a Job's template). */
  readonly immutable: boolean;
  readonly refreshAsked: boolean;
}

/**
 * Whole objects that are never touched. A controller finds "its" object by comparing templates, so
 * rewriting an owned ReplicaSet makes a Deployment create another, for ever; a Pod is the
 * exception, as no controller of Kubernetes compares a Pod's images.
 */
export function untouched(review: Review, where: Location): ObjectOutcome | undefined {
  const metadata = objectAt(review.object, ['metadata']);
  if (!where.isPod && hasController(metadata)) return 'owned';
  const annotations = objectAt(metadata, ['annotations']);
  if (where.isPod && annotations !== undefined && MIRROR_ANNOTATION in annotations) return 'mirror';
  return textOf(metadata, 'deletionTimestamp') === undefined ? undefined : 'deleting';
}

function hasController(metadata: JsonObject | undefined): boolean {
  if (metadata === undefined) return false;
  const owners = listOf(metadata, 'ownerReferences');
  return owners.some((owner) => isJsonObject(owner) && owner['controller'] === true);
}

/** The subject of a review, or undefined for an object without a pod spec. */
export function subjectOf(review: Review, where: Location): Subject | undefined {
  const now = stateOf(review.object, where);
  if (now === undefined) return undefined;
  const before = review.operation === 'UPDATE' ? storedStateOf(review.oldObject, where) : undefined;
  const templateChanged =
    before === undefined || !sameJson(now.template.whole, before.template.whole);
  return {
    where,
    now,
    before,
    templateChanged,
    changedBeyondPins: templateChanged && (before === undefined || changesBeyondPins(now, before)),
    immutable: where.immutable && before !== undefined,
    refreshAsked:
      before !== undefined && !where.isPod && !where.immutable && asksForRefresh(now, before),
  };
}

/**
 * A refresh is asked for by a value that is new both against the stored object and against the
 * record: an undo restores record and value together, so it asks for nothing. No clock is involved.
 */
function asksForRefresh(now: TemplateState, before: TemplateState): boolean {
  const answered = (now.record ?? before.record)?.refreshed;
  return [...REFRESH_ANNOTATIONS].some(([key, annotation]) => {
    const value = textOf(now.template.annotations, annotation);
    return (
      value !== undefined &&
      value !== textOf(before.template.annotations, annotation) &&
      value !== answered?.get(key)
    );
  });
}

/** The refresh values of a template, by their keys in the record. */
export function refreshValuesOf(template: PodTemplate): Map<string, string> {
  const values = new Map<string, string>();
  for (const [key, annotation] of REFRESH_ANNOTATIONS) {
    const value = textOf(template.annotations, annotation);
    if (value !== undefined) values.set(key, value);
  }
  return values;
}
