import { describe, expect, it } from '@jest/globals';

import { digestOf, printBlob, printConfig, printManifest } from '../../src/contents/raw.ts';
import { PinError } from '../../src/errors.ts';
import { parsePlatform } from '../../src/image/platform.ts';
import { digest } from '../support/admission.ts';
import { ImageStore, OCI, type StoredDescriptor } from '../support/image-store.ts';
import { registriesOf } from '../support/registries.ts';
import { recordedStreams } from '../support/streams.ts';

const AMD64 = { os: 'linux', architecture: 'amd64' };
const ARM64 = { os: 'linux', architecture: 'arm64' };
const IMAGE = 'r.test/app:1';

/** What a command writes of what a store has. */
async function run(
  print: typeof printManifest,
  { store, root, platform }: { store: ImageStore; root: StoredDescriptor; platform?: string },
): Promise<object> {
  const streams = recordedStreams();
  const wanted = platform === undefined ? undefined : parsePlatform(platform);
  const done = await print({ image: IMAGE, platform: wanted }, store.registries(root), streams);
  return { done, ...streams.written };
}

function textOf(store: ImageStore, { digest: wanted }: StoredDescriptor): string {
  return store.manifests.get(wanted)?.bytes.toString() ?? '';
}

describe('printManifest()', () => {
  const store = new ImageStore();
  const amd64 = store.imageFor(AMD64);
  const arm64 = store.imageFor(ARM64);
  const root = store.index([amd64, arm64]);

  it('writes what stands behind the image', async () => {
    expect(await run(printManifest, { store, root })).toEqual({
      done: true,
      out: textOf(store, root),
      err: '',
    });
  });

  it('writes what is no manifest of an image, too', async () => {
    const odd = store.manifest({ fsLayers: [] }, 'application/x');
    expect(await run(printManifest, { store, root: odd })).toMatchObject({
      out: textOf(store, odd),
    });
  });

  it('writes the manifest for a platform', async () => {
    const written = await run(printManifest, { store, root, platform: 'linux/arm64' });
    expect(written).toEqual({ done: true, out: textOf(store, arm64), err: '' });
  });

  it('asks once for an image that is no index', async () => {
    const single = new ImageStore();
    const image = single.image(ARM64, []);
    const written = await run(printManifest, {
      store: single,
      root: image,
      platform: 'linux/arm64',
    });
    expect(written).toMatchObject({ out: textOf(single, image) });
    expect(single.asked.filter((asked) => asked.startsWith('manifest'))).toHaveLength(1);
  });

  it('says that there is none for a platform, and writes nothing', async () => {
    expect(await run(printManifest, { store, root, platform: 'linux/386' })).toEqual({
      done: false,
      out: '',
      err: expect.stringMatching(
        /^tagpin: "r.test\/app:1": there is no image for linux\/386: it has .*\[not_found\]\n$/,
      ),
    });
  });
});

describe('printConfig()', () => {
  const store = new ImageStore();
  const arm64 = store.imageFor(ARM64);
  const amd64 = store.imageFor(AMD64);
  const index = store.index([arm64, amd64]);

  it.each([
    ['that for linux/amd64 of an index', { root: index, platform: undefined, config: AMD64 }],
    ['that for a platform of an index', { root: index, platform: 'linux/arm64', config: ARM64 }],
    ['that of an image for another platform', { root: arm64, platform: undefined, config: ARM64 }],
    ['that of an image for the platform', { root: arm64, platform: 'linux/arm64', config: ARM64 }],
  ])('writes %s', async (_, { root, platform, config }) => {
    const written = await run(printConfig, { store, root, ...(platform && { platform }) });
    expect(written).toEqual({ done: true, out: JSON.stringify(config), err: '' });
  });

  it('writes that of an artifact, whatever it is', async () => {
    const artifact = store.manifest({
      config: store.blob('application/x', Buffer.from('any')),
      layers: [],
    });
    expect(await run(printConfig, { store, root: artifact })).toMatchObject({ out: 'any' });
  });

  it.each([
    [
      'an image for another platform',
      { root: arm64, platform: 'linux/amd64', message: 'it is for linux/arm64' },
    ],
    [
      'an index without linux/amd64',
      { root: store.index([arm64]), platform: undefined, message: 'it has linux/arm64' },
    ],
  ])('refuses %s', async (_, { root, platform, message }) => {
    const written = await run(printConfig, { store, root, ...(platform && { platform }) });
    expect(written).toEqual({ done: false, out: '', err: expect.stringContaining(message) });
  });

  it('writes nothing of a config that has not its digest', async () => {
    const broken = new ImageStore();
    const root = broken.image(AMD64, []);
    for (const wanted of broken.blobs.keys()) {
      broken.blobs.set(wanted, { mediaType: OCI.config, bytes: Buffer.from('{"os":"linux"}') });
    }
    expect(await run(printConfig, { store: broken, root })).toEqual({
      done: false,
      out: '',
      err: expect.stringContaining('[invalid_response]'),
    });
  });
});

