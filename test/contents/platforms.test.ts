import { describe, expect, it } from '@jest/globals';

import { createImageDocuments, type ImageDocuments } from '../../src/contents/image-documents.ts';
import { manifestFor, manifestsOf } from '../../src/contents/platforms.ts';
import { formatPlatform, type Platform, parsePlatform } from '../../src/image/platform.ts';
import { ImageStore, OCI, type StoredDescriptor } from '../support/image-store.ts';

const AMD64 = { os: 'linux', architecture: 'amd64' };
const ARM64 = { os: 'linux', architecture: 'arm64' };
const ARM = { os: 'linux', architecture: 'arm', variant: 'v7' };
const UNKNOWN = { os: 'unknown', architecture: 'unknown' };

function documentsOf(store: ImageStore, root: StoredDescriptor): ImageDocuments {
  return createImageDocuments('r.test/app:1', store.registries(root));
}

/** What stands for a platform behind an image. */
async function chosen(store: ImageStore, root: StoredDescriptor, wanted: string): Promise<object> {
  const { digest, platform } = await manifestFor(parsePlatform(wanted), documentsOf(store, root));
  return { digest, platform: written(platform) };
}

function written(platform: Platform | undefined): string | undefined {
  return platform && formatPlatform(platform);
}

function notFound(message: string): unknown {
  return expect.objectContaining({ code: 'not_found', message });
}

describe('manifestFor()', () => {
  it('finds what the index names, and asks for nothing else', async () => {
    const store = new ImageStore();
    const images = [AMD64, ARM64].map((platform) => ({ ...store.image(platform, []), platform }));
    const root = store.index(images);
    expect(await chosen(store, root, 'linux/aarch64')).toEqual({
      digest: images[1]?.digest,
      platform: 'linux/arm64',
    });
    expect(store.asked).toEqual([`manifest ${root.digest}`]);
  });

  it('finds in an index within an index, and in one that does not say what it is for', async () => {
    const store = new ImageStore();
    const amd64 = store.imageFor(AMD64);
    const arm64 = store.imageFor(ARM64);
    const arm = store.imageFor(ARM);
    const inner = store.index([store.index([arm]), arm64]);
    const root = store.index([{ ...store.index([amd64]), platform: AMD64 }, inner]);
    const answers = ['linux/amd64', 'linux/arm64', 'linux/arm/v7'].map((wanted) =>
      chosen(store, root, wanted),
    );
    expect(await Promise.all(answers)).toEqual([
      { digest: amd64.digest, platform: 'linux/amd64' },
      { digest: arm64.digest, platform: 'linux/arm64' },
      { digest: arm.digest, platform: 'linux/arm/v7' },
    ]);
  });

  it('looks on where the first index without a platform has nothing', async () => {
    const store = new ImageStore();
    const arm64 = store.imageFor(ARM64);
    const amd64 = store.imageFor(AMD64);
    const root = store.index([store.index([amd64]), store.index([arm64])]);
    expect(await chosen(store, root, 'linux/arm64')).toMatchObject({ digest: arm64.digest });
  });

  it('reads the config of an entry without a platform, and prefers one that says its own', async () => {
    const store = new ImageStore();
    const silent = store.image(AMD64, []);
    const old = {
      ...store.image({ ...AMD64, architecture: '386' }, []),
      platform: { os: 'linux', architecture: '386' },
    };
    expect(await chosen(store, store.index([silent]), 'linux/amd64')).toEqual({
      digest: silent.digest,
      platform: 'linux/amd64',
    });
    expect(await chosen(store, store.index([silent, old]), 'linux/amd64')).toEqual({
      digest: old.digest,
      platform: 'linux/386',
    });
  });

  it('never chooses an attestation or an artifact', async () => {
    const store = new ImageStore();
    const attestation = { ...store.image({}, []), platform: UNKNOWN };
    const artifact = store.manifest({
      config: store.blob(OCI.empty, Buffer.from('no JSON')),
      layers: [],
    });
    const root = store.index([attestation, artifact]);
    await expect(chosen(store, root, 'linux/amd64')).rejects.toEqual(
      notFound('there is no image for linux/amd64: its index names no platform'),
    );
    await expect(chosen(store, root, 'unknown/unknown')).rejects.toMatchObject({
      code: 'not_found',
    });
  });

  it('says what there is instead', async () => {
    const store = new ImageStore();
    const inner = store.index([store.imageFor(ARM)]);
    const root = store.index([store.imageFor(AMD64), store.imageFor(UNKNOWN), inner]);
    await expect(chosen(store, root, 'linux/s390x')).rejects.toEqual(
      notFound('there is no image for linux/s390x: it has linux/amd64, linux/arm/v7'),
    );
  });

  it('names no more than 20 of them, without what a terminal obeys', async () => {
    const store = new ImageStore();
    const entries = Array.from({ length: 23 }, (_, index) => ({
      ...store.image({}, []),
      platform: { os: 'linux', architecture: `\u001B${index}` },
    }));
    await expect(chosen(store, store.index(entries), 'linux/amd64')).rejects.toEqual(
      notFound(
        expect.stringMatching(
          /has linux\/\\u\{1b\}0, .*\\u\{1b\}19 and 3 more$/,
        ) as unknown as string,
      ),
    );
  });

  it.each<[string, object]>([
    ['linux/arm64', ARM64],
    ['linux/arm/v6', { os: 'linux', architecture: 'armel' }],
  ])(
    'takes an image that is no index for %s where its config is for it',
    async (wanted, config) => {
      const store = new ImageStore();
      const root = store.image(config, []);
      expect(await chosen(store, root, wanted)).toMatchObject({ digest: root.digest });
    },
  );

  it('refuses an image that is for another platform, and an artifact', async () => {
    const store = new ImageStore();
    const artifact = store.manifest({ config: store.blob('application/x', {}), layers: [] });
    await expect(chosen(store, store.image(ARM, []), 'linux/amd64')).rejects.toEqual(
      notFound('there is no image for linux/amd64: it is for linux/arm/v7'),
    );
    await expect(chosen(store, artifact, 'linux/amd64')).rejects.toEqual(
      notFound('there is no image for linux/amd64: it is no image'),
    );
  });

  it('follows no more than 200 indexes', async () => {
    const store = new ImageStore();
    let index = store.index([]);
    for (let depth = 0; depth < 250; depth += 1) index = store.index([index]);
    await expect(chosen(store, index, 'linux/amd64')).rejects.toMatchObject({
      code: 'unsupported_manifest',
    });
    expect(store.asked).toHaveLength(200);
  });

  it('refuses what is called an index and is none', async () => {
    const store = new ImageStore();
    const root = store.index([{ ...store.image(AMD64, []), mediaType: OCI.index }]);
    await expect(chosen(store, root, 'linux/amd64')).rejects.toMatchObject({
      code: 'unsupported_manifest',
      message: expect.stringContaining('is called one in it, and is none'),
    });
  });
});

