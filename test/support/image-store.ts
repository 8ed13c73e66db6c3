import type { Registries } from '../../src/contents/registries.ts';
import { PinError } from '../../src/errors.ts';
import { computeDigest, type Digest } from '../../src/image/digest.ts';
import { parseReference } from '../../src/image/reference.ts';
import { registriesOf } from './registries.ts';

/** What one document says of another. */
export interface StoredDescriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
}

interface StoredBytes {
  readonly mediaType: string;
  readonly bytes: Buffer;
}

/** Media types of OCI's image specification. */
export const OCI = {
  index: 'application/vnd.oci.image.index.v1+json',
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  tar: 'application/vnd.oci.image.layer.v1.tar',
  gzip: 'application/vnd.oci.image.layer.v1.tar+gzip',
  zstd: 'application/vnd.oci.image.layer.v1.tar+zstd',
  empty: 'application/vnd.oci.empty.v1+json',
} as const;

/** One repository: what a test puts into it, for a fake or for a real registry. */
export class ImageStore {
  readonly blobs: Map<Digest, StoredBytes> = new Map();
  readonly manifests: Map<Digest, StoredBytes> = new Map();
  /** What was asked for, in order. */
  readonly asked: string[] = [];

  blob(mediaType: string, content: Buffer | object): StoredDescriptor {
    return put(this.blobs, mediaType, content);
  }

  /** With its own media type in it. */
  manifest(fields: object, mediaType: string = OCI.manifest): StoredDescriptor {
    return put(this.manifests, mediaType, { schemaVersion: 2, mediaType, ...fields });
  }

  index(manifests: readonly object[], more: object = {}): StoredDescriptor {
    return this.manifest({ manifests, ...more }, OCI.index);
  }

  /** An image for one platform: its config and a manifest of it and its layers. */
  image(config: object, layers: readonly object[], more: object = {}): StoredDescriptor {
    return this.manifest({ config: this.blob(OCI.config, config), layers, ...more });
  }

  /** An image for one platform without layers, as an index names it. */
  imageFor(platform: object): StoredDescriptor & { readonly platform: object } {
    return { ...this.image(platform, []), platform };
  }

  /** A registry that has this alone; a tag stands for what it was last asked to be. */
  registries(tagged: StoredDescriptor): Registries {
    return registriesOf({
      manifest: async (image) => {
        const digest = digestOf(image) ?? tagged.digest;
        this.asked.push(`manifest ${digest}`);
        return { digest, ...found(this.manifests, digest, 'manifest') };
      },
      blob: async (_, digest) => {
        this.asked.push(`blob ${digest}`);
        const { bytes } = found(this.blobs, digest, 'blob');
        return { sizeBytes: bytes.length, content: inChunks(bytes, digest) };
      },
    });
  }
}

function put(
  where: Map<Digest, StoredBytes>,
  mediaType: string,
  content: Buffer | object,
): StoredDescriptor {
  const bytes = Buffer.isBuffer(content) ? content : Buffer.from(JSON.stringify(content));
  const digest = computeDigest(bytes);
  where.set(digest, { mediaType, bytes });
  return { mediaType, digest, size: bytes.length };
}

function digestOf(image: string): Digest | undefined {
  return parseReference(image).digest as Digest | undefined;
}

function found(
  where: ReadonlyMap<Digest, StoredBytes>,
  digest: Digest,
  what: 'manifest' | 'blob',
): StoredBytes {
  const stored = where.get(digest);
  if (stored === undefined) throw new PinError('not_found', `r.test has no such ${what}`);
  return stored;
}

async function* inChunks(bytes: Buffer, digest: Digest): AsyncGenerator<Uint8Array, void> {
  for (let at = 0; at < bytes.length; at += 1000) yield bytes.subarray(at, at + 1000);
  if (computeDigest(bytes) !== digest) {
    throw new PinError('invalid_response', 'r.test sent a blob that has not its digest');
  }
}
