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

/** What documents are read with. */
type ReadRegistries = Pick<Registries, 'manifest' | 'blob'>;

/** Hardly an index refers to more of other indexes and of manifests without a platform. */
const MAX_DOCUMENTS = 200;
/** As of a manifest: containerd reads none that is larger. */
const MAX_CONFIG_BYTES = 4 * 1024 * 1024;
/** Of all documents of one image; those of the largest have some MiB together. */
const MAX_BYTES = 64 * 1024 * 1024;

/** Told of what is kept. Throws PinError `unsupported_manifest` where it is too much. */
type Keep = (sizeBytes: number) => void;

function createKeep(): Keep {
  let keptBytes = 0;
  return (sizeBytes) => {
    keptBytes += sizeBytes;
    if (keptBytes <= MAX_BYTES) return;
    const message = `Cannot read the image: its manifests and configs have more than ${MAX_BYTES / 1024 / 1024} MiB together`;
    throw new PinError('unsupported_manifest', message);
  };
}

export function createImageDocuments(image: string, registries: ReadRegistries): ImageDocuments {
  const manifests = new Map<string, Promise<ReadManifest>>();
  const configs = new Map<string, Promise<Uint8Array>>();
  const keep = createKeep();
  const manifest = (reference: string): Promise<ReadManifest> =>
    once(manifests, reference, () => readManifest(reference, registries, keep));
  return {
    root: () => manifest(image),
    manifest: (digest) => manifest(withDigest(image, digest, 'digest')),
    config: (descriptor) =>
      once(configs, descriptor.digest, async () => {
        const config = await readConfig(image, descriptor, registries);
        keep(config.length);
        return config;
      }),
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

async function readManifest(
  reference: string,
  { manifest }: ReadRegistries,
  keep: Keep,
): Promise<ReadManifest> {
  const served = await manifest(reference);
  keep(served.bytes.length);
  return { served, content: parseManifest(served.mediaType, served.bytes) };
}

async function readConfig(
  image: string,
  { digest }: Descriptor,
  { blob }: ReadRegistries,
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
