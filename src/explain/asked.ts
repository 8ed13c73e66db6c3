import { pullIdentityOf } from '../admission/pull-identity.ts';
import type { Review } from '../admission/review.ts';
import { type JsonObject, listOf, objectIn, textOf } from '../json.ts';
import { EXPLAIN_ANNOTATION } from '../workload/annotations.ts';
import { imagePlacesOf, locationOf, podTemplateOf } from '../workload/locations.ts';
import type { PullIdentity } from './identity.ts';

/** Who asks the API server, as it has authenticated them (`UserInfo` of authentication.k8s.io/v1). */
export interface Caller {
  readonly username: string;
  readonly uid: string | undefined;
  readonly groups: readonly string[];
  readonly extra: Readonly<Record<string, readonly string[]>>;
}

/** What the dry run of a Pod asks for. */
export interface AskedExplanation {
  readonly caller: Caller;
  readonly image: string;
  /** The JSON pointer of the image in the Pod. */
  readonly pointer: string;
  readonly identity: PullIdentity;
}

/**
 * What a review asks to be explained: the image of the container that the annotation of a Pod names,
 * where the Pod is created in a dry run. Undefined for all others, whatever their annotations.
 */
export function askedIn(review: Review): AskedExplanation | undefined {
  const { userInfo, operation, group, kind, subResource, namespace, object } = review;
  const isCreated = operation === 'CREATE' && subResource === '';
  const where = kind === 'Pod' ? locationOf(group, kind) : undefined;
  if (userInfo === undefined || !isCreated || where === undefined) return undefined;
  const pod = podTemplateOf(object, where);
  const name = textOf(pod?.annotations, EXPLAIN_ANNOTATION);
  if (pod === undefined || name === undefined) return undefined;
  const place = imagePlacesOf(pod).find(({ key }) => key === name);
  const caller = callerIn(userInfo);
  if (place === undefined || caller === undefined) return undefined;
  const { image, pointer } = place;
  return { caller, image, pointer, identity: pullIdentityOf(namespace, where, pod) };
}

function callerIn(userInfo: JsonObject): Caller | undefined {
  const username = textOf(userInfo, 'username');
  if (username === undefined || username === '') return undefined;
  const extra = Object.entries(objectIn(userInfo, 'extra') ?? {});
  return {
    username,
    uid: textOf(userInfo, 'uid'),
    groups: listOf(userInfo, 'groups').filter(isText),
    extra: Object.fromEntries(extra.map(([key, value]) => [key, textsIn(value)])),
  };
}

function textsIn(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter(isText) : [];
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}
