import { describe, expect, it } from '@jest/globals';

import { askedIn } from '../../src/explain/asked.ts';
import {
  DEPLOYMENT,
  type Json,
  type Kind,
  objectOf,
  POD,
  reviewOf,
  specOf,
} from '../support/review.ts';

const USER = {
  username: 'alice',
  uid: '7',
  groups: ['dev', 1],
  extra: { 'example.com/team': ['a', 'b'], odd: 'c' },
};
const ASKING = { 'tagpin.dev/explain': 'web' };

interface Reviewed {
  readonly kind?: Kind;
  readonly annotations?: Json;
  readonly oldObject?: Json;
  /** Of the request. */
  readonly more?: Json;
}

/** Of a dry run of a Pod that asks, but for what is said. */
function reviewed({
  kind = POD,
  annotations = ASKING,
  oldObject,
  more,
}: Reviewed): ReturnType<typeof askedIn> {
  const spec = { ...specOf({ side: 's:1', web: 'a:1' }), imagePullSecrets: [{ name: 'regcred' }] };
  const object = objectOf(kind, { annotations, spec });
  return askedIn(
    reviewOf(kind, { object, oldObject, more: { userInfo: USER, dryRun: true, ...more } }),
  );
}

describe('askedIn()', () => {
  it('takes the image of the container that is named, who asks, and the pull secrets of the Pod', () => {
    expect(reviewed({})).toEqual({
      caller: {
        username: 'alice',
        uid: '7',
        groups: ['dev'],
        extra: { 'example.com/team': ['a', 'b'], odd: [] },
      },
      image: 'a:1',
      pointer: '/spec/containers/1/image',
      identity: { namespace: 'shop', pullSecrets: ['regcred'], serviceAccount: undefined },
    });
  });

  it.each<readonly [string, Reviewed]>([
    ['a Pod that is made', { more: { dryRun: false } }],
    ['a Pod without the annotation', { annotations: {} }],
    ['a Pod without such a container', { annotations: { 'tagpin.dev/explain': 'true' } }],
    ['a subresource of a Pod', { more: { subResource: 'ephemeralcontainers' } }],
    ['what is deleted', { more: { operation: 'DELETE' } }],
    ['another kind', { kind: DEPLOYMENT }],
    ['the Pod of another group', { kind: { ...POD, group: 'example.com' } }],
    ['nobody', { more: { userInfo: undefined } }],
    ['somebody without a name', { more: { userInfo: { username: '' } } }],
  ])('leaves %s alone', (_, review) => {
    expect(reviewed(review)).toBeUndefined();
  });

  it('leaves a Pod that is changed alone', () => {
    const before = objectOf(POD, { spec: specOf({ web: 'a:0' }) });
    expect(reviewed({ oldObject: before })).toBeUndefined();
  });
});
