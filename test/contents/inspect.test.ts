import { gzipSync, zstdCompressSync } from 'node:zlib';

import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';

import { type InspectOptions, runInspect } from '../../src/contents/inspect.ts';
import type { Registries } from '../../src/contents/registries.ts';
import { PinError } from '../../src/errors.ts';
import { parsePlatform } from '../../src/image/platform.ts';
import { ImageStore, OCI, type StoredDescriptor } from '../support/image-store.ts';
import { recordedStreams } from '../support/streams.ts';

const NAME = 'r.test/app';
const IN_TOTO = 'application/vnd.in-toto+json';
const COSIGN = 'application/vnd.dev.cosign.simplesigning.v1+json';
/** What a terminal would obey, a forged line, and a text that runs from right to left. */
const HOSTILE = 'x\u001b[31m\u009b2J\nDigest:  forged\u202egnp';

interface Shown {
  readonly passed: boolean;
  readonly out: string;
  readonly err: string;
}

async function show(
  registries: Registries,
  options: Partial<InspectOptions> = {},
  colours = false,
): Promise<Shown> {
  const streams = { ...recordedStreams(), colours };
  const wanted: InspectOptions = { image: `${NAME}:1`, extent: 'one', format: 'text', ...options };
  const passed = await runInspect(wanted, registries, streams);
  return { passed, ...streams.written };
}

function configOf(architecture: string): object {
  return {
    os: 'linux',
    architecture,
    created: '2024-05-01T10:00:00Z',
    author: 'somebody',
    config: {
      User: '1000:1000',
      Env: ['PATH=/usr/bin', 'A=b c'],
      Entrypoint: ['/entry', 'a b'],
      Cmd: ['serve'],
      ExposedPorts: { '80/tcp': {}, '53/udp': {} },
      Volumes: { '/data': {} },
      WorkingDir: '/srv',
      StopSignal: 'SIGQUIT',
      Labels: { maintainer: 'them', empty: '' },
    },
    rootfs: { type: 'layers', diff_ids: [] },
    history: [
      { created_by: '/bin/sh -c #(nop) ADD file:1 in / ' },
      { created_by: '/bin/sh -c #(nop)  ENV A=b', empty_layer: true },
      { created_by: `RUN ${'long '.repeat(60)}` },
    ],
  };
}

interface Sample {
  readonly store: ImageStore;
  readonly amd64: StoredDescriptor;
  readonly arm64: StoredDescriptor;
  readonly attestation: StoredDescriptor;
  readonly signature: StoredDescriptor;
  readonly layer: StoredDescriptor;
  readonly index: StoredDescriptor;
}

/** An index of two platforms, an attestation of the first and a signature. */
function sample(): Sample {
  const store = new ImageStore();
  const layer = store.blob(OCI.gzip, gzipSync(Buffer.alloc(1024)));
  const layers = [layer, { ...store.blob(OCI.zstd, Buffer.from('z')), size: 28_200_000 }];
  const amd64 = store.image(configOf('amd64'), layers, { annotations: { version: '1.2' } });
  const arm64 = store.image(configOf('arm64'), layers);
  const statement = store.blob(IN_TOTO, { _type: 'statement' });
  const attestation = store.image({ os: 'unknown', architecture: 'unknown' }, [
    {
      ...statement,
      annotations: { 'in-toto.io/predicate-type': 'https://slsa.dev/provenance/v1' },
    },
    { ...statement, annotations: { 'in-toto.io/predicate-type': 'https://spdx.dev/Document' } },
  ]);
  const signature = store.manifest({
    artifactType: 'application/vnd.dev.cosign.artifact.sig.v1+json',
    config: store.blob(OCI.empty, {}),
    layers: [store.blob(COSIGN, { critical: {} })],
    subject: amd64,
  });
  const index = store.index(
    [
      { ...arm64, platform: { os: 'linux', architecture: 'arm64', variant: 'v8' } },
      { ...amd64, platform: { os: 'linux', architecture: 'amd64' } },
      {
        ...attestation,
        platform: { os: 'unknown', architecture: 'unknown' },
        annotations: {
          'vnd.docker.reference.type': 'attestation-manifest',
          'vnd.docker.reference.digest': amd64.digest,
        },
      },
      { ...signature, artifactType: 'application/vnd.dev.cosign.artifact.sig.v1+json' },
    ],
    { annotations: { team: 'shop' } },
  );
  return { store, amd64, arm64, attestation, signature, layer, index };
}

