import { PinError } from '../errors.ts';
import type { Descriptor } from '../image/descriptor.ts';
import type { Digest } from '../image/digest.ts';
import { type ImageIndex, type ImageManifest, parseManifest } from '../image/image-manifest.ts';
import { withDigest } from '../image/reference.ts';
import type { Registries, ServedManifest } from './registries.ts';

/** A manifest or an index with what it says. */
export interface ReadManifest {
  readonly served: ServedManifest;
  readonly content: ImageManifest | ImageIndex;
}

/** The documents of one image. Each is asked for once; all reject with a PinError. */
export interface ImageDocuments {
  /** What stands behind the reference. */
  readonly root: () => Promise<ReadManifest>;
  /** Another of the same repository. */
  readonly manifest: (digest: Digest) => Promise<ReadManifest>;
  /** The bytes of a config, which have its digest. */
  readonly config: (descriptor: Descriptor) => Promise<Uint8Array>;
}

/** Hardly an index refers to more of other indexes and of manifests without a platform. */
const MAX_DOCUMENTS = 200;
/** As of a manifest: containerd reads none that is larger. */
const MAX_CONFIG_BYTES = 4 * 1024 * 1024;

export function createImageDocuments(image: string, registries: Registries): ImageDocuments {
  const manifests = new Map<string, Promise<ReadManifest>>();
  const configs = new Map<string, Promise<Uint8Array>>();
  const manifest = (reference: string): Promise<ReadManifest> =>
    once(manifests, reference, () => readManifest(reference, registries));
  return {
    root: () => manifest(image),
    manifest: (digest) => manifest(withDigest(image, digest, 'digest')),
    config: (descriptor) =>
      once(configs, descriptor.digest, () => readConfig(image, descriptor, registries)),
  };
}

/** Throws PinError `unsupported_manifest` for more of them than an image has. */
function once<T>(known: Map<string, T>, key: string, make: () => T): T {
  const before = known.get(key);
  if (before !== undefined) return before;
  if (known.size === MAX_DOCUMENTS) {
    const message = `Cannot read the index: it needs more than ${MAX_DOCUMENTS} others`;
    throw new PinError('unsupported_manifest', message);
  }
  const made = make();
  known.set(key, made);
  return made;
}

async function readManifest(reference: string, { manifest }: Registries): Promise<ReadManifest> {
  const served = await manifest(reference);
  return { served, content: parseManifest(served.mediaType, served.bytes) };
}

async function readConfig(
  image: string,
  { digest }: Descriptor,
  { blob }: Registries,
): Promise<Uint8Array> {
  const { content } = await blob(image, digest);
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of content) {
    sizeBytes += chunk.length;
    if (sizeBytes > MAX_CONFIG_BYTES) {
      throw new PinError('unsupported_manifest', 'Cannot read the config: it has more than 4 MiB');
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
