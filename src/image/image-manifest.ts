import { type Descriptor, readDescriptor } from './descriptor.ts';
import { readDocument } from './document.ts';
import { isIndexType, recogniseManifest } from './manifest.ts';

/** A manifest of one platform, or of an artifact. */
export interface ImageManifest {
  readonly kind: 'manifest';
  readonly mediaType: string;
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
  /** What an artifact is about. */
  readonly subject: Descriptor | undefined;
  readonly artifactType: string | undefined;
  readonly annotations: ReadonlyMap<string, string>;
}

/** An index, which Docker calls a manifest list: of manifests, and of other indexes. */
export interface ImageIndex {
  readonly kind: 'index';
  readonly mediaType: string;
  readonly entries: readonly Descriptor[];
  readonly subject: Descriptor | undefined;
  readonly artifactType: string | undefined;
  readonly annotations: ReadonlyMap<string, string>;
}

/**
 * Reads what a registry has under a tag or a digest.
 *
 * @throws PinError as `recogniseManifest()`, and `unsupported_manifest` where fields are missing or
 * of other types, or are too many
 */
export function parseManifest(
  contentType: string | undefined,
  bytes: Uint8Array,
): ImageManifest | ImageIndex {
  const mediaType = recogniseManifest(contentType, bytes);
  const isIndex = isIndexType(mediaType);
  const document = readDocument(bytes, isIndex ? 'the index' : 'the manifest');
  const subject = document.object('subject');
  const common = {
    mediaType,
    subject: subject && readDescriptor(subject),
    artifactType: document.text('artifactType'),
    annotations: document.textMap('annotations'),
  };
  if (isIndex) {
    return { kind: 'index', ...common, entries: document.objects('manifests').map(readDescriptor) };
  }
  const config = document.object('config');
  if (config === undefined) throw document.wrong('config', 'missing');
  return {
    kind: 'manifest',
    ...common,
    config: readDescriptor(config),
    layers: document.objects('layers').map(readDescriptor),
  };
}
