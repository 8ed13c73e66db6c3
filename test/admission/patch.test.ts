import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { type PatchOperation, patchOf } from '../../src/admission/patch.ts';
import type { Settled } from '../../src/admission/settle.ts';
import {
  imagePlacesOf,
  locationOf,
  type PodTemplate,
  podTemplateOf,
} from '../../src/workload/locations.ts';
import { Admission, digest, patched } from '../support/admission.ts';
import {
  imagesOf,
  type Json,
  KINDS,
  type Kind,
  objectOf,
  POD,
  specOf,
  templateOf,
} from '../support/review.ts';

const NEW = 'nginx@sha256:1';

function templateIn(kind: Kind, object: unknown): PodTemplate {
  const where = locationOf(kind.group, kind.kind);
  const template = where && podTemplateOf(object, where);
  if (template === undefined) throw new Error(`no template in ${kind.kind}`);
  return template;
}

function settledIn(template: PodTemplate, image: string): Settled[] {
  // What names no image yet is never settled with one.
  const places = imagePlacesOf(template).filter((place) => place.image !== '');
  return places.map((place) => ({ place, outcome: 'pinned', image }));
}

/** The patch of an object with one image, and the two annotations. */
function patchFor(kind: Kind, object: unknown, unpinned?: string | null): PatchOperation[] {
  const template = templateIn(kind, object);
  return patchOf(template, settledIn(template, NEW), { originals: '{}', unpinned });
}

describe.each(KINDS)('patchOf() of a $kind', (kind) => {
  const prefix = kind.template.map((step) => `/${step}`).join('');
  const image = { op: 'replace', path: `${prefix}/spec/containers/0/image`, value: NEW };

  it.each<[string, Json, PatchOperation]>([
    [
      'no metadata',
      {},
      {
        op: 'add',
        path: `${prefix}/metadata`,
        value: { annotations: { 'tagpin.dev/originals': '{}' } },
      },
    ],
    [
      'metadata that is null',
      { metadata: null },
      {
        op: 'add',
        path: `${prefix}/metadata`,
        value: { annotations: { 'tagpin.dev/originals': '{}' } },
      },
    ],
    [
      'no annotations',
      { metadata: { labels: { a: 'b' } } },
      {
        op: 'add',
        path: `${prefix}/metadata/annotations`,
        value: { 'tagpin.dev/originals': '{}' },
      },
    ],
    [
      'annotations that are null',
      { metadata: { annotations: null } },
      {
        op: 'add',
        path: `${prefix}/metadata/annotations`,
        value: { 'tagpin.dev/originals': '{}' },
      },
    ],
    [
      'annotations',
      { metadata: { annotations: { a: 'b' } } },
      { op: 'add', path: `${prefix}/metadata/annotations/tagpin.dev~1originals`, value: '{}' },
    ],
    [
      'an older record',
      { metadata: { annotations: { 'tagpin.dev/originals': 'old' } } },
      { op: 'add', path: `${prefix}/metadata/annotations/tagpin.dev~1originals`, value: '{}' },
    ],
  ])('applies to a template with %s', (_, around, annotation) => {
    let object: Json = { ...around, spec: specOf({ web: 'nginx' }) };
    for (const step of kind.template.toReversed()) object = { [step]: object };
    const patch = patchFor(kind, object);
    expect(patch).toEqual([image, annotation]);
    const after = templateOf(kind, patched(object, patch));
    expect(after.spec).toEqual(specOf({ web: NEW }));
    expect(after.metadata?.['annotations']).toMatchObject({ 'tagpin.dev/originals': '{}' });
  });
});

