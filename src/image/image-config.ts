import { readDocument } from './document.ts';
import { type Platform, readPlatform } from './platform.ts';

/** The config object of an image (OCI image specification, config.md). */
export interface ImageConfig {
  readonly platform: Platform;
  /** As it is written. */
  readonly created: string | undefined;
  readonly author: string | undefined;
  readonly user: string | undefined;
  readonly workingDir: string | undefined;
  readonly entrypoint: readonly string[];
  readonly command: readonly string[];
  /** `NAME=VALUE`. */
  readonly environment: readonly string[];
  /** `80/tcp`. */
  readonly ports: readonly string[];
  readonly volumes: readonly string[];
  readonly labels: ReadonlyMap<string, string>;
  readonly stopSignal: string | undefined;
  readonly history: readonly HistoryEntry[];
  /** Digests of the layers' archives without compression. */
  readonly diffIds: readonly string[];
}

/** One step of what made an image. */
export interface HistoryEntry {
  readonly created: string | undefined;
  readonly createdBy: string | undefined;
  readonly author: string | undefined;
  readonly comment: string | undefined;
  /** It made no layer. */
  readonly isEmptyLayer: boolean;
}

const CONFIG_TYPES: ReadonlySet<string> = new Set([
  'application/vnd.oci.image.config.v1+json',
  'application/vnd.docker.container.image.v1+json',
]);

/** Tells whether a media type is that of the config of an image; artifacts have others. */
export function isImageConfigType(mediaType: string): boolean {
  return CONFIG_TYPES.has(mediaType);
}

/**
 * Reads the config of an image. That of an artifact is any bytes: look at its media type first.
 *
 * @throws PinError `invalid_response` when it is no JSON object, `unsupported_manifest` where fields
 * are of other types or too many
 */
export function parseImageConfig(bytes: Uint8Array): ImageConfig {
  const document = readDocument(bytes, 'the config');
  const config = document.section('config');
  return {
    platform: readPlatform(document),
    created: document.text('created'),
    author: document.text('author'),
    user: config.text('User'),
    workingDir: config.text('WorkingDir'),
    entrypoint: config.texts('Entrypoint'),
    command: config.texts('Cmd'),
    environment: config.texts('Env'),
    ports: config.keys('ExposedPorts'),
    volumes: config.keys('Volumes'),
    labels: config.textMap('Labels'),
    stopSignal: config.text('StopSignal'),
    history: document.objects('history').map((entry) => ({
      created: entry.text('created'),
      createdBy: entry.text('created_by'),
      author: entry.text('author'),
      comment: entry.text('comment'),
      isEmptyLayer: entry.isTrue('empty_layer'),
    })),
    diffIds: document.section('rootfs').texts('diff_ids'),
  };
}

/**
 * The platform alone that a config says. What belongs to an artifact may say none: its operating
 * system and architecture are empty.
 *
 * @throws PinError as `parseImageConfig()`
 */
export function platformOfConfig(bytes: Uint8Array): Platform {
  return readPlatform(readDocument(bytes, 'the config'));
}
