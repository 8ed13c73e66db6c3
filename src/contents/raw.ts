import { PinError, toPinError } from '../errors.ts';
import type { Streams } from '../files/streams.ts';
import { type Digest, isDigest } from '../image/digest.ts';
import type { Platform } from '../image/platform.ts';
import { parseReference } from '../image/reference.ts';
import { chosenManifest, manifestOf } from './chosen-manifest.ts';
import { failureLine } from './failure-line.ts';
import { createImageDocuments } from './image-documents.ts';
import type { Registries } from './registries.ts';

/** Of what image, and of which of its platforms. */
export interface RawOptions {
  readonly image: string;
  /** Undefined where none was asked for. */
  readonly platform: Platform | undefined;
}

/** Writes the bytes of a manifest or an index as they are served; resolves to whether it could. */
export async function printManifest(
  { image, platform }: RawOptions,
  registries: Registries,
  streams: Streams,
): Promise<boolean> {
  return told(image, streams, async () => {
    if (platform === undefined) return streams.out((await registries.manifest(image)).bytes);
    const documents = createImageDocuments(image, registries);
    const { served } = await manifestOf(platform, documents);
    return streams.out(served.bytes);
  });
}

/** Writes the bytes of an image's config as they are served; resolves to whether it could. */
export async function printConfig(
  { image, platform }: RawOptions,
  registries: Registries,
  streams: Streams,
): Promise<boolean> {
  return told(image, streams, async () => {
    const documents = createImageDocuments(image, registries);
    const { content } = await chosenManifest(platform, documents);
    await streams.out(await documents.config(content.config));
  });
}

/**
 * Writes a blob as it comes, no faster than it is read; resolves to whether all of it came and has the
 * digest. Where nobody reads any more, the rest is not asked for.
 */
export async function printBlob(
  { image, digest }: { readonly image: string; readonly digest: Digest },
  registries: Registries,
  streams: Streams,
): Promise<boolean> {
  return told(image, streams, async () => {
    const { content } = await registries.blob(image, digest);
    for await (const chunk of content) {
      await streams.out(chunk);
      if (!streams.isRead()) return;
    }
  });
}

/** The digest that the name of a blob must have. Throws PinError `invalid_config`. */
export function digestOf(image: string): Digest {
  const { digest = '' } = parseReference(image);
  if (isDigest(digest)) return digest;
  const message = 'a blob has no tag: write REPO@sha256:… or REPO@sha512:…';
  throw new PinError('invalid_config', message);
}

async function told(image: string, streams: Streams, act: () => Promise<void>): Promise<boolean> {
  try {
    await act();
    return true;
  } catch (caught) {
    await streams.err(failureLine(image, toPinError(caught)));
    return false;
  }
}
