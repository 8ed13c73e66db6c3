import { describe, expect, it } from '@jest/globals';

import { decodeReview } from '../../src/admission/review.ts';
import { PinError } from '../../src/errors.ts';
import { DEPLOYMENT, type Json, POD, reviewBody } from '../support/review.ts';

function decoded(body: unknown): unknown {
  try {
    return decodeReview(body);
  } catch (caught) {
    return caught instanceof PinError ? `${caught.code}: ${caught.message}` : caught;
  }
}

describe('decodeReview()', () => {
  it('reads the fields that are looked at', () => {
    const object = { metadata: { name: 'other', namespace: 'theirs' } };
    const more = { subResource: 'scale', dryRun: true };
    expect(decodeReview(reviewBody(DEPLOYMENT, { object, oldObject: {}, more }))).toEqual({
      uid: '705ab4f5-6393-11e8-b7cc-42010a800002',
      group: 'apps',
      kind: 'Deployment',
      subResource: 'scale',
      operation: 'UPDATE',
      namespace: 'shop',
      name: 'web',
      dryRun: true,
      object,
      oldObject: {},
    });
  });

  it.each([
    ['the request', { name: 'a' }, { name: 'b', generateName: 'c-' }, 'a'],
    ['the object', { name: '' }, { name: 'b', generateName: 'c-' }, 'b'],
    ['what the name begins with', { name: undefined }, { generateName: 'c-' }, 'c-'],
    ['nowhere', { name: 7 }, {}, ''],
  ])('takes the name from %s', (...[, more, metadata, name]) => {
    expect(decodeReview(reviewBody(POD, { object: { metadata }, more })).name).toBe(name);
  });

  it.each(['DELETE', 'CONNECT', 'PATCH', ''])('asks %j for no object', (operation) => {
    const more = { operation, object: null, oldObject: null, namespace: '' };
    expect(decodeReview(reviewBody(POD, { more }))).toMatchObject({
      operation,
      object: undefined,
      oldObject: undefined,
      dryRun: false,
    });
  });

  const body = reviewBody(POD, { object: {} });
  const request = body['request'] as Json;

  it.each<[string, unknown, string]>([
    ['null', null, 'the body is no JSON object'],
    ['a list', [body], 'the body is no JSON object'],
    ['a text', 'review', 'the body is no JSON object'],
    [
      'another version',
      { ...body, apiVersion: 'admission.k8s.io/v1beta1' },
      'apiVersion and kind are not "admission.k8s.io/v1" and "AdmissionReview"',
    ],
    [
      'another kind',
      { ...body, kind: 'Pod' },
      'apiVersion and kind are not "admission.k8s.io/v1" and "AdmissionReview"',
    ],
    ['no request', { ...body, request: undefined }, 'request.uid is missing'],
    ['a request that is a list', { ...body, request: [] }, 'request.uid is missing'],
    ['no uid', { ...body, request: { ...request, uid: undefined } }, 'request.uid is missing'],
    [
      'a uid that is a number',
      { ...body, request: { ...request, uid: 7 } },
      'request.uid is missing',
    ],
    ['no kind', { ...body, request: { ...request, kind: 'Pod' } }, 'request.kind is missing'],
    ['no object', { ...body, request: { ...request, object: null } }, 'request.object is missing'],
    [
      'an object that is a list',
      { ...body, request: { ...request, object: [{}] } },
      'request.object is missing',
    ],
    [
      'an UPDATE of nothing',
      { ...body, request: { ...request, operation: 'UPDATE' } },
      'request.oldObject is missing from an UPDATE',
    ],
    [
      'no namespace',
      { ...body, request: { ...request, namespace: '' } },
      'request.namespace is missing',
    ],
  ])('refuses %s', (_, bad, fault) => {
    expect(decoded(bad)).toBe(`invalid_review: Cannot read the admission review: ${fault}`);
  });

  it('is not misled by a prototype', () => {
    const text = '{"__proto__": {"apiVersion": "admission.k8s.io/v1"}, "kind": "AdmissionReview"}';
    expect(decoded(JSON.parse(text))).toMatch(/^invalid_review: .*apiVersion/);
  });
});
