import { type PinError, toPinError } from '../errors.ts';
import type { Descriptor } from '../image/descriptor.ts';
import type { Digest } from '../image/digest.ts';
import { isImageConfigType } from '../image/image-config.ts';
import type { ImageIndex } from '../image/image-manifest.ts';
import type { Platform } from '../image/platform.ts';
import { type Artifact, artifactOf, artifactOfType } from './artifact-kinds.ts';
import type { ImageDocuments } from './image-documents.ts';
import { inOrder } from './in-order.ts';
import { platformOf } from './platforms.ts';

/** What an index has, or an index in it. */
export type IndexEntry = ImageEntry | AttestationEntry | ArtifactEntry | UnreadEntry;

interface EntryBase {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly annotations: ReadonlyMap<string, string>;
}

/** An image for one platform. */
export interface ImageEntry extends EntryBase {
  readonly kind: 'image';
  readonly platform: Platform | undefined;
  readonly layers: number;
  /** Of its layers as they are stored; undefined where one does not tell. */
  readonly sizeBytes: number | undefined;
}

/** What BuildKit says of an image beside it. */
interface AttestationEntry extends EntryBase {
  readonly kind: 'attestation';
  /** The digest of the image. */
  readonly about: string;
}

interface ArtifactEntry extends EntryBase {
  readonly kind: 'artifact';
  readonly artifact: Artifact;
}

interface UnreadEntry extends EntryBase {
  readonly kind: 'unread';
  readonly platform: Platform | undefined;
  readonly error: PinError;
}

/** A registry is asked for so many manifests at a time. */
const AT_A_TIME = 8;

// https://docs.docker.com/build/metadata/attestations/attestation-storage/
const REFERENCE_TYPE = 'vnd.docker.reference.type';
const REFERENCE_DIGEST = 'vnd.docker.reference.digest';
const ATTESTATION = 'attestation-manifest';

/**
 * Everything that an index has, in its order, with what indexes in it have in their place, once each:
 * they may lead to one another in many ways. What cannot be read is told in its own entry.
 */
export async function entriesOf(
  index: ImageIndex,
  documents: ImageDocuments,
): Promise<readonly IndexEntry[]> {
  return entriesIn(index, { documents, seen: new Set() });
}

/** On the way through the indexes of one image. */
interface Walk {
  readonly documents: ImageDocuments;
  readonly seen: Set<Digest>;
}

async function entriesIn({ entries }: ImageIndex, walk: Walk): Promise<readonly IndexEntry[]> {
  const found: IndexEntry[] = [];
  const ask = (entry: Descriptor): Promise<readonly IndexEntry[]> => entriesBehind(entry, walk);
  for await (const batch of inOrder(entries, AT_A_TIME, ask)) {
    for (const entry of batch) found.push(entry);
  }
  return found;
}

async function entriesBehind(entry: Descriptor, walk: Walk): Promise<readonly IndexEntry[]> {
  const { documents, seen } = walk;
  const { digest, mediaType, annotations, platform, artifactType } = entry;
  const common = { digest, mediaType, annotations };
  const about = attestedBy(entry);
  if (about !== undefined) return [{ ...common, kind: 'attestation', about }];
  if (artifactType !== undefined && !isImageConfigType(artifactType)) {
    return [{ ...common, kind: 'artifact', artifact: artifactOfType(artifactType) }];
  }
  try {
    const { content } = await documents.manifest(digest);
    if (content.kind === 'index') {
      if (seen.has(digest)) return [];
      seen.add(digest);
      return await entriesIn(content, walk);
    }
    const artifact = artifactOf(content);
    if (artifact !== undefined) return [{ ...common, kind: 'artifact', artifact }];
    const { layers } = content;
    return [
      {
        ...common,
        kind: 'image',
        platform: platform ?? (await platformOf(content, documents)),
        layers: layers.length,
        sizeBytes: totalBytes(layers),
      },
    ];
  } catch (caught) {
    return [{ ...common, kind: 'unread', platform, error: toPinError(caught) }];
  }
}

/** The digest of the image that an entry is about; undefined for what is no attestation. */
export function attestedBy({ annotations }: Descriptor): string | undefined {
  if (annotations.get(REFERENCE_TYPE) !== ATTESTATION) return undefined;
  return annotations.get(REFERENCE_DIGEST) ?? '';
}

/** Of all of them, each as often as it is there; undefined where one does not tell its size. */
export function totalBytes(descriptors: readonly Descriptor[]): number | undefined {
  let total = 0;
  for (const { sizeBytes } of descriptors) {
    if (sizeBytes === undefined) return undefined;
    total += sizeBytes;
  }
  return total;
}