describe('patchOf()', () => {
  it('writes both annotations into one that is missing, or one by one', () => {
    const bare = objectOf(POD, { spec: specOf({ web: 'nginx' }) });
    const both = { 'tagpin.dev/originals': '{}', 'tagpin.dev/unpinned': '{"a":"b"}' };
    expect(patchFor(POD, bare, '{"a":"b"}')).toHaveLength(2);
    expect(patched(bare, patchFor(POD, bare, '{"a":"b"}'))).toMatchObject({
      metadata: { name: 'web', annotations: both },
    });
    const full = objectOf(POD, { spec: specOf({ web: 'nginx' }), annotations: { c: 'd' } });
    expect(patched(full, patchFor(POD, full, '{"a":"b"}'))).toMatchObject({
      metadata: { annotations: { c: 'd', ...both } },
    });
  });

  it('removes a mark only where there is one: a remove of nothing rejects the request', () => {
    const spec = specOf({ web: 'nginx' });
    const unmarked = objectOf(POD, { spec, annotations: { a: 'b' } });
    expect(patchFor(POD, unmarked, null).map(({ op }) => op)).toEqual(['replace', 'add']);
    expect(patchFor(POD, { spec }, null).map(({ op }) => op)).toEqual(['replace', 'add']);
    const marked = objectOf(POD, { spec, annotations: { a: 'b', 'tagpin.dev/unpinned': '' } });
    expect(patched(marked, patchFor(POD, marked, null))).toMatchObject({
      metadata: { annotations: { a: 'b', 'tagpin.dev/originals': '{}' } },
    });
    expect(patchFor(POD, marked, null).at(-1)).toEqual({
      op: 'remove',
      path: '/metadata/annotations/tagpin.dev~1unpinned',
    });
  });

  it('is empty where nothing changes', () => {
    const template = templateIn(POD, objectOf(POD, { spec: specOf({ web: NEW }) }));
    const changes = { originals: undefined, unpinned: undefined };
    expect(patchOf(template, settledIn(template, NEW), changes)).toEqual([]);
    expect(patchOf(template, [], { originals: undefined, unpinned: null })).toEqual([]);
  });

  it('counts in lists as the object has them, what holds no image included', () => {
    const spec = {
      containers: [null, 'odd', { name: 'a' }, { name: 'web', image: 'nginx' }],
      volumes: [
        { name: 'plain', emptyDir: {} },
        { name: 'data', image: { reference: 'nginx', pullPolicy: 'Always' } },
      ],
    };
    const admission = new Admission({ 'docker.io/library/nginx:latest': digest('a') });
    const { patch } = admission.review(POD, { object: objectOf(POD, { spec }) });
    expect(patch.map(({ path }) => path)).toEqual([
      '/spec/containers/3/image',
      '/spec/volumes/1/image/reference',
      '/metadata/annotations',
    ]);
  });
});

describe('patchOf() beside annotations of 256 KiB', () => {
  // What the record of one image takes, with its name.
  const RECORD_BYTES =
    'tagpin.dev/originals'.length + JSON.stringify({ web: `web:1 ${digest('a')}` }).length;
  const FULL = 256 * 1024 - 'big'.length - RECORD_BYTES;

  it.each([
    ['writes a record that just fits', FULL, true],
    ['leaves out a record with which the API server would refuse the object', FULL + 1, false],
  ])('%s', (_what, length, written) => {
    const admission = new Admission({ 'docker.io/library/web:1': digest('a') });
    const { object } = admission.review(POD, {
      object: objectOf(POD, {
        annotations: { big: 'x'.repeat(length) },
        spec: specOf({ web: 'web:1' }),
      }),
    });
    const annotations = (object['metadata'] as Json)['annotations'] as Json;
    expect('tagpin.dev/originals' in annotations).toBe(written);
    const tag = written ? '' : ':1';
    expect(imagesOf(POD, object)).toEqual({ web: `web${tag}@${digest('a')}` });
  });
});

/** The same spec with every image replaced, found without a pointer. */
function withImages(value: unknown): Json {
  const text = JSON.stringify(value, (key, inner: unknown) =>
    (key === 'image' || key === 'reference') && typeof inner === 'string' ? NEW : inner,
  );
  return JSON.parse(text) as Json;
}

describe('patchOf() of any template', () => {
  const name = fc.string({
    unit: fc.constantFrom('a', '~', '/', '0', '1', '-', '.'),
    minLength: 1,
  });
  const list = fc.array(
    fc.oneof(
      fc.record({ name, image: fc.constantFrom('nginx', 'nginx:1', 'busybox') }),
      fc.constantFrom<unknown>(null, 'text', {}, { name: 'x' }),
    ),
    { maxLength: 4 },
  );
  const volumes = fc.array(
    fc.record({ name, image: fc.record({ reference: fc.constant('nginx:1') }) }),
    { maxLength: 3 },
  );
  const annotations = fc.option(fc.dictionary(name, fc.string(), { noNullPrototype: true }), {
    nil: undefined,
  });
  const spec = fc.record(
    { containers: list, initContainers: list, volumes },
    { noNullPrototype: true },
  );

  it('changes every image and the record, and nothing else, as another library applies it', () => {
    fc.assert(
      fc.property(fc.constantFrom(...KINDS), spec, annotations, (kind, podSpec, marks) => {
        const before = { spec: podSpec, ...(marks !== undefined && { annotations: marks }) };
        const object = objectOf(kind, before);
        const after = patched(object, patchFor(kind, object));
        const record = { ...marks, 'tagpin.dev/originals': '{}' };
        expect(after).toEqual(objectOf(kind, { spec: withImages(podSpec), annotations: record }));
      }),
    );
  });
});
