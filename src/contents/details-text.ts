import type { Descriptor } from '../image/descriptor.ts';
import type { HistoryEntry, ImageConfig } from '../image/image-config.ts';
import { formatPlatform } from '../image/platform.ts';
import { formatBytes } from './byte-size.ts';
import { type Attestation, type ImageDetails, type ImageStep, PREDICATE } from './image-details.ts';
import { totalBytes } from './index-entries.ts';
import { type Column, type Emphasis, type Field, fieldLines, tableLines } from './text-layout.ts';

const NOTHING = '-';
/** A step may have a whole script; all of it is in the report as JSON. */
const MAX_STEP_CHARS = 100;
/** What docker's old builder put in front of every step, as `docker history` leaves it out. */
const NO_COMMAND = /^\/bin\/sh -c #\(nop\)\s+/;

const STEP_COLUMNS: readonly Column[] = [
  { title: 'LAYER', isNumber: true },
  { title: 'SIZE', isNumber: true },
  { title: 'DIGEST' },
  { title: 'CREATED BY' },
];

/** Everything of one manifest but its digest, below what stands at the head. */
export function detailsLines(
  details: ImageDetails,
  head: readonly Field[],
  emphasis: Emphasis,
): string[] {
  const { manifest, artifact, config, steps, attestations } = details;
  const { layers } = manifest;
  const size = sizeText(totalBytes(layers));
  const counted = `${layers.length}, ${size} as stored`;
  return [
    ...fieldLines(
      [
        ...head,
        ['Media type', [manifest.mediaType]],
        ['Artifact type', present(artifact?.artifactType ?? manifest.artifactType)],
        ['Subject', manifest.subject === undefined ? [] : [descriptorText(manifest.subject)]],
        ['Annotations', pairs(manifest.annotations)],
        ['Attestations', attestations.flatMap(attestationTexts)],
        [config === undefined ? 'Config' : 'Image ID', [descriptorText(manifest.config)]],
        ...(config === undefined ? [] : configFields(config)),
        [artifact === undefined ? 'Layers' : 'Blobs', [counted]],
      ],
      emphasis,
    ),
    ...(steps.length === 0 ? [] : ['', ...stepLines(steps, emphasis)]),
  ];
}

/** What a config says of how the image runs. */
export function configFields(config: ImageConfig): readonly Field[] {
  return [
    ['Platform', [formatPlatform(config.platform)]],
    ['Created', present(config.created)],
    ['Author', present(config.author)],
    ['Entrypoint', words(config.entrypoint)],
    ['Command', words(config.command)],
    ['User', present(config.user)],
    ['Working dir', present(config.workingDir)],
    ['Stop signal', present(config.stopSignal)],
    ['Ports', config.ports],
    ['Volumes', config.volumes],
    ['Environment', config.environment],
    ['Labels', pairs(config.labels)],
  ];
}

/** Layers beside what made them. */
function stepLines(steps: readonly ImageStep[], emphasis: Emphasis): string[] {
  const hasHistory = steps.some(({ history }) => history !== undefined);
  const last = hasHistory ? 'CREATED BY' : 'CONTENT';
  const rows = steps.map(({ layer, history }) => [
    layer === undefined ? NOTHING : String(layer.number),
    layer === undefined ? NOTHING : sizeText(layer.sizeBytes),
    layer?.digest ?? NOTHING,
    hasHistory || layer === undefined ? stepText(history) : contentText(layer),
  ]);
  const columns = STEP_COLUMNS.map((column, at) => (at === 3 ? { title: last } : column));
  return tableLines(columns, rows, emphasis);
}

/** Of artifacts, some say what lies in a blob. */
function contentText({ mediaType, annotations }: Descriptor): string {
  const title = annotations.get('org.opencontainers.image.title') ?? annotations.get(PREDICATE);
  return title === undefined ? mediaType : `${mediaType} ${title}`;
}

/** What made a layer, in one line. */
export function stepText(history: HistoryEntry | undefined): string {
  const text = history?.createdBy ?? history?.comment ?? '';
  const line = text.replace(NO_COMMAND, '').replace(/\s+/g, ' ').trim();
  return line.length > MAX_STEP_CHARS ? `${line.slice(0, MAX_STEP_CHARS - 1)}…` : line;
}

export function sizeText(bytes: number | undefined): string {
  return bytes === undefined ? NOTHING : formatBytes(bytes);
}

/** `NAME=VALUE`, in the order in which they stand. */
export function pairs(map: ReadonlyMap<string, string>): string[] {
  return [...map].map(([key, value]) => `${key}=${value}`);
}

export function descriptorText({ digest, mediaType, sizeBytes }: Descriptor): string {
  const size = sizeBytes === undefined ? '' : `, ${formatBytes(sizeBytes)}`;
  return `${digest} (${mediaType}${size})`;
}

function attestationTexts({ digest, predicates, error }: Attestation): string[] {
  if (error !== undefined) return [`${digest}: ${error.message}`];
  return predicates.length === 0
    ? [digest]
    : predicates.map((predicate) => `${digest} ${predicate}`);
}

function present(text: string | undefined): string[] {
  return text === undefined || text === '' ? [] : [text];
}

/** As a list of JSON: where a word ends is to be seen. */
function words(list: readonly string[]): string[] {
  return list.length === 0 ? [] : [JSON.stringify(list)];
}
