import { PinError } from '../errors.ts';
import type { ImageManifest } from '../image/image-manifest.ts';
import type { Platform } from '../image/platform.ts';
import type { ImageDocuments, ReadManifest } from './image-documents.ts';
import { manifestFor } from './platforms.ts';

/** For what an index stands where no platform is asked for: as crane has it, on any machine. */
export const DEFAULT_PLATFORM: Platform = {
  os: 'linux',
  architecture: 'amd64',
  variant: '',
  osVersion: '',
  osFeatures: [],
};

/** A manifest that is no index. */
export interface ChosenManifest extends ReadManifest {
  readonly content: ImageManifest;
}

/**
 * The manifest for a platform; where none is asked for, what stands behind the reference, and of an
 * index the one for linux/amd64. Rejects with a PinError.
 */
export async function chosenManifest(
  platform: Platform | undefined,
  documents: ImageDocuments,
): Promise<ChosenManifest> {
  const root = await documents.root();
  const isIndex = root.content.kind === 'index';
  const wanted = platform ?? (isIndex ? DEFAULT_PLATFORM : undefined);
  const { served, content } = wanted === undefined ? root : await manifestOf(wanted, documents);
  if (content.kind === 'manifest') return { served, content };
  throw new PinError('unsupported_manifest', 'Cannot read its manifest: it is an index');
}

/** What {@link manifestFor} finds, read. */
export async function manifestOf(
  wanted: Platform,
  documents: ImageDocuments,
): Promise<ReadManifest> {
  const { digest } = await manifestFor(wanted, documents);
  const root = await documents.root();
  return root.served.digest === digest ? root : documents.manifest(digest);
}
