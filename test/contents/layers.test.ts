import { gzipSync, zstdCompressSync } from 'node:zlib';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';

import { type LayersOptions, runLayers } from '../../src/contents/layers.ts';
import type { Registries } from '../../src/contents/registries.ts';
import { PinError } from '../../src/errors.ts';
import { parsePlatform } from '../../src/image/platform.ts';
import { Files } from '../support/files.ts';
import { ImageStore, OCI, type StoredDescriptor } from '../support/image-store.ts';
import { recordedStreams } from '../support/streams.ts';
import { packTree, tarList } from '../support/tar-tree.ts';

const NAME = 'r.test/app';
const CHART = 'application/vnd.cncf.helm.chart.content.v1.tar+gzip';

let files: Files;
let archive: Buffer;

beforeAll(() => {
  files = new Files();
  files.write('tree/bin/sh', '#!');
  files.write('tree/etc/.wh.passwd', '');
  files.write('tree/etc/name\u202e\u009b', 'x');
  archive = packTree(files.at('tree'));
});
afterAll(() => files[Symbol.asyncDispose]());

interface Listed {
  readonly passed: boolean;
  readonly out: string;
  readonly err: string;
}

async function list(registries: Registries, options: Partial<LayersOptions> = {}): Promise<Listed> {
  const streams = recordedStreams();
  const wanted: LayersOptions = {
    image: `${NAME}:1`,
    platform: undefined,
    list: undefined,
    long: false,
    format: 'text',
    ...options,
  };
  const passed = await runLayers(wanted, registries, streams);
  return { passed, ...streams.written };
}

interface Sample {
  readonly store: ImageStore;
  readonly gzip: StoredDescriptor;
  readonly zstd: StoredDescriptor;
  readonly image: StoredDescriptor;
}

function sample(): Sample {
  const store = new ImageStore();
  const gzip = store.blob(OCI.gzip, gzipSync(archive));
  const zstd = store.blob(OCI.zstd, zstdCompressSync(archive));
  const tar = store.blob(OCI.tar, archive);
  const history = [
    { created_by: 'ADD one' },
    { created_by: 'ENV A=b', empty_layer: true },
    { created_by: 'COPY\ttwo \u001b[31m' },
    { created_by: '' },
  ];
  const config = { os: 'linux', architecture: 'amd64', history };
  return { store, gzip, zstd, image: store.image(config, [gzip, zstd, tar]) };
}

