import { gzipSync, zstdCompressSync } from 'node:zlib';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { Files } from '../test/support/files.ts';
import { ImageStore, OCI } from '../test/support/image-store.ts';
import { type Ended, runTagpin } from '../test/support/process.ts';
import { packTree, tarList, writeTree } from '../test/support/tar-tree.ts';
import { crane } from './support/crane.ts';
import { readEnvironment } from './support/environment.ts';
import type { Registry } from './support/registry.ts';
import { pushStore, putSampleIndex, type SampleIndex } from './support/stored-image.ts';
import { TestImage } from './support/test-image.ts';

const { registry, privateRegistry } = readEnvironment();

/** More than one answer of a socket holds. */
const LARGE_BYTES = 3_000_000;

let files: Files;
let archive: Buffer;
let sample: SampleIndex;
let image: TestImage;

beforeAll(async () => {
  files = new Files();
  const tree = writeTree(files.directory);
  files.write('tree/large', 'x'.repeat(LARGE_BYTES));
  archive = packTree(tree, '--sparse', '--format=posix');
  image = await pushSample(registry);
});
afterAll(() => files[Symbol.asyncDispose]());

async function pushSample(to: Registry): Promise<TestImage> {
  const store = new ImageStore();
  const layers = [
    store.blob(OCI.gzip, gzipSync(archive)),
    store.blob(OCI.zstd, zstdCompressSync(archive)),
    store.blob(OCI.tar, archive),
  ];
  sample = putSampleIndex(store, layers);
  return TestImage.pushedBy(to, (target) => pushStore(target, store, sample.index));
}

async function reportOf(reference: string, ...more: readonly string[]): Promise<unknown> {
  const { code, stdout, stderr } = await runTagpin(['inspect', '-o', 'json', ...more, reference]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return JSON.parse(stdout);
}

describe('tagpin inspect', () => {
  it('shows an index with its platforms, its attestation and its signature', async () => {
    const { index, amd64, arm64, attestation, signature } = sample;
    const { code, stdout, stderr } = await runTagpin(['inspect', image.tagged]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const rows = stdout.split('\n').map((line) => line.trim().split(/ {2,}/).slice(0, 2));
    expect(rows).toEqual(
      expect.arrayContaining([
        ['Digest:', index.digest],
        ['linux/amd64', amd64.digest],
        ['linux/arm64/v8', arm64.digest],
        ['attestation of linux/amd64', attestation.digest],
        ['signature (cosign)', signature.digest],
        ['Entrypoint:', '["/entry"]'],
        ['Attestations:', `${attestation.digest} https://slsa.dev/provenance/v1`],
      ]),
    );
  });

  it('tells of a platform what crane does of its config and its manifest', async () => {
    const platform = ['--platform', 'linux/arm64'];
    const [report, config, manifest] = await Promise.all([
      reportOf(image.tagged, ...platform),
      crane(registry, ['config', ...platform, image.tagged]),
      crane(registry, ['manifest', ...platform, image.tagged]),
    ]);
    const { architecture, config: run, history } = JSON.parse(config);
    const { layers } = JSON.parse(manifest);
    expect(report).toMatchObject({
      kind: 'index',
      manifests: [{ platform: 'linux/arm64/v8', digest: sample.arm64.digest }],
      details: [
        {
          digest: sample.arm64.digest,
          config: {
            platform: `linux/${architecture}`,
            user: run.User,
            environment: run.Env,
            entrypoint: run.Entrypoint,
            ports: Object.keys(run.ExposedPorts),
          },
          layers: layers.map((layer: { digest: string; size: number }, index: number) => ({
            digest: layer.digest,
            sizeBytes: layer.size,
            createdBy: history[index].created_by,
          })),
        },
      ],
    });
  });

  it('says what a digest is: an index, a manifest, an attestation, an image ID, a layer', async () => {
    const { index, amd64, attestation, config, layers } = sample;
    const wanted = [
      [index, { kind: 'index' }],
      [amd64, { kind: 'image' }],
      [attestation, { kind: 'artifact', details: [{ name: 'attestation (in-toto)' }] }],
      [config, { kind: 'config', config: { user: '1000' } }],
      ...layers.map((layer) => [layer, { kind: 'layer', sizeBytes: layer.size }] as const),
    ] as const;
    const reports = await Promise.all(
      wanted.map(([{ digest }]) => reportOf(`${image.name}@${digest}`)),
    );
    for (const [at, [{ digest }, report]] of wanted.entries()) {
      expect(reports[at]).toMatchObject({ digest, ...report });
    }
  });
});

describe('tagpin layers', () => {
  it('lists layers by digest of an index, of a manifest and by tag', async () => {
    const digests = sample.layers.map(({ digest }) => digest);
    const { index, amd64 } = sample;
    const references = [
      image.tagged,
      ...[index, amd64].map(({ digest }) => `${image.name}@${digest}`),
    ];
    const ended = await Promise.all(references.map((name) => runTagpin(['layers', name])));
    for (const { code, stdout } of ended) {
      expect(code).toBe(0);
      expect(stdout.match(/sha256:\w{64}/g)).toEqual(digests);
    }
  });

  it.each([1, 2, 3])('lists the files of layer %i as tar does', async (number) => {
    const list = ['layers', '--list', String(number), image.tagged];
    const [short, long] = await Promise.all([runTagpin(list), runTagpin([...list, '--long'])]);
    expect(short).toEqual({ code: 0, stdout: tarList(archive), stderr: '' });
    expect(long).toEqual({ code: 0, stdout: tarList(archive, '-v'), stderr: '' });
  });

  it('lists the files of a private image with the password of its account', async () => {
    const other = await pushSample(privateRegistry);
    const { username = '', password = '' } = privateRegistry.account ?? {};
    const list = (...more: readonly string[]): Promise<Ended> =>
      runTagpin(['layers', '--list', '1', ...more, other.tagged], { HOME: '/none' }, password);
    const opened = await list(`--username=${username}`, '--password-stdin');
    expect(opened).toEqual({ code: 0, stdout: tarList(archive), stderr: '' });
    expect(await list()).toMatchObject({ code: 1, stdout: '' });
  });
});
