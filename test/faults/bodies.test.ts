import { gzipSync } from 'node:zlib';

import { describe, expect, it } from '@jest/globals';

import { computeDigest } from '../../src/image/digest.ts';
import {
  INDEX,
  INDEX_DIGEST,
  INDEX_TYPE,
  methodsOf,
  OTHER_DIGEST,
  served,
  told,
} from '../support/answers.ts';
import type { RecordedRequest } from '../support/scripted-registry.ts';
import { inWorld } from '../support/world.ts';

const OCI_INDEX = 'application/vnd.oci.image.index.v1+json';
const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const MIB = 1024 * 1024;

/** Whether a request prefers this type. */
function firstIs(type: string): (request: RecordedRequest) => boolean {
  return ({ headers }) => headers.accept?.split(',')[0]?.trim() === type;
}

function json(document: unknown): string {
  return JSON.stringify(document);
}

describe('what a registry sends', () => {
  it(
    'fault 10: Content-Type with "; charset=utf-8" → the parameter is ignored',
    inWorld(async (world) => {
      const registry = await world.place();
      registry.answer(served({ 'content-type': `${INDEX_TYPE}; charset=utf-8` }));
      expect(await world.digestOf(registry.image)).toBe(INDEX_DIGEST);
    }),
  );

  it.each([['application/octet-stream'], ['text/plain; charset=utf-8'], ['']])(
    'fault 11: Content-Type "%s" → the mediaType in the body',
    inWorld(async (world, type: string) => {
      const registry = await world.place();
      registry.answer(served({ 'content-type': type }));
      expect(await world.resolve(registry.image)).toMatchObject({
        digest: INDEX_DIGEST,
        mediaType: INDEX_TYPE,
      });
    }),
  );

  it.each<[string, string]>([
    ['no type anywhere', json({ hello: 'world' })],
    ['a type of no image', json({ mediaType: 'application/vnd.cncf.helm.config.v1+json' })],
    ['a list', json([])],
    ['nothing at all', ''],
  ])(
    'fault 11: %s → a failure that says so, no crash',
    inWorld(async (world, _what: string, body: string) => {
      const registry = await world.place();
      registry.answer(served({ 'content-type': '' }, body));
      expect(['unsupported_manifest', 'invalid_response']).toContain(
        await world.digestOf(registry.image),
      );
    }),
  );

  it.each([
    {
      what: 'a mediaType other than the Content-Type',
      type: OCI_INDEX,
      document: { mediaType: OCI_MANIFEST, manifests: [] },
    },
    {
      what: 'both manifests and layers',
      type: OCI_INDEX,
      document: { mediaType: OCI_INDEX, manifests: [], layers: [] },
    },
    {
      what: 'the fields of another type',
      type: OCI_MANIFEST,
      document: { mediaType: OCI_MANIFEST, manifests: [] },
    },
  ])(
    'fault 12: $what → refused (GHSA-mc8v-mgrf-8f4m)',
    inWorld(async (world, { type, document }: { type: string; document: unknown }) => {
      const registry = await world.place();
      registry.answer(served({ 'content-type': type }, json(document)));
      expect(await world.digestOf(registry.image)).toBe('unsupported_manifest');
    }),
  );

  it(
    'fault 13: an answer of schema 1 → not pinned, with the reason',
    inWorld(async (world) => {
      const registry = await world.place();
      const type = 'application/vnd.docker.distribution.manifest.v1+prettyjws';
      const body = json({ schemaVersion: 1, fsLayers: [] });
      registry.answer(
        served({ 'content-type': type, 'docker-content-digest': OTHER_DIGEST }, body),
      );
      expect(await world.failureOf(registry.image)).toMatchObject({
        code: 'unsupported_manifest',
        message: expect.stringContaining('schema 1'),
      });
    }),
  );

  it(
    'fault 14: a registry that honours only the first type of Accept → the index, as indexes come first',
    inWorld(async (world) => {
      const registry = await world.place();
      registry.answer(
        { ...told(), when: { also: firstIs(OCI_INDEX) } },
        { ...told(), when: { also: firstIs(INDEX_TYPE) } },
        told(OTHER_DIGEST),
      );
      expect(await world.digestOf(registry.image)).toBe(INDEX_DIGEST);
    }),
  );

  it(
    'fault 15: a gzipped body in spite of "identity" → refused, compressed bytes are never hashed',
    inWorld(async (world) => {
      const registry = await world.place();
      registry.answer(served({ 'content-encoding': 'gzip' }, gzipSync(INDEX)));
      expect(await world.digestOf(registry.image)).toBe('invalid_response');
      expect(registry.requests.map(({ headers }) => headers['accept-encoding'])).toEqual([
        'identity',
        'identity',
      ]);
    }),
  );

  it(
    'fault 16: a body of 5 MiB → cut off at 4 MiB',
    inWorld(async (world) => {
      const registry = await world.place();
      registry.answer(served({}, Buffer.alloc(5 * MIB, ' ')));
      expect(await world.failureOf(registry.image)).toMatchObject({
        code: 'invalid_response',
        message: `${registry.host} sent more than ${4 * MIB} bytes`,
      });
    }),
  );

  it(
    'fault 16: a body without an end → cut off at 4 MiB',
    inWorld(async (world) => {
      const registry = await world.place();
      registry.answer({ when: { method: 'HEAD' } }, { fault: 'endless_body' });
      expect(await world.failureOf(registry.image)).toMatchObject({
        code: 'invalid_response',
        message: `${registry.host} sent more than ${4 * MIB} bytes`,
      });
    }),
  );

  it.each([
    { what: 'larger than what is sent', length: `${INDEX.length + 1}`, code: 'unavailable' },
    { what: 'smaller than what is sent', length: `${INDEX.length - 1}`, code: 'invalid_response' },
    { what: 'no number', length: 'many', code: 'unavailable' },
  ])(
    'fault 17: a Content-Length that is $what → $code, nothing is remembered as a digest',
    inWorld(async (world, { length, code }: { length: string; code: string }) => {
      const registry = await world.place();
      const head = `HTTP/1.1 200 OK\r\nContent-Type: ${INDEX_TYPE}\r\nContent-Length: ${length}\r\n\r\n`;
      const raw = Buffer.concat([Buffer.from(head), INDEX]);
      const attempts = code === 'unavailable' ? 2 : 1;
      registry.answer(
        { when: { method: 'HEAD' } },
        { when: { method: 'GET' }, raw, times: attempts },
        served(),
      );
      expect(await world.digestOf(registry.image)).toBe(code);
      expect(methodsOf(registry).filter((method) => method === 'GET')).toHaveLength(attempts);
      world.pass(30_000);
      expect(await world.digestOf(registry.image)).toBe(INDEX_DIGEST);
    }),
  );

  it(
    'fault 17: the connection ends in a body, once → the second attempt',
    inWorld(async (world) => {
      const registry = await world.place();
      registry.answer(
        { when: { method: 'HEAD' } },
        { when: { method: 'GET' }, fault: 'cut_short', times: 1 },
        served(),
      );
      expect(await world.digestOf(registry.image)).toBe(INDEX_DIGEST);
    }),
  );

  it(
    'fault 17: white space behind the document, inside of Content-Length → hashed as it came',
    inWorld(async (world) => {
      const registry = await world.place();
      const spaced = Buffer.concat([INDEX, Buffer.from('\n\n')]);
      registry.answer(served({}, spaced));
      expect(await world.digestOf(registry.image)).toBe(computeDigest(spaced));
    }),
  );
});