describe('runLayers', () => {
  it('lists layers with their numbers, sizes, digests, types and origins', async () => {
    const { store, gzip, zstd, image } = sample();
    const { passed, out } = await list(store.registries(image));
    expect(passed).toBe(true);
    expect(out.split('\n').map((line) => line.trim().replace(/ {2,}/g, ' | '))).toEqual([
      'LAYER | SIZE | DIGEST | MEDIA TYPE | CREATED BY',
      `1 | ${gzip.size} B | ${gzip.digest} | ${OCI.gzip} | ADD one`,
      `2 | ${zstd.size} B | ${zstd.digest} | ${OCI.zstd} | COPY two \\u{1b}[31m`,
      expect.stringMatching(/^3 \| 10\.2 kB \| sha256:\w{64} \| \S+\.tar$/),
      expect.stringMatching(/^3 layers, 10\.\d kB as stored$/),
      '',
    ]);
  });

  it('lists them as JSON and YAML, and where history tells of another number of layers', async () => {
    const { store, gzip } = sample();
    const config = { os: 'linux', architecture: 'amd64', history: [{ created_by: 'a' }] };
    const image = store.image(config, [gzip, gzip]);
    const json = await list(store.registries(image), { format: 'json' });
    const yaml = await list(store.registries(image), { format: 'yaml' });
    const { size, ...named } = gzip;
    const layer = { ...named, sizeBytes: size };
    const report = {
      image: `${NAME}:1`,
      digest: image.digest,
      layers: [
        { number: 1, ...layer },
        { number: 2, ...layer },
      ],
      layersSizeBytes: size * 2,
    };
    expect(JSON.parse(json.out)).toEqual(report);
    expect(parse(yaml.out)).toEqual(report);
  });

  it.each([1, 2, 3])('lists the files of layer %i as tar does', async (number) => {
    const { store, image } = sample();
    const short = await list(store.registries(image), { list: number });
    expect(short).toEqual({ passed: true, out: shownByTar(), err: '' });
    const long = await list(store.registries(image), { list: number, long: true });
    expect(long.out).toBe(shownByTar('-v'));
  });

  it('lists files as JSON and YAML', async () => {
    const { store, image } = sample();
    const json = await list(store.registries(image), { list: 1, format: 'json' });
    const yaml = await list(store.registries(image), { list: 1, format: 'yaml' });
    const report: unknown = JSON.parse(json.out);
    expect(report).toEqual(parse(yaml.out));
    expect(report).toContainEqual(expect.objectContaining({ path: 'tree/bin/sh', sizeBytes: 2 }));
    expect(report).toContainEqual(expect.objectContaining({ path: 'tree/etc/name\u202e\u009b' }));
    for (const { out } of [json, yaml]) expect(out).not.toMatch(/[^\P{C}\n]/u);
    const empty = store.image({}, [store.blob(OCI.tar, Buffer.alloc(1024))]);
    for (const format of ['json', 'yaml'] as const) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const { out } = await list(store.registries(empty), { list: 1, format });
      expect(parse(out)).toEqual([]);
    }
  });

  it('takes linux/amd64 of an index, and the platform that is asked for', async () => {
    const { store, gzip, zstd } = sample();
    const amd64 = store.image({ os: 'linux', architecture: 'amd64' }, [gzip]);
    const arm64 = store.image({ os: 'linux', architecture: 'arm64' }, [zstd]);
    const index = store.index([
      { ...arm64, platform: { os: 'linux', architecture: 'arm64' } },
      { ...amd64, platform: { os: 'linux', architecture: 'amd64' } },
    ]);
    expect((await list(store.registries(index))).out).toContain(gzip.digest);
    const platform = parsePlatform('linux/arm64');
    expect((await list(store.registries(index), { platform })).out).toContain(zstd.digest);
  });

  it('lists archives of artifacts', async () => {
    const { store, gzip } = sample();
    const chart = { ...gzip, mediaType: CHART };
    const config = store.blob('application/vnd.cncf.helm.config.v1+json', {});
    const image = store.manifest({ config, layers: [chart] });
    const { out } = await list(store.registries(image), { list: 1 });
    expect(out).toBe(shownByTar());
  });

  it('fails where a layer has not its digest, though it can be read', async () => {
    const { store, gzip, image } = sample();
    const bytes = gzipSync(archive);
    // The system on which it was compressed (RFC 1952 section 2.3.1).
    bytes[9] = 11;
    store.blobs.set(gzip.digest, { mediaType: OCI.gzip, bytes });
    const { passed, err } = await list(store.registries(image), { list: 1 });
    expect(passed).toBe(false);
    expect(err).toBe(
      `tagpin: "${NAME}:1": layer 1 (${gzip.digest}): r.test sent a blob that has not its digest; look at what answers under this name: it is not a registry [invalid_response]\n`,
    );
  });

  it('tells that a layer is damaged, and that a foreign one is not there', async () => {
    const { store } = sample();
    const damaged = store.blob(OCI.gzip, gzipSync(archive).subarray(0, 100));
    const foreign = {
      ...damaged,
      mediaType: 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip',
      digest: `sha256:${'0'.repeat(64)}`,
    };
    const image = store.image({}, [damaged, foreign]);
    const first = await list(store.registries(image), { list: 1 });
    expect(first.err).toContain('its gzip data is damaged');
    const second = await list(store.registries(image), { list: 2 });
    expect(second).toMatchObject({ passed: false, out: '' });
    expect(second.err).toContain('it is a foreign layer, which is not pushed to registries');
  });

  it('reads no more of a layer than its manifest says, which may have no end', async () => {
    const { store, image } = sample();
    const layer = store.blob(OCI.tar, archive);
    const served = store.registries(image);
    const blob: Registries['blob'] = async (name, digest) =>
      digest === layer.digest
        ? { sizeBytes: undefined, content: endless() }
        : served.blob(name, digest);
    const { passed, err } = await list({ ...served, blob }, { list: 3 });
    expect(passed).toBe(false);
    expect(err).toContain(`it has more than the ${layer.size} bytes that its manifest says`);
  });

  it.each([
    [3, 'there is no layer 3: it has layers 1 to 2'],
    [
      2,
      'layer 2 is no archive of files but text/\\u{1b}plain; its bytes are printed by: tagpin blob r.test/app@sha256:',
    ],
  ])('refuses to list layer %i, as a mistake in the command line', async (number, message) => {
    const { store, gzip } = sample();
    const image = store.image({}, [gzip, store.blob('text/\u001bplain', Buffer.from('a'))]);
    const listed = list(store.registries(image), { list: number });
    await expect(listed).rejects.toThrow(PinError);
    await expect(listed).rejects.toMatchObject({ code: 'invalid_config' });
    await expect(listed).rejects.toThrow(message);
  });

  it('reads no more when nobody reads on, and says that the digest is not known', async () => {
    const { store, image } = sample();
    const streams = { ...recordedStreams(), isRead: () => false };
    const options = {
      image: NAME,
      platform: undefined,
      list: 3,
      long: false,
      format: 'text',
    } as const;
    expect(await runLayers(options, store.registries(image), streams)).toBe(false);
    expect(streams.written.out).toBe('tree/\n');
    expect(streams.written.err).toMatch(/^tagpin: "r.test\/app": nobody read on, .*\n$/);
  });
});

/** An archive, and then what belongs to none. */
async function* endless(): AsyncGenerator<Uint8Array> {
  yield archive;
  // As a connection does, it lets others have their turn.
  for (;;) yield await Promise.resolve(Buffer.alloc(512));
}

/** GNU tar shows format characters as they are; tagpin lets none through to a terminal. */
function shownByTar(...flags: readonly string[]): string {
  return tarList(archive, ...flags)
    .replaceAll('\u202e', '\\342\\200\\256')
    .replaceAll('\u009b', '\\302\\233');
}
