import { PinError, toPinError } from '../errors.ts';
import { type Digest, isDigest } from '../image/digest.ts';
import type { ImageIndex } from '../image/image-manifest.ts';
import { isIndexType } from '../image/manifest.ts';
import type { Platform } from '../image/platform.ts';
import { rankFor } from '../image/platform-match.ts';
import { parseReference } from '../image/reference.ts';
import { type BlobPicture, readBlobPicture } from './blob-picture.ts';
import { DEFAULT_PLATFORM } from './chosen-manifest.ts';
import { detailsOf, type ImageDetails } from './image-details.ts';
import { createImageDocuments, type ImageDocuments, type ReadManifest } from './image-documents.ts';
import { attestedBy, entriesOf, type ImageEntry, type IndexEntry } from './index-entries.ts';
import { manifestFor } from './platforms.ts';
import type { Registries } from './registries.ts';

/**
 * What of an index is told in full: one platform, and nothing of others; all; or the one that is taken
 * where none is asked for, which is the first where there is no such.
 */
export type Extent = { readonly platform: Platform } | 'one' | 'all';

/** What stands behind a reference. */
export type Picture = IndexPicture | ManifestPicture | BlobPicture;

/** An index, with all that it has. */
export interface IndexPicture {
  readonly kind: 'index';
  readonly digest: Digest;
  readonly sizeBytes: number;
  readonly index: ImageIndex;
  readonly entries: readonly IndexEntry[];
  readonly details: readonly (ImageDetails | Unread)[];
}

/** A manifest, of an image for one platform or of an artifact. */
export interface ManifestPicture {
  readonly kind: 'manifest';
  readonly sizeBytes: number;
  readonly details: ImageDetails;
}

/** What could not be looked into. */
export interface Unread {
  readonly digest: Digest;
  readonly error: PinError;
}

/** Rejects with a PinError where there is nothing to tell. */
export async function readPicture(
  image: string,
  extent: Extent,
  registries: Registries,
): Promise<Picture> {
  const documents = createImageDocuments(image, registries);
  let root: ReadManifest;
  try {
    root = await documents.root();
  } catch (caught) {
    return blobInstead(image, toPinError(caught), registries);
  }
  const { digest, bytes } = root.served;
  const { content } = root;
  if (content.kind === 'index') {
    const common = { digest, sizeBytes: bytes.length, index: content };
    return indexPicture(common, extent, documents);
  }
  const details = await detailsOf({ digest, manifest: content }, [], documents);
  if (typeof extent === 'object') await manifestFor(extent.platform, documents);
  return { kind: 'manifest', sizeBytes: bytes.length, details };
}

/** Image IDs and layers have digests, too; a registry has them among its blobs. */
async function blobInstead(
  image: string,
  error: PinError,
  registries: Registries,
): Promise<BlobPicture> {
  const { digest } = parseReference(image);
  if (error.code !== 'not_found' || digest === undefined || !isDigest(digest)) throw error;
  try {
    return await readBlobPicture(image, digest, registries);
  } catch (caught) {
    if (toPinError(caught).code !== 'not_found') throw caught;
    const message = `${error.message}, and neither has it such a blob`;
    throw new PinError(error.code, message, { cause: error, advice: 'correct the digest' });
  }
}

async function indexPicture(
  common: Pick<IndexPicture, 'digest' | 'sizeBytes' | 'index'>,
  extent: Extent,
  documents: ImageDocuments,
): Promise<IndexPicture> {
  const { index } = common;
  const only =
    typeof extent === 'object' ? (await manifestFor(extent.platform, documents)).digest : undefined;
  const entries = await entriesOf(only === undefined ? index : about(only, index), documents);
  const images = entries.filter((entry) => entry.kind === 'image');
  const chosen = extent === 'one' ? images.filter((image) => image === theOne(images)) : images;
  // One may be there for several platforms.
  const digests = [...new Set(chosen.map(({ digest }) => digest))];
  const details = await Promise.all(
    digests.map((digest) => detailsOrError(digest, entries, documents)),
  );
  return { kind: 'index', ...common, entries, details };
}

function theOne(images: readonly ImageEntry[]): ImageEntry | undefined {
  const rank = rankFor(DEFAULT_PLATFORM);
  return images.find(({ platform }) => platform && rank(platform) !== undefined) ?? images[0];
}

/** The same index with nothing of other images: no request is made for them. */
function about(digest: Digest, index: ImageIndex): ImageIndex {
  const entries = index.entries.filter(
    (entry) =>
      entry.digest === digest || isIndexType(entry.mediaType) || attestedBy(entry) === digest,
  );
  return { ...index, entries };
}

async function detailsOrError(
  digest: Digest,
  entries: readonly IndexEntry[],
  documents: ImageDocuments,
): Promise<ImageDetails | Unread> {
  try {
    const { content } = await documents.manifest(digest);
    if (content.kind === 'index') {
      throw new PinError('unsupported_manifest', 'an index stands where a manifest should');
    }
    return await detailsOf({ digest, manifest: content }, entries, documents);
  } catch (caught) {
    return { digest, error: toPinError(caught) };
  }
}