describe('runInspect of an index', () => {
  it('shows what it has by name, and linux/amd64 in full', async () => {
    const { store, amd64, arm64, attestation, signature, layer, index } = sample();
    const { passed, out, err } = await show(store.registries(index));
    expect({ passed, err }).toEqual({ passed: true, err: '' });
    const lines = out.split('\n').map((line) => line.replace(/ {2,}/g, ' | ').trim());
    expect(lines).toEqual(
      expect.arrayContaining([
        `Image: | ${NAME}:1`,
        `Digest: | ${index.digest}`,
        `Kind: | an index (${OCI.index})`,
        'Annotations: | team=shop',
        `linux/arm64/v8 | ${arm64.digest} | 2 | 28.2 MB`,
        `linux/amd64 | ${amd64.digest} | 2 | 28.2 MB`,
        `attestation of linux/amd64 | ${attestation.digest} | - | -`,
        `signature (cosign) | ${signature.digest} | - | -`,
        `linux/amd64 ${amd64.digest}`,
        '| Annotations: | version=1.2',
        `| Attestations: | ${attestation.digest} https://slsa.dev/provenance/v1`,
        `| ${attestation.digest} https://spdx.dev/Document`,
        '| Platform: | linux/amd64',
        '| Created: | 2024-05-01T10:00:00Z',
        '| Author: | somebody',
        '| Entrypoint: | ["/entry","a b"]',
        '| Command: | ["serve"]',
        '| User: | 1000:1000',
        '| Working dir: | /srv',
        '| Stop signal: | SIGQUIT',
        '| Ports: | 80/tcp',
        '| 53/udp',
        '| Volumes: | /data',
        '| Environment: | PATH=/usr/bin',
        '| A=b c',
        '| Labels: | maintainer=them',
        '| empty=',
        '| Layers: | 2, 28.2 MB as stored',
        `| 1 | ${layer.size} B | ${layer.digest} | ADD file:1 in /`,
        '| - | - | - | ENV A=b',
        expect.stringMatching(/^\| 2 \| 28\.2 MB \| sha256:\w{64} \| RUN long .{90}…$/),
        'Others are shown with --platform or --all-platforms.',
      ]),
    );
    expect(out).not.toContain('Platform:       linux/arm64');
  });

  it('shows the first in full where it has no linux/amd64, and all where all are asked for', async () => {
    const { store, arm64, index } = sample();
    const other = store.image(configOf('s390x'), []);
    const two = store.index([
      { ...arm64, platform: { os: 'linux', architecture: 'arm64' } },
      { ...other, platform: { os: 'linux', architecture: 's390x' } },
    ]);
    const first = await show(store.registries(two));
    expect(first.out.match(/^ {2}Platform:.*$/gm)).toEqual([expect.stringMatching('linux/arm64$')]);
    const all = await show(store.registries(index), { extent: 'all' });
    expect(all.out.match(/^ {2}Platform:.*$/gm)).toHaveLength(2);
    expect(all.out).not.toContain('Others are shown');
  });

  it('shows one platform where it is asked for, and asks for nothing of the others', async () => {
    const { store, amd64, arm64, attestation, index } = sample();
    const extent = { platform: parsePlatform('linux/amd64') };
    const { passed, out } = await show(store.registries(index), { extent });
    expect(passed).toBe(true);
    expect(out).toContain('attestation of linux/amd64');
    expect(out).not.toContain(arm64.digest);
    const manifests = store.asked.filter((line) => line.startsWith('manifest'));
    expect(manifests).toEqual(
      [index, amd64, attestation].map(({ digest }) => `manifest ${digest}`),
    );
    const none = await show(store.registries(index), {
      extent: { platform: parsePlatform('linux/s390x') },
    });
    expect(none).toMatchObject({ passed: false, out: '' });
    expect(none.err).toContain('it has linux/arm64/v8, linux/amd64');
  });

  it('shows what an index in it has, and names an image by its config where the index does not', async () => {
    const { store, amd64 } = sample();
    const bare = store.image(configOf('riscv64'), []);
    const chart = store.manifest({
      config: store.blob('application/vnd.cncf.helm.config.v1+json', {}),
      layers: [],
    });
    const inner = store.index([{ ...amd64, platform: { os: 'linux', architecture: 'amd64' } }]);
    const { out } = await show(store.registries(store.index([bare, inner, chart])));
    const rows = out.split('\n').map((line) => line.split(/ {2,}/).slice(0, 2));
    expect(rows).toEqual(
      expect.arrayContaining([
        ['linux/riscv64', bare.digest],
        ['linux/amd64', amd64.digest],
        ['Helm chart', chart.digest],
      ]),
    );
  });

  it('shows an index once, however many ways lead to it', async () => {
    const store = new ImageStore();
    let index = store.index([store.imageFor({ os: 'linux', architecture: 'amd64' })]);
    // One after the other they would be 2,000 to the power of three.
    for (let depth = 0; depth < 3; depth += 1) index = store.index(Array(2000).fill(index));
    const { passed, out } = await show(store.registries(index), { format: 'json' });
    expect(passed).toBe(true);
    expect(JSON.parse(out)).toMatchObject({
      manifests: [{ kind: 'image', platform: 'linux/amd64' }],
      details: [{}],
    });
  });

  it('shows an image in full once, however often it is in the index', async () => {
    const store = new ImageStore();
    const image = store.imageFor({ os: 'linux', architecture: 'amd64' });
    const index = store.index([image, image, image]);
    const { out } = await show(store.registries(index), { extent: 'all', format: 'json' });
    const { manifests, details } = JSON.parse(out) as Record<string, unknown[]>;
    expect([manifests?.length, details?.length]).toEqual([3, 1]);
    expect((await show(store.registries(index))).out).not.toContain('Others');
  });

  it('shows the rest of an index of which a part is not there, and fails', async () => {
    const { store, amd64, arm64, index } = sample();
    store.manifests.delete(arm64.digest);
    const { passed, out, err } = await show(store.registries(index));
    expect(passed).toBe(false);
    expect(out).toMatch(new RegExp(`^linux/arm64/v8 +${arm64.digest} +- +not_found$`, 'm'));
    expect(out).toContain(`linux/amd64 ${amd64.digest}`);
    expect(err).toBe(
      `tagpin: "${NAME}@${arm64.digest}": r.test has no such manifest; push the tag, or correct its name [not_found]\n`,
    );
    store.manifests.set(arm64.digest, { mediaType: OCI.manifest, bytes: Buffer.from('{}') });
    expect((await show(store.registries(index))).err).toContain('[unsupported_manifest]');
  });
});

