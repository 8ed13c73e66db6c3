import { formatPlatform, type Platform } from '../image/platform.ts';
import type { Artifact } from './artifact-kinds.ts';
import type { BlobPicture, FoundInBlob } from './blob-picture.ts';
import { configFields, descriptorText, detailsLines, pairs, sizeText } from './details-text.ts';
import type { ImageDetails } from './image-details.ts';
import type { IndexEntry } from './index-entries.ts';
import type { IndexPicture, ManifestPicture, Picture } from './picture.ts';
import {
  type Column,
  type Emphasis,
  type Field,
  fieldLines,
  indented,
  tableLines,
} from './text-layout.ts';

const NOTHING = '-';

const ENTRY_COLUMNS: readonly Column[] = [
  { title: 'PLATFORM' },
  { title: 'DIGEST' },
  { title: 'LAYERS', isNumber: true },
  { title: 'SIZE', isNumber: true },
];

/** A picture for people. Everything of it that a registry said is printable. */
export function pictureText(image: string, picture: Picture, emphasis: Emphasis): string {
  return `${linesOf(image, picture, emphasis).join('\n')}\n`;
}

function linesOf(image: string, picture: Picture, emphasis: Emphasis): string[] {
  if (picture.kind === 'index') return indexLines(image, picture, emphasis);
  if (picture.kind === 'manifest') return manifestLines(image, picture, emphasis);
  return blobLines(image, picture, emphasis);
}

function indexLines(image: string, picture: IndexPicture, emphasis: Emphasis): string[] {
  const { digest, index, entries, details } = picture;
  const head = fieldLines(
    [
      ['Image', [image]],
      ['Digest', [digest]],
      ['Kind', [`an index (${index.mediaType})`]],
      ['Artifact type', index.artifactType === undefined ? [] : [index.artifactType]],
      ['Subject', index.subject === undefined ? [] : [descriptorText(index.subject)]],
      ['Annotations', pairs(index.annotations)],
    ],
    emphasis,
  );
  const rows = entries.map((entry) => entryRow(entry, entries));
  const table = rows.length === 0 ? [] : ['', ...tableLines(ENTRY_COLUMNS, rows, emphasis)];
  const shown = details.flatMap((detail) => {
    if ('error' in detail) return [];
    const title = emphasis(titleOf(detail, entries));
    return ['', title, ...indented(detailsLines(detail, [], emphasis))];
  });
  return [...head, ...table, ...shown, ...othersNote(picture)];
}

/** That there is more to see. */
function othersNote({ entries, details }: IndexPicture): string[] {
  const images = entries.filter(({ kind }) => kind === 'image').map(({ digest }) => digest);
  if (new Set(images).size <= details.length) return [];
  return ['', 'Others are shown with --platform or --all-platforms.'];
}

function titleOf({ digest }: ImageDetails, entries: readonly IndexEntry[]): string {
  return `${platformOf(digest, entries) ?? platformText(undefined)} ${digest}`;
}

function platformOf(digest: string, entries: readonly IndexEntry[]): string | undefined {
  const entry = entries.find((other) => other.digest === digest);
  const platform = entry !== undefined && 'platform' in entry ? entry.platform : undefined;
  return platform && formatPlatform(platform);
}

function entryRow(entry: IndexEntry, entries: readonly IndexEntry[]): readonly string[] {
  const { digest } = entry;
  if (entry.kind === 'image') {
    const layers = String(entry.layers);
    return [platformText(entry.platform), digest, layers, sizeText(entry.sizeBytes)];
  }
  if (entry.kind === 'unread') {
    return [platformText(entry.platform), digest, NOTHING, entry.error.code];
  }
  const name =
    entry.kind === 'attestation'
      ? `attestation of ${platformOf(entry.about, entries) ?? entry.about}`
      : artifactText(entry.artifact);
  return [name, digest, NOTHING, NOTHING];
}

function platformText(platform: Platform | undefined): string {
  return platform === undefined ? 'no platform' : formatPlatform(platform);
}

function artifactText({ kind, artifactType }: Artifact): string {
  return kind ?? `artifact ${artifactType ?? ''}`.trim();
}

function manifestLines(image: string, { details }: ManifestPicture, emphasis: Emphasis): string[] {
  const { digest, artifact, config } = details;
  const platform = config === undefined ? '' : ` (${formatPlatform(config.platform)})`;
  const what =
    artifact === undefined
      ? `the manifest of one platform${platform}, no index`
      : `an artifact${artifact.kind === undefined ? '' : `: ${artifact.kind}`}`;
  const head: readonly Field[] = [
    ['Image', [image]],
    ['Digest', [digest]],
    ['Kind', [what]],
  ];
  return detailsLines(details, head, emphasis);
}

function blobLines(image: string, picture: BlobPicture, emphasis: Emphasis): string[] {
  const { digest, sizeBytes, found } = picture;
  return fieldLines(
    [
      ['Image', [image]],
      ['Digest', [digest]],
      ['Kind', [BLOB_TEXTS[found.kind]]],
      ['Size', sizeBytes === undefined ? [] : [sizeText(sizeBytes)]],
      ...(found.kind === 'config' ? configFields(found.config) : []),
    ],
    emphasis,
  );
}

const BLOB_TEXTS: Readonly<Record<FoundInBlob['kind'], string>> = {
  config: 'an image ID: the config of an image, no manifest; nothing can be pulled by it',
  layer: 'a layer of an image, no manifest; nothing can be pulled by it',
  unknown: 'a blob, neither manifest nor config nor layer',
};
