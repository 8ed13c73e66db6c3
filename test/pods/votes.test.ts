import { describe, expect, it } from '@jest/globals';

import { majorityPins } from '../../src/pods/votes.ts';
import { digest, record } from '../support/admission.ts';
import { type Json, objectOf, POD, specOf, VOLUMES } from '../support/review.ts';

const A = digest('a');
const B = digest('b');

interface Sibling {
  readonly owner?: Json;
  readonly metadata?: Json;
  readonly images?: Json;
  readonly originals?: Readonly<Record<string, string>>;
}

function pod({ owner = {}, metadata, images, originals }: Sibling = {}): Json {
  const ownerReferences = [{ kind: 'ReplicaSet', uid: 'u', controller: true, ...owner }];
  return objectOf(POD, {
    metadata: { ownerReferences, ...metadata },
    annotations: record(originals ?? { web: `nginx:1 ${A}` }),
    spec: specOf(images ?? { web: `nginx@${A}` }),
  });
}

const other: Sibling = { images: { web: `nginx@${B}` }, originals: { web: `nginx:1 ${B}` } };

function pinsOf(...pods: readonly unknown[]): Json {
  return Object.fromEntries(majorityPins(pods, 'u'));
}

describe('majorityPins()', () => {
  it.each<[string, readonly unknown[], Json]>([
    ['no Pods', [], {}],
    ['one', [pod()], { 'nginx:1': A }],
    ['two that agree', [pod(), pod()], { 'nginx:1': A }],
    ['two that differ', [pod(), pod(other)], {}],
    ['two of three', [pod(other), pod(), pod()], { 'nginx:1': A }],
    ['two of four', [pod(other), pod(), pod(), pod(other)], {}],
    ['what are no Pods', [null, 7, 'pod', {}, { metadata: {} }], {}],
  ])('takes what more than half say, of %s', (_, pods, expected) => {
    expect(pinsOf(...pods)).toEqual(expected);
  });

  it.each<[string, Sibling]>([
    ['of another owner', { owner: { uid: 'other' } }],
    ['whose owner does not control it', { owner: { controller: false } }],
    ['that is being deleted', { metadata: { deletionTimestamp: 'now' } }],
    ['without an owner', { metadata: { ownerReferences: undefined } }],
    ['whose image has another digest', { images: { web: `nginx@${B}` } }],
    ['whose image has a tag', { images: { web: 'nginx:1' } }],
    ['whose image is of another repository', { images: { web: `httpd@${A}` } }],
    ['whose entry is of another container', { originals: { db: `nginx:1 ${A}` } }],
    ['whose original has a digest', { originals: { web: `nginx@${B} ${A}` } }],
  ])('hears no Pod %s', (_, sibling) => {
    expect(pinsOf(pod(sibling))).toEqual({});
    // Nor does it count against those that say something.
    expect(pinsOf(pod(sibling), pod(other))).toEqual({ 'nginx:1': B });
  });

  it.each(['{', '[]', `{"web":"nginx:1 ${A}","x":"${'x'.repeat(70_000)}"}`])(
    'hears no Pod whose record is malformed or huge: %.20s',
    (originals) => {
      const object = objectOf(POD, {
        metadata: { ownerReferences: [{ uid: 'u', controller: true }] },
        annotations: { 'tagpin.dev/originals': originals },
        spec: specOf({ web: `nginx@${A}` }),
      });
      expect(pinsOf(object)).toEqual({});
    },
  );

  it('gives a Pod one voice for an original, however many containers have it', () => {
    const loud = pod({
      images: { a: `nginx@${B}`, b: `nginx@${B}`, c: `nginx@${B}` },
      originals: { a: `nginx:1 ${B}`, b: `nginx:1 ${B}`, c: `nginx:1 ${B}` },
    });
    expect(pinsOf(loud, pod(), pod())).toEqual({ 'nginx:1': A });
  });

  it('tells of each original by itself, image volumes too', () => {
    const volumes = specOf({ models: `models@${B}` }, VOLUMES);
    const object = objectOf(POD, {
      metadata: { ownerReferences: [{ uid: 'u', controller: true }] },
      annotations: record({ web: `nginx:1 ${A}`, 'volume/models': `models:2 ${B}` }),
      spec: { ...specOf({ web: `nginx@${A}` }), ...volumes },
    });
    expect(pinsOf(object, pod(other))).toEqual({ 'models:2': B });
  });

  it('counts at most 200 originals', () => {
    const names = Array.from({ length: 300 }, (_, index) => `c${index}`);
    const images = Object.fromEntries(names.map((name) => [name, `${name}@${A}`]));
    const originals = Object.fromEntries(names.map((name) => [name, `${name}:1 ${A}`]));
    expect(majorityPins([pod({ images, originals })], 'u').size).toBe(200);
  });
});