describe('runInspect of what is no index', () => {
  it('says that a manifest is that of one platform', async () => {
    const { store, amd64 } = sample();
    const { out } = await show(store.registries(amd64), { image: `${NAME}@${amd64.digest}` });
    expect(out).toMatch(/^Kind: +the manifest of one platform \(linux\/amd64\), no index$/m);
    expect(out).toMatch(/^Entrypoint: +\["\/entry","a b"\]$/m);
  });

  it('says that a digest is an image ID, whose config it shows', async () => {
    const { store, amd64, index } = sample();
    const manifest: { config: StoredDescriptor } = JSON.parse(
      String(store.manifests.get(amd64.digest)?.bytes),
    );
    const image = `${NAME}@${manifest.config.digest}`;
    const { passed, out } = await show(store.registries(index), { image });
    expect(passed).toBe(true);
    expect(out).toMatch(/^Kind: +an image ID: the config of an image, no manifest/m);
    expect(out).toMatch(/^User: +1000:1000$/m);
    const json = await show(store.registries(index), { image, format: 'json' });
    expect(JSON.parse(json.out)).toMatchObject({ kind: 'config', config: { user: '1000:1000' } });
  });

  it.each([
    ['a gzip layer', gzipSync(Buffer.alloc(1024)), 'layer'],
    ['a zstd layer', zstdCompressSync(Buffer.alloc(1024)), 'layer'],
    ['a long layer', zstdCompressSync(Buffer.alloc(50_000_000)), 'layer'],
    ['a tar', Buffer.alloc(10_240), 'layer'],
    ['text', Buffer.from('hello'.repeat(1000)), 'blob'],
    ['nothing', Buffer.alloc(0), 'blob'],
    ['gzip of text', gzipSync('hello'.repeat(1000)), 'blob'],
    ['JSON', Buffer.from('{"spdxVersion": "SPDX-2.3", "config": [1]}'), 'blob'],
    [
      'JSON of more than a config has',
      Buffer.from(`{"os":"linux","architecture":"amd64"}${' '.repeat(4_200_000)}`),
      'blob',
    ],
  ])('says what a blob is: %s', async (_, bytes, kind) => {
    const { store, index } = sample();
    const { digest } = store.blob('', bytes);
    const options = { image: `${NAME}@${digest}`, format: 'json' } as const;
    const { passed, out } = await show(store.registries(index), options);
    expect(passed).toBe(true);
    expect(JSON.parse(out)).toEqual({
      image: `${NAME}@${digest}`,
      kind,
      digest,
      sizeBytes: bytes.length,
    });
  });

  it('names artifacts, by their type, their config or their blobs', async () => {
    const { store, attestation, signature, amd64 } = sample();
    const empty = store.blob(OCI.empty, {});
    const cases: readonly (readonly [StoredDescriptor, string, string])[] = [
      [attestation, 'an artifact: attestation (in-toto)', 'https://spdx.dev/Document'],
      [signature, 'an artifact: signature (cosign)', `Subject:        ${amd64.digest}`],
      [store.image({}, [store.blob(COSIGN, { a: 1 })]), 'an artifact: signature (cosign)', COSIGN],
      [
        store.manifest({
          artifactType: 'application/x.mine',
          config: empty,
          layers: [
            {
              ...store.blob('text/plain', Buffer.from('a')),
              annotations: { 'org.opencontainers.image.title': 'a.txt' },
            },
          ],
        }),
        'an artifact',
        'text/plain a.txt',
      ],
    ];
    for (const [artifact, kind, more] of cases) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const { passed, out } = await show(store.registries(artifact));
      expect(passed).toBe(true);
      expect(out.split('\n').map((line) => line.replace(/^Kind: +/, ''))).toContain(kind);
      expect(out).toContain(more);
    }
  });

  it('tells of the manifest that is not there where there is no such blob either', async () => {
    const { store, index } = sample();
    const image = `${NAME}@sha256:${'0'.repeat(64)}`;
    expect(await show(store.registries(index), { image })).toEqual({
      passed: false,
      out: '',
      err: `tagpin: "${image}": r.test has no such manifest, and neither has it such a blob; correct the digest [not_found]\n`,
    });
  });

  it('asks for no blob where the manifest fails otherwise', async () => {
    const { store, layer, index } = sample();
    const registries = {
      ...store.registries(index),
      manifest: () => Promise.reject(new PinError('unauthorized', 'r.test answered 401')),
    };
    const image = `${NAME}@${layer.digest}`;
    expect((await show(registries, { image })).err).toContain('[unauthorized]');
    expect(store.asked).toEqual([]);
  });

  it('fails where the config has not its digest', async () => {
    const { store, amd64 } = sample();
    for (const [digest, { bytes }] of store.blobs) {
      if (bytes.includes('amd64'))
        store.blobs.set(digest, { mediaType: '', bytes: Buffer.concat([bytes, Buffer.from(' ')]) });
    }
    const { passed, out, err } = await show(store.registries(amd64));
    expect({ passed, out }).toEqual({ passed: false, out: '' });
    expect(err).toContain('[invalid_response]');
  });
});

