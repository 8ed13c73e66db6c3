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

function reviewed(kind: Kind, annotations: Json, more: Json, oldObject?: unknown) {
  const spec = { ...specOf({ side: 's:1', web: 'a:1' }), imagePullSecrets: [{ name: 'regcred' }] };
  const object = objectOf(kind, { annotations, spec });
  return askedIn(reviewOf(kind, { object, oldObject, more: { userInfo: USER, ...more } }));
}

describe('askedIn()', () => {
  it('takes the image of the container that is named, who asks, and the pull secrets of the Pod', () => {
    expect(reviewed(POD, ASKING, { dryRun: true })).toEqual({
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

  it.each<readonly [string, Kind, Json, Json]>([
    ['a Pod that is made', POD, ASKING, {}],
    ['a Pod without the annotation', POD, {}, { dryRun: true }],
    ['a Pod without such a container', POD, { 'tagpin.dev/explain': 'true' }, { dryRun: true }],
    ['a subresource of a Pod', POD, ASKING, { dryRun: true, subResource: 'ephemeralcontainers' }],
    ['what is deleted', POD, ASKING, { dryRun: true, operation: 'DELETE' }],
    ['another kind', DEPLOYMENT, ASKING, { dryRun: true }],
    ['the Pod of another group', { ...POD, group: 'example.com' }, ASKING, { dryRun: true }],
    ['nobody', POD, ASKING, { dryRun: true, userInfo: undefined }],
    ['somebody without a name', POD, ASKING, { dryRun: true, userInfo: { username: '' } }],
  ])('leaves %s alone', (_, kind, annotations, more) => {
    expect(reviewed(kind, annotations, more)).toBeUndefined();
  });

  it('leaves a Pod that is changed alone', () => {
    const before = objectOf(POD, { spec: specOf({ web: 'a:0' }) });
    expect(reviewed(POD, ASKING, { dryRun: true }, before)).toBeUndefined();
  });
});
