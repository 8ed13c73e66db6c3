import { PinError } from '../errors.ts';
import type { Descriptor } from '../image/descriptor.ts';
import type { Digest } from '../image/digest.ts';
import { isImageConfigType, platformOfConfig } from '../image/image-config.ts';
import type { ImageIndex, ImageManifest } from '../image/image-manifest.ts';
import { isIndexType, isManifestType } from '../image/manifest.ts';
import { formatPlatform, normalizePlatform, type Platform } from '../image/platform.ts';
import { isUnknown, type RankPlatform, rankFor } from '../image/platform-match.ts';
import type { ImageDocuments } from './image-documents.ts';

/** A manifest for one platform. */
export interface PlatformManifest {
  readonly digest: Digest;
  readonly mediaType: string;
  /** As the index says it, or else the config; undefined where neither does, as of an artifact. */
  readonly platform: Platform | undefined;
}

/** The indexes of one image, each of which is looked at once: they may lead to one another in many ways. */
interface Walk {
  readonly documents: ImageDocuments;
  readonly seen: Set<Digest>;
}

/** More would make a message that nobody reads. */
const MAX_NAMED = 20;

/**
 * The manifest that a node of a platform runs, as containerd chooses it (core/images/image.go,
 * Manifest()) in the index behind an image and in the indexes of that; or the image itself where it is
 * for that platform. Where the first index in an index has nothing for it, the next is looked at, too.
 * Rejects with PinError `not_found`, which says what there is.
 */
export async function manifestFor(
  wanted: Platform,
  documents: ImageDocuments,
): Promise<PlatformManifest> {
  const { served, content } = await documents.root();
  const rank = rankFor(wanted);
  if (content.kind === 'manifest') {
    const { digest, mediaType } = served;
    const platform = await platformOf(content, documents);
    if (suits(platform, rank)) return { digest, mediaType, platform };
    throw noneFor(
      wanted,
      platform === undefined ? 'it is no image' : `it is for ${formatPlatform(platform)}`,
    );
  }
  const found = await choose(content, rank, { documents, seen: new Set() });
  if (found !== undefined) return found;
  throw noneFor(wanted, listed(await manifestsIn(content, documents)));
}

/**
 * The manifests of all platforms of an image, in the order of its index and of the indexes in that,
 * without attestations; of an image that is no index, itself.
 */
export async function manifestsOf(documents: ImageDocuments): Promise<readonly PlatformManifest[]> {
  const { served, content } = await documents.root();
  if (content.kind === 'index') return manifestsIn(content, documents);
  const { digest, mediaType } = served;
  return [{ digest, mediaType, platform: await platformOf(content, documents) }];
}

async function choose(
  { entries }: ImageIndex,
  rank: RankPlatform,
  walk: Walk,
): Promise<PlatformManifest | undefined> {
  for (const entry of candidates(entries, rank)) {
    // oxlint-disable-next-line no-await-in-loop -- the first that suits is the answer
    const found = await chooseWithin(entry, rank, walk);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** What suits, the best first; then what may suit, as it does not say for what it is. */
function candidates(entries: readonly Descriptor[], rank: RankPlatform): Descriptor[] {
  const suiting = entries.flatMap((entry) => {
    const { platform } = entry;
    if (platform === undefined || isUnknown(platform)) return [];
    const place = rank(platform);
    return place === undefined ? [] : [{ entry, place }];
  });
  const sorted = suiting.toSorted((one, other) => one.place - other.place);
  return [...sorted.map(({ entry }) => entry), ...entries.filter(({ platform }) => !platform)];
}

async function chooseWithin(
  entry: Descriptor,
  rank: RankPlatform,
  walk: Walk,
): Promise<PlatformManifest | undefined> {
  const { digest, mediaType, platform } = entry;
  if (isIndexType(mediaType)) {
    const index = await indexOf(digest, walk);
    return index && choose(index, rank, walk);
  }
  if (platform !== undefined) return { digest, mediaType, platform };
  const found = await withPlatform(entry, walk.documents);
  return suits(found.platform, rank) ? found : undefined;
}

async function manifestsIn(
  index: ImageIndex,
  documents: ImageDocuments,
): Promise<PlatformManifest[]> {
  const found: PlatformManifest[] = [];
  await collect(index, { documents, seen: new Set() }, found);
  return found;
}

async function collect(
  { entries }: ImageIndex,
  walk: Walk,
  found: PlatformManifest[],
): Promise<void> {
  for (const entry of entries) {
    const { digest, mediaType, platform } = entry;
    if (platform !== undefined && isUnknown(platform)) continue;
    if (isIndexType(mediaType)) {
      // oxlint-disable-next-line no-await-in-loop -- in their order; there is hardly ever one
      const index = await indexOf(digest, walk);
      // oxlint-disable-next-line no-await-in-loop -- as above
      if (index !== undefined) await collect(index, walk, found);
    } else if (platform !== undefined) {
      found.push({ digest, mediaType, platform });
    } else {
      // oxlint-disable-next-line no-await-in-loop -- as above
      found.push(await withPlatform(entry, walk.documents));
    }
  }
}

/** Undefined where it has been looked at before. */
async function indexOf(digest: Digest, { documents, seen }: Walk): Promise<ImageIndex | undefined> {
  if (seen.has(digest)) return undefined;
  seen.add(digest);
  const { content } = await documents.manifest(digest);
  if (content.kind === 'index') return content;
  throw new PinError(
    'unsupported_manifest',
    `Cannot read the index: ${digest} is called one in it, and is none`,
  );
}

/** Of an entry that does not say its platform: its config does. */
async function withPlatform(
  { digest, mediaType }: Descriptor,
  documents: ImageDocuments,
): Promise<PlatformManifest> {
  if (!isManifestType(mediaType)) return { digest, mediaType, platform: undefined };
  const { content } = await documents.manifest(digest);
  const platform = content.kind === 'manifest' ? await platformOf(content, documents) : undefined;
  return { digest, mediaType, platform };
}

/** Whether what a config says suits; as with containerd, in its normal spelling. */
function suits(platform: Platform | undefined, rank: RankPlatform): boolean {
  return platform !== undefined && rank(normalizePlatform(platform)) !== undefined;
}

/** What its config says; undefined for an artifact. */
export async function platformOf(
  { config }: ImageManifest,
  documents: ImageDocuments,
): Promise<Platform | undefined> {
  if (!isImageConfigType(config.mediaType)) return undefined;
  return platformOfConfig(await documents.config(config));
}

function listed(manifests: readonly PlatformManifest[]): string {
  const names = [
    ...new Set(
      manifests.flatMap(({ platform }) =>
        platform === undefined ? [] : [formatPlatform(platform)],
      ),
    ),
  ];
  if (names.length === 0) return 'its index names no platform';
  const more = names.length > MAX_NAMED ? ` and ${names.length - MAX_NAMED} more` : '';
  return `it has ${names.slice(0, MAX_NAMED).join(', ')}${more}`;
}

function noneFor(wanted: Platform, instead: string): PinError {
  const message = `there is no image for ${formatPlatform(wanted)}: ${instead}`;
  return new PinError('not_found', message, { advice: 'ask for another platform' });
}
