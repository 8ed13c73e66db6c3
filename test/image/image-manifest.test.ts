import { readFileSync } from 'node:fs';

import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';

import { PinError } from '../../src/errors.ts';
import { parseManifest } from '../../src/image/image-manifest.ts';
import { digest } from '../support/admission.ts';

const OCI_INDEX = 'application/vnd.oci.image.index.v1+json';
const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const DESCRIPTOR = { mediaType: 'a/b', digest: digest('1'), size: 3 };
const NOTHING_MORE = { platform: undefined, artifactType: undefined, annotations: new Map() };
const PLAIN = { mediaType: 'a/b', digest: digest('1'), sizeBytes: 3, ...NOTHING_MORE };

function golden(name: string): Uint8Array {
  return readFileSync(new URL(`../golden/${name}`, import.meta.url));
}

function parse(body: object, type: string = OCI_INDEX): ReturnType<typeof parseManifest> {
  return parseManifest(type, new TextEncoder().encode(JSON.stringify(body)));
}

function manifests(entry: unknown): object {
  return { manifests: [entry] };
}

function refused(reason: string): unknown {
  return expect.objectContaining({
    code: 'unsupported_manifest',
    message: expect.stringContaining(reason),
  });
}

describe('parseManifest()', () => {
  it('reads the platforms of a real list', () => {
    const index = parseManifest('text/plain', golden('pause-3.2.index'));
    const entries = index.kind === 'index' ? index.entries : [];
    expect(entries.map(({ platform }) => [platform?.architecture, platform?.variant])).toEqual([
      ['amd64', ''],
      ['arm', 'v7'],
      ['arm64', ''],
      ['ppc64le', ''],
      ['s390x', ''],
    ]);
    expect(entries[0]).toEqual({
      mediaType: 'application/vnd.docker.distribution.manifest.v2+json',
      digest: 'sha256:4a1c4b21597c1b4415bdbecb28a3296c6b5e23ca4f9feeb599860a1dac6a0108',
      sizeBytes: 526,
      ...NOTHING_MORE,
      platform: { os: 'linux', architecture: 'amd64', variant: '', osVersion: '', osFeatures: [] },
    });
  });

  it('reads config and layers of a real manifest', () => {
    expect(parseManifest(undefined, golden('pause-amd64-3.2.manifest'))).toMatchObject({
      kind: 'manifest',
      mediaType: 'application/vnd.docker.distribution.manifest.v2+json',
      config: { sizeBytes: 759 },
      layers: [
        {
          digest: 'sha256:c74f8866df097496217c9f15efe8f8d3db05d19d678a02d01cc7eaed520bb136',
          sizeBytes: 296_534,
        },
      ],
      subject: undefined,
    });
  });

  it('reads all that an entry may say', () => {
    const entry = {
      ...DESCRIPTOR,
      artifactType: 'c/d',
      annotations: { 'vnd.docker.reference.type': 'attestation-manifest' },
      platform: {
        os: 'windows',
        architecture: 'amd64',
        variant: 'v2',
        'os.version': '10.0.17763',
        'os.features': ['win32k'],
      },
    };
    const index = parse({ manifests: [entry], annotations: { e: 'f' }, artifactType: 'g/h' });
    expect(index).toEqual({
      kind: 'index',
      mediaType: OCI_INDEX,
      subject: undefined,
      artifactType: 'g/h',
      annotations: new Map([['e', 'f']]),
      entries: [
        {
          ...PLAIN,
          artifactType: 'c/d',
          annotations: new Map([['vnd.docker.reference.type', 'attestation-manifest']]),
          platform: {
            os: 'windows',
            architecture: 'amd64',
            variant: 'v2',
            osVersion: '10.0.17763',
            osFeatures: ['win32k'],
          },
        },
      ],
    });
  });

  it('reads what an artifact is about', () => {
    const body = { config: DESCRIPTOR, layers: [], subject: DESCRIPTOR, artifactType: 'c/d' };
    expect(parse(body, OCI_MANIFEST)).toEqual({
      kind: 'manifest',
      mediaType: OCI_MANIFEST,
      config: PLAIN,
      layers: [],
      subject: PLAIN,
      artifactType: 'c/d',
      annotations: new Map(),
    });
  });

  it('takes null for missing, and an entry without size or platform', () => {
    const entry = { mediaType: 'a/b', digest: digest('1'), platform: null, annotations: null };
    expect(parse({ manifests: [entry], subject: null })).toMatchObject({
      entries: [{ ...PLAIN, sizeBytes: undefined }],
      subject: undefined,
    });
  });

  it.each<[string, object, string]>([
    ['an entry that is no object', manifests('a'), 'the index: its manifests[0] is no object'],
    ['no media type', manifests({ ...DESCRIPTOR, mediaType: null }), 'its mediaType is missing'],
    ['no digest', manifests({ mediaType: 'a/b' }), 'its digest is neither of sha256 nor of sha512'],
    ['a short digest', manifests({ ...DESCRIPTOR, digest: 'sha256:ab' }), 'its digest is neither'],
    ['a size of text', manifests({ ...DESCRIPTOR, size: '3' }), 'its size is no count'],
    [
      'a platform of text',
      manifests({ ...DESCRIPTOR, platform: 'linux' }),
      'its platform is no object',
    ],
    [
      'an architecture of number',
      manifests({ ...DESCRIPTOR, platform: { architecture: 386 } }),
      'Cannot read the index, manifests[0], platform: its architecture is no text',
    ],
    [
      'annotations of numbers',
      manifests({ ...DESCRIPTOR, annotations: { a: 1 } }),
      'its annotations is not of texts alone',
    ],
    ['a subject of text', { manifests: [], subject: 'a' }, 'its subject is no object'],
  ])('refuses %s', (_, body, reason) => {
    expect(() => parse(body)).toThrow(refused(reason));
  });

  it('refuses a manifest without config, and what recogniseManifest() refuses', () => {
    expect(() => parse({ layers: [] }, OCI_MANIFEST)).toThrow(refused('its config is missing'));
    expect(() => parse({ manifests: [], layers: [] })).toThrow(
      refused('both an index and a manifest'),
    );
  });

  it('throws nothing but PinError', () => {
    const key = fc.constantFrom(
      'manifests',
      'config',
      'layers',
      'platform',
      'digest',
      'annotations',
    );
    const value = fc.letrec((tie) => ({
      value: fc.oneof(
        { depthSize: 'small' },
        fc.constantFrom<unknown>(DESCRIPTOR, null, '', 1),
        fc.array(tie('value')),
        fc.dictionary(key, tie('value')),
      ),
    })).value;
    fc.assert(
      fc.property(
        fc.constantFrom(OCI_INDEX, OCI_MANIFEST),
        fc.dictionary(key, value),
        (type, body) => {
          let caught: unknown;
          try {
            parse(body, type);
          } catch (error) {
            caught = error;
          }
          expect(caught === undefined || caught instanceof PinError).toBe(true);
        },
      ),
    );
  });
});
