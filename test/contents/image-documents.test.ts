import { describe, expect, it } from '@jest/globals';

import { createImageDocuments } from '../../src/contents/image-documents.ts';
import type { Descriptor } from '../../src/image/descriptor.ts';
import { computeDigest } from '../../src/image/digest.ts';
import { ImageStore, OCI } from '../support/image-store.ts';
import { registriesOf } from '../support/registries.ts';

function refusal(code: string, reason: string): unknown {
  return expect.objectContaining({ code, message: expect.stringContaining(reason) });
}

const NO_CONFIG: Omit<Descriptor, 'digest'> = {
  mediaType: OCI.config,
  sizeBytes: undefined,
  platform: undefined,
  artifactType: undefined,
  annotations: new Map(),
};

describe('createImageDocuments()', () => {
  it('asks for each once, by the digest in the repository of the image', async () => {
    const store = new ImageStore();
    const config = store.blob(OCI.config, { os: 'linux' });
    const child = store.manifest({ config, layers: [] });
    const index = store.index([child]);
    const documents = createImageDocuments('r.test/app:1', store.registries(index));
    const [root, again] = await Promise.all([documents.root(), documents.root()]);
    const { content } = await documents.manifest(child.digest);
    await documents.manifest(child.digest);
    const descriptor = content.kind === 'manifest' ? content.config : undefined;
    expect(root).toBe(again);
    expect(root.served.digest).toBe(index.digest);
    expect(descriptor && (await documents.config(descriptor))).toEqual(
      Buffer.from('{"os":"linux"}'),
    );
    expect(store.asked).toEqual([
      `manifest ${index.digest}`,
      `manifest ${child.digest}`,
      `blob ${config.digest}`,
    ]);
  });

  it('asks for no more than an image has', async () => {
    const store = new ImageStore();
    const children = Array.from({ length: 200 }, (_, name) =>
      store.index([], { annotations: { name: `${name}` } }),
    );
    const documents = createImageDocuments('r.test/app', store.registries(store.index(children)));
    await documents.root();
    const reads = children.map(async ({ digest }) => documents.manifest(digest));
    const results = await Promise.allSettled(reads);
    const rejected = results.filter(({ status }) => status === 'rejected');
    expect(rejected).toEqual([
      expect.objectContaining({ reason: refusal('unsupported_manifest', 'more than 200 others') }),
    ]);
  });

  it('reads no more of a config than 4 MiB', async () => {
    const chunk = new Uint8Array(1024 * 1024);
    let sent = 0;
    const registries = registriesOf({
      blob: async () => ({
        sizeBytes: undefined,
        content: (async function* () {
          for (;;) {
            sent += 1;
            yield chunk;
          }
        })(),
      }),
    });
    const store = new ImageStore();
    const { root } = createImageDocuments('a', store.registries(store.image({}, [])));
    const { content } = await root();
    const config = content.kind === 'manifest' ? content.config : undefined;
    const { config: readConfig } = createImageDocuments('a', registries);
    await expect(config && readConfig(config)).rejects.toEqual(
      refusal('unsupported_manifest', 'it has more than 4 MiB'),
    );
    expect(sent).toBe(5);
  });

  it('keeps no more of an image than 64 MiB', async () => {
    const chunk = new Uint8Array(4 * 1024 * 1024);
    const registries = registriesOf({
      blob: async () => ({
        sizeBytes: undefined,
        content: (async function* () {
          yield chunk;
        })(),
      }),
    });
    const { config } = createImageDocuments('a', registries);
    const configs = Array.from({ length: 17 }, (_, at) => {
      const descriptor = { ...NO_CONFIG, digest: computeDigest(Buffer.from(`${at}`)) };
      return config(descriptor);
    });
    const results = await Promise.allSettled(configs);
    expect(results.filter(({ status }) => status === 'rejected')).toEqual([
      expect.objectContaining({ reason: refusal('unsupported_manifest', 'more than 64 MiB') }),
    ]);
  });

  it('passes on that a config has not its digest', async () => {
    const store = new ImageStore();
    const manifest = store.image({ os: 'linux' }, []);
    const [digest] = [...store.blobs.keys()];
    if (digest !== undefined) store.blobs.set(digest, { mediaType: '', bytes: Buffer.from('{}') });
    const documents = createImageDocuments('a', store.registries(manifest));
    const { content } = await documents.root();
    await expect(content.kind === 'manifest' && documents.config(content.config)).rejects.toEqual(
      refusal('invalid_response', 'has not its digest'),
    );
  });
});