describe('printBlob()', () => {
  const blob = { image: `r.test/app@${digest('1')}`, digest: digest('1') };

  it('writes each piece before it asks for the next, and tells of what comes after the last one', async () => {
    const streams = recordedStreams();
    const order: string[] = [];
    const registries = registriesOf({
      blob: async (image, wanted) => {
        order.push(`${image} ${wanted}`);
        return {
          sizeBytes: undefined,
          content: (async function* () {
            for (const piece of ['a', 'b']) {
              order.push(`sent ${piece}`);
              yield Buffer.from(piece);
            }
            throw new PinError('invalid_response', 'r.test served other bytes');
          })(),
        };
      },
    });
    const out = async (text: string | Uint8Array): Promise<void> => {
      // A slow reader.
      await new Promise((resolve) => setImmediate(resolve));
      order.push(`written ${Buffer.from(text).toString()}`);
    };
    expect(await printBlob(blob, registries, { ...streams, out })).toBe(false);
    expect(order).toEqual([
      `${blob.image} ${blob.digest}`,
      'sent a',
      'written a',
      'sent b',
      'written b',
    ]);
    expect(streams.written.err).toMatch(
      /^tagpin: "r.test\/app@sha256:1+": r.test served other bytes; .* \[invalid_response\]\n$/,
    );
  });

  it('leaves the rest where nobody reads any more, and says that the digest is not known', async () => {
    const streams = recordedStreams();
    let isLeft = false;
    const registries = registriesOf({
      blob: async () => ({
        sizeBytes: undefined,
        content: (async function* () {
          try {
            for (let left = 100; left > 0; left -= 1) yield Buffer.from('a');
          } finally {
            isLeft = true;
          }
        })(),
      }),
    });
    const isRead = (): boolean => streams.written.out.length < 3;
    expect(await printBlob(blob, registries, { ...streams, isRead })).toBe(false);
    expect([streams.written.out, isLeft]).toEqual(['aaa', true]);
    expect(streams.written.err).toMatch(/^tagpin: "r.test\/app@sha256:1+": nobody read on, .*\n$/);
  });
});

describe('On a terminal', () => {
  const store = new ImageStore();
  const hostile = store.blob(OCI.config, Buffer.from('{\n\t"a":"é\u001B[2J\u009B\u202E"}'));
  const root = store.manifest({ config: hostile, layers: [], 'a\u009b2J': '' });

  /** What both streams get, where a person sees them and where a program reads. */
  async function written(print: typeof printManifest | typeof printBlob): Promise<string[]> {
    const places = [true, false].map(async (out) => {
      const streams = { ...recordedStreams(), onTerminal: { out, err: out } };
      const what = { image: IMAGE, platform: undefined, digest: hostile.digest };
      expect(await print(what, store.registries(root), streams)).toBe(true);
      return streams.written.out;
    });
    return Promise.all(places);
  }

  it('a manifest moves no cursor', async () => {
    const [seen, read] = await written(printManifest);
    expect(read).toBe(textOf(store, root));
    expect(seen).toBe(read?.replace('\u009b', '\\u{9b}'));
  });

  it.each([
    ['config', printConfig],
    ['blob', printBlob],
  ])('a %s moves no cursor', async (_, print) => {
    expect(await written(print)).toEqual([
      '{\n\t"a":"é\\u{1b}[2J\\u{9b}\\u{202e}"}',
      '{\n\t"a":"é\u001B[2J\u009B\u202E"}',
    ]);
  });
});

describe('digestOf()', () => {
  it.each([
    [`r.test/app@${digest('1')}`, digest('1')],
    [`app:1@sha512:${'a'.repeat(128)}`, `sha512:${'a'.repeat(128)}`],
  ])('%s', (image, wanted) => {
    expect(digestOf(image)).toBe(wanted);
  });

  it.each(['app', 'app:1', `app@sha384:${'a'.repeat(96)}`])('refuses %s', (image) => {
    expect(() => digestOf(image)).toThrow(expect.objectContaining({ code: 'invalid_config' }));
  });
});
