import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { PinError } from '../../src/errors.ts';
import { MANIFEST_ACCEPT, recogniseManifest } from '../../src/image/manifest.ts';

const OCI_INDEX = 'application/vnd.oci.image.index.v1+json';
const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const DOCKER_LIST = 'application/vnd.docker.distribution.manifest.list.v2+json';
const DOCKER_MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json';
const SCHEMA_1 = 'application/vnd.docker.distribution.manifest.v1+prettyjws';

const INDEX_BODY = { schemaVersion: 2, manifests: [] };
const MANIFEST_BODY = { schemaVersion: 2, config: {}, layers: [] };

function golden(name: string): Uint8Array {
  return readFileSync(new URL(`../golden/${name}`, import.meta.url));
}

function encode(body: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(body));
}

function refusal(code: string, reason: string): unknown {
  return expect.objectContaining({
    name: 'PinError',
    code,
    message: expect.stringContaining(reason),
  });
}

describe('MANIFEST_ACCEPT', () => {
  it('asks for indexes before manifests, in one header', () => {
    expect(MANIFEST_ACCEPT).toBe(
      [OCI_INDEX, DOCKER_LIST, OCI_MANIFEST, DOCKER_MANIFEST].join(', '),
    );
  });
});

describe('recogniseManifest()', () => {
  const TYPES: [string | undefined][] = [
    [undefined],
    [''],
    ['application/octet-stream'],
    ['binary/octet-stream'],
    ['text/plain; charset=utf-8'],
    ['application/json'],
  ];

  it.each([
    ...TYPES,
    [DOCKER_LIST],
    [`${DOCKER_LIST}; charset=utf-8`],
    [DOCKER_LIST.toUpperCase()],
  ])('recognises a manifest list served as %s', (contentType) => {
    expect(recogniseManifest(contentType, golden('pause-3.2.index'))).toBe(DOCKER_LIST);
  });

  it.each([...TYPES, [DOCKER_MANIFEST], [` ${DOCKER_MANIFEST} ;charset=utf-8`]])(
    'recognises a manifest served as %s',
    (contentType) => {
      expect(recogniseManifest(contentType, golden('pause-amd64-3.2.manifest'))).toBe(
        DOCKER_MANIFEST,
      );
    },
  );

  it.each(TYPES)('tells OCI documents without mediaType by their shape, served as %s', (type) => {
    expect(recogniseManifest(type, encode(INDEX_BODY))).toBe(OCI_INDEX);
    expect(recogniseManifest(type, encode(MANIFEST_BODY))).toBe(OCI_MANIFEST);
  });

  it.each([
    [OCI_INDEX, INDEX_BODY],
    [OCI_MANIFEST, MANIFEST_BODY],
  ])('takes the Content-Type %s of a body without mediaType', (contentType, body) => {
    expect(recogniseManifest(contentType, encode(body))).toBe(contentType);
  });

  const BOTH = 'both an index and a manifest';
  const NOT_AN_IMAGE = 'none of an image';

  it.each<{ what: string; contentType?: string; body: unknown; reason: string }>([
    {
      what: 'a mediaType that contradicts the Content-Type',
      contentType: OCI_MANIFEST,
      body: { ...INDEX_BODY, mediaType: OCI_INDEX },
      reason: 'not the Content-Type',
    },
    {
      what: 'an index that is served as a manifest',
      contentType: OCI_MANIFEST,
      body: INDEX_BODY,
      reason: 'called a manifest and has not its fields',
    },
    {
      what: 'a manifest that is served as an index',
      contentType: OCI_INDEX,
      body: MANIFEST_BODY,
      reason: 'called an index and has not its fields',
    },
    {
      what: 'a manifest whose mediaType says index',
      body: { ...MANIFEST_BODY, mediaType: DOCKER_LIST },
      reason: 'called an index and has not its fields',
    },
    {
      what: 'manifests and layers',
      contentType: OCI_INDEX,
      body: { ...INDEX_BODY, layers: [] },
      reason: BOTH,
    },
    {
      what: 'manifests and config',
      contentType: OCI_INDEX,
      body: { ...INDEX_BODY, config: {} },
      reason: BOTH,
    },
    {
      what: 'manifests and layers without a type',
      body: { ...INDEX_BODY, ...MANIFEST_BODY },
      reason: BOTH,
    },
    {
      what: 'schema 1 by its Content-Type',
      contentType: SCHEMA_1,
      body: { schemaVersion: 2 },
      reason: 'schema 1',
    },
    {
      what: 'schema 1 by its version',
      contentType: 'text/plain',
      body: { schemaVersion: 1 },
      reason: 'schema 1',
    },
    {
      what: 'schema 1 by its layers',
      contentType: OCI_MANIFEST,
      body: { ...MANIFEST_BODY, fsLayers: [] },
      reason: 'schema 1',
    },
    {
      what: 'a foreign type',
      contentType: 'application/vnd.example+json',
      body: MANIFEST_BODY,
      reason: NOT_AN_IMAGE,
    },
    {
      what: 'a foreign mediaType',
      body: { ...MANIFEST_BODY, mediaType: 'application/vnd.example+json' },
      reason: NOT_AN_IMAGE,
    },
    {
      what: 'a mediaType that is a number',
      body: { ...INDEX_BODY, mediaType: 1 },
      reason: NOT_AN_IMAGE,
    },
    { what: 'an object of no shape', body: {}, reason: NOT_AN_IMAGE },
  ])('refuses $what', ({ contentType, body, reason }) => {
    expect(() => recogniseManifest(contentType, encode(body))).toThrow(
      refusal('unsupported_manifest', reason),
    );
  });

  it('refuses the config of an image', () => {
    expect(() => recogniseManifest(undefined, golden('pause-amd64-3.2.config'))).toThrow(
      refusal('unsupported_manifest', 'none of an image'),
    );
  });

  it.each<[string, Uint8Array, string]>([
    ['nothing', new Uint8Array(), 'not JSON'],
    ['HTML', new TextEncoder().encode('<html>secret'), 'not JSON'],
    ['bytes that are not UTF-8', new Uint8Array([0x22, 0xff, 0x22]), 'not JSON'],
    ['a byte order mark', new TextEncoder().encode('\ufeff{}'), 'not JSON'],
    ['null', encode(null), 'no JSON object'],
    ['a list', encode([]), 'no JSON object'],
    ['a text', encode('x'), 'no JSON object'],
  ])('refuses %s as no answer of a registry', (_, body, reason) => {
    expect(() => recogniseManifest(OCI_INDEX, body)).toThrow(refusal('invalid_response', reason));
  });

  it('never quotes the body', () => {
    const body = new TextEncoder().encode('<html>secret');
    expect(() => recogniseManifest(OCI_INDEX, body)).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('secret') }),
    );
  });

  it('throws nothing but PinError', () => {
    const types = fc.constantFrom(undefined, '', OCI_INDEX, DOCKER_MANIFEST, ';', SCHEMA_1);
    fc.assert(
      fc.property(types, fc.json(), (contentType, json) => {
        let caught: unknown;
        try {
          recogniseManifest(contentType, new TextEncoder().encode(json));
        } catch (error) {
          caught = error;
        }
        expect(caught === undefined || caught instanceof PinError).toBe(true);
      }),
    );
  });
});
