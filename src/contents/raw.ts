import { PinError, toPinError } from '../errors.ts';
import type { Streams } from '../files/streams.ts';
import { type Digest, isDigest } from '../image/digest.ts';
import type { Platform } from '../image/platform.ts';
import { printableLines } from '../image/printable.ts';
import { parseReference } from '../image/reference.ts';
import { chosenManifest, manifestOf } from './chosen-manifest.ts';
import { failureLine, unreadLine } from './failure-line.ts';
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
  const write = writerOf(streams);
  return told(image, streams, async () => {
    const manifest =
      platform === undefined
        ? await registries.manifest(image)
        : (await manifestOf(platform, createImageDocuments(image, registries))).served;
    await write(manifest.bytes);
    return true;
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
    await writerOf(streams)(await documents.config(content.config));
    return true;
  });
}

/**
 * Writes a blob as it comes, no faster than it is read; resolves to whether all of it came and has the
 * digest. Where nobody reads any more, the rest is not asked for, and that is not known.
 */
export async function printBlob(
  { image, digest }: { readonly image: string; readonly digest: Digest },
  registries: Registries,
  streams: Streams,
): Promise<boolean> {
  return told(image, streams, async () => {
    const write = writerOf(streams);
    const { content } = await registries.blob(image, digest);
    for await (const chunk of content) {
      await write(chunk);
      if (streams.isRead()) continue;
      await streams.err(unreadLine(image));
      return false;
    }
    return true;
  });
}

/** The digest that the name of a blob must have. Throws PinError `invalid_config`. */
export function digestOf(image: string): Digest {
  const { digest = '' } = parseReference(image);
  if (isDigest(digest)) return digest;
  const message = 'a blob has no tag: write REPO@sha256:… or REPO@sha512:…';
  throw new PinError('invalid_config', message);
}

/** A person at a terminal sees what a stranger wrote without what the terminal would obey. */
function writerOf({ out, onTerminal }: Streams): (bytes: Uint8Array) => Promise<void> {
  if (!onTerminal.out) return out;
  const decoder = new TextDecoder();
  return (bytes) => out(printableLines(decoder.decode(bytes, { stream: true })));
}

async function told(
  image: string,
  streams: Streams,
  act: () => Promise<boolean>,
): Promise<boolean> {
  try {
    return await act();
  } catch (caught) {
    await streams.err(failureLine(image, toPinError(caught)));
    return false;
  }
}
