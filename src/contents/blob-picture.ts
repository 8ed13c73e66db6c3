import { PinError, toPinError } from '../errors.ts';
import type { Digest } from '../image/digest.ts';
import { type ImageConfig, parseImageConfig } from '../image/image-config.ts';
import { ByteReader } from './byte-reader.ts';
import { decompressed } from './decompression.ts';
import type { Registries } from './registries.ts';
import { BLOCK_BYTES, isTarHeader, isZeroBlock } from './tar-header.ts';

/** A digest that names no manifest, but a part of an image. */
export interface BlobPicture {
  readonly kind: 'blob';
  readonly digest: Digest;
  /** As the registry announces it. */
  readonly sizeBytes: number | undefined;
  /** What was found in the blob. */
  readonly found: FoundInBlob;
}

/** An image's config, of which the digest is the image ID; a layer; or neither. */
export type FoundInBlob =
  | { readonly kind: 'config'; readonly config: ImageConfig }
  | { readonly kind: 'layer' }
  | { readonly kind: 'unknown' };

/** As of a manifest: containerd reads none that is larger. */
const MAX_CONFIG_BYTES = 4 * 1024 * 1024;
const OPEN_OBJECT = '{'.codePointAt(0);

/**
 * Looks at the beginning of a blob, and at all of it where it may be a config; a layer is not read to
 * its end, nor its digest compared. Rejects with a PinError.
 */
export async function readBlobPicture(
  image: string,
  digest: Digest,
  { blob }: Registries,
): Promise<BlobPicture> {
  const { sizeBytes, content } = await blob(image, digest);
  const chunks = content[Symbol.asyncIterator]();
  try {
    const reader = new ByteReader({
      [Symbol.asyncIterator]: () => ({ next: () => chunks.next() }),
    });
    return { kind: 'blob', digest, sizeBytes, found: await look(reader) };
  } finally {
    await chunks.return?.();
  }
}

async function look(reader: ByteReader): Promise<FoundInBlob> {
  const [first] = await reader.peek(1);
  if (first !== OPEN_OBJECT) return { kind: (await isArchive(reader)) ? 'layer' : 'unknown' };
  const bytes = await reader.take(MAX_CONFIG_BYTES);
  if ((await reader.peek(1)).length > 0) return { kind: 'unknown' };
  const config = configIn(bytes);
  return config === undefined ? { kind: 'unknown' } : { kind: 'config', config };
}

/** A config must say for which platform it is (OCI image specification, config.md). */
function configIn(bytes: Uint8Array): ImageConfig | undefined {
  try {
    const config = parseImageConfig(bytes);
    const { os, architecture } = config.platform;
    return os !== '' && architecture !== '' ? config : undefined;
  } catch (caught) {
    if (caught instanceof PinError) return undefined;
    throw caught;
  }
}

async function isArchive(reader: ByteReader): Promise<boolean> {
  const archive = decompressed(reader.pass(Number.POSITIVE_INFINITY));
  try {
    const block = Buffer.from(await new ByteReader(archive).peek(BLOCK_BYTES));
    return block.length === BLOCK_BYTES && (isZeroBlock(block) || isTarHeader(block));
  } catch (caught) {
    // What the registry did wrong is no answer to the question.
    if (toPinError(caught).code !== 'unsupported_manifest') throw caught;
    return false;
  } finally {
    await archive.return();
  }
}