describe('manifestsOf()', () => {
  it('lists all but attestations, in their order, and those of indexes in the index', async () => {
    const store = new ImageStore();
    const amd64 = store.imageFor(AMD64);
    const silent = store.image(ARM64, []);
    const artifact = store.manifest({ config: store.blob('application/x', {}), layers: [] });
    const arm = store.imageFor(ARM);
    const root = store.index([
      store.index([amd64]),
      store.imageFor(UNKNOWN),
      silent,
      artifact,
      arm,
    ]);
    const manifests = await manifestsOf(documentsOf(store, root));
    expect(manifests.map(({ digest, platform }) => [digest, written(platform)])).toEqual([
      [amd64.digest, 'linux/amd64'],
      [silent.digest, 'linux/arm64'],
      [artifact.digest, undefined],
      [arm.digest, 'linux/arm/v7'],
    ]);
  });

  it('gives an image that is no index, with the platform of its config', async () => {
    const store = new ImageStore();
    const root = store.image(ARM, []);
    const [manifest, ...more] = await manifestsOf(documentsOf(store, root));
    expect([manifest?.digest, written(manifest?.platform), more]).toEqual([
      root.digest,
      'linux/arm/v7',
      [],
    ]);
  });

  it('looks at each index once, however many ways lead to it', async () => {
    const store = new ImageStore();
    const amd64 = store.imageFor(AMD64);
    let index = store.index([amd64]);
    for (let depth = 0; depth < 10; depth += 1) index = store.index([index, index, index]);
    const manifests = await manifestsOf(documentsOf(store, index));
    expect(manifests.map(({ digest }) => digest)).toEqual([amd64.digest]);
  });
});