describe('runInspect, told by strangers', () => {
  it.each(['text', 'json', 'yaml'] as const)(
    'lets nothing through that moves a cursor: %s',
    async (format) => {
      const store = new ImageStore();
      const layer = {
        ...store.blob(OCI.gzip, Buffer.from('x')),
        mediaType: HOSTILE,
        annotations: { [HOSTILE]: HOSTILE },
      };
      const config = {
        os: HOSTILE,
        architecture: HOSTILE,
        created: HOSTILE,
        author: HOSTILE,
        config: {
          User: HOSTILE,
          Env: [HOSTILE],
          Entrypoint: [HOSTILE],
          Cmd: [HOSTILE],
          ExposedPorts: { [HOSTILE]: {} },
          Volumes: { [HOSTILE]: {} },
          WorkingDir: HOSTILE,
          StopSignal: HOSTILE,
          Labels: { [HOSTILE]: HOSTILE },
        },
        history: [{ created_by: HOSTILE }],
      };
      const more = {
        annotations: { [HOSTILE]: HOSTILE },
        artifactType: HOSTILE,
        subject: { ...layer },
      };
      const image = store.image(config, [layer], more);
      const artifact = { ...image, artifactType: HOSTILE, annotations: {} };
      const attestation = {
        ...image,
        annotations: {
          'vnd.docker.reference.type': 'attestation-manifest',
          'vnd.docker.reference.digest': HOSTILE,
        },
      };
      const index = store.index(
        [{ ...image, platform: { os: HOSTILE, architecture: HOSTILE } }, artifact, attestation],
        more,
      );
      const { passed, out } = await show(store.registries(index), { format, extent: 'all' });
      expect(passed).toBe(true);
      expect(out).not.toMatch(/[^\P{C}\n]|[\u2028\u2029]/u);
      expect(out.split('\n').filter((line) => line.startsWith('Digest:  forged'))).toEqual([]);
      if (format === 'text') return;
      const report: unknown = format === 'json' ? JSON.parse(out) : parse(out);
      expect(report).toMatchObject({
        details: [{ config: { user: HOSTILE, environment: [HOSTILE] } }],
      });
    },
  );

  it('has colours on a terminal alone', async () => {
    const { store, index } = sample();
    const plain = await show(store.registries(index));
    const coloured = await show(store.registries(index), {}, true);
    expect(plain.out).not.toContain('\u001b');
    expect(coloured.out).toContain('\u001b[1mDigest:\u001b[22m');
    expect(coloured.out.replaceAll('\u001b[1m', '').replaceAll('\u001b[22m', '')).toBe(plain.out);
  });
});
