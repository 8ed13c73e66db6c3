import { describe, expect, it } from '@jest/globals';

import { allow, decodeReview, deny, encodeResponse } from '../../src/admission/review.ts';
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

describe('allow()', () => {
  it('has no patch and no warnings where there are none', () => {
    expect(allow('1', [], [])).toEqual({ uid: '1', allowed: true });
  });

  it('carries the patch in base64, whatever characters it holds', () => {
    const patch = [{ op: 'add', path: '/a~1b', value: '🐳\u0000' }] as const;
    const response = allow('1', patch, []);
    expect(response.patchType).toBe('JSONPatch');
    const text = Buffer.from(response.patch ?? '', 'base64').toString('utf8');
    expect(JSON.parse(text)).toEqual(patch);
  });

  it('says what is said twice once', () => {
    expect(allow('1', [], ['a', 'b', 'a']).warnings).toEqual(['a', 'b']);
  });

  it.each([
    ['as it is', 'x'.repeat(256), 'x'.repeat(256)],
    ['cut', 'x'.repeat(257), `${'x'.repeat(255)}…`],
    ['as it is, in two units a rune', '🐳'.repeat(256), '🐳'.repeat(256)],
    ['cut, in two units a rune', '🐳'.repeat(257), `${'🐳'.repeat(255)}…`],
    ['cut between two units', `x${'🐳'.repeat(400)}`, `x${'🐳'.repeat(254)}…`],
  ])('tells a warning %s', (_, long, told) => {
    expect(allow('1', [], [long]).warnings).toEqual([told]);
  });

  it.each([
    [15, 15, 'warning 14'],
    [16, 16, 'and 1 more like these'],
    [5000, 16, 'and 4985 more like these'],
  ])('tells %i warnings in %i lines', (count, lines, last) => {
    const all = Array.from({ length: count }, (_, index) => `warning ${index}`);
    const { warnings = [] } = allow('1', [], all);
    expect(warnings).toHaveLength(lines);
    expect(warnings.at(-1)).toBe(last);
  });

  it('stays within the 4096 runes of the API server', () => {
    const all = Array.from({ length: 100 }, (_, index) => `${index}${'🐳'.repeat(500)}`);
    const runes = allow('1', [], all).warnings?.flatMap((warning) => Array.from(warning));
    expect(runes?.length).toBeLessThanOrEqual(4096);
  });
});

describe('deny()', () => {
  it('says 403, never another code', () => {
    expect(deny('1', 'no')).toEqual({
      uid: '1',
      allowed: false,
      status: { code: 403, reason: 'Forbidden', message: 'no' },
    });
  });

  it('cuts a message that nobody reads to its end', () => {
    const { status } = deny('1', 'x'.repeat(5000), ['w']);
    expect(status?.message).toBe(`${'x'.repeat(4095)}…`);
  });
});

describe('encodeResponse()', () => {
  it('wraps a response as the API server reads it', () => {
    expect(JSON.parse(encodeResponse(allow('1', [], ['a'])).text)).toEqual({
      apiVersion: 'admission.k8s.io/v1',
      kind: 'AdmissionReview',
      response: { uid: '1', allowed: true, warnings: ['a'] },
    });
  });

  it.each([
    ['no patch', allow('1', [], [])],
    ['a patch', allow('1', [{ op: 'replace', path: '/spec/a', value: 'b' }], [])],
    ['a patch and warnings', allow('"ü"', [{ op: 'remove', path: '/ü' }], ['größer', '"'])],
    ['a denial', deny('1', 'größer', ['ß'])],
  ])('writes what JSON.stringify() would, and counts its bytes: %s', (_name, response) => {
    const { text, bytes } = encodeResponse(response);
    expect(JSON.parse(text).response).toEqual(response);
    expect(bytes).toBe(Buffer.byteLength(text));
  });
});
