import type { PinError } from '../errors.ts';
import type { Descriptor } from '../image/descriptor.ts';
import type { ImageConfig } from '../image/image-config.ts';
import { formatPlatform, type Platform } from '../image/platform.ts';
import type { BlobPicture } from './blob-picture.ts';
import type { Attestation, ImageDetails } from './image-details.ts';
import { type IndexEntry, totalBytes } from './index-entries.ts';
import type { IndexPicture, Picture, Unread } from './picture.ts';

/**
 * A picture for programs, of the same form for an index and for one manifest. What is not said is left
 * out; lists and maps are there, even when empty.
 */
export function plainPicture(image: string, picture: Picture): object {
  if (picture.kind === 'index') return plainIndex(image, picture);
  if (picture.kind === 'blob') return plainBlob(image, picture);
  const { sizeBytes, details } = picture;
  const { digest, manifest, artifact } = details;
  return {
    image,
    kind: artifact === undefined ? 'image' : 'artifact',
    digest,
    mediaType: manifest.mediaType,
    sizeBytes,
    manifests: [],
    details: [plainDetails(details)],
  };
}

function plainIndex(image: string, picture: IndexPicture): object {
  const { digest, sizeBytes, index, entries, details } = picture;
  return {
    image,
    kind: 'index',
    digest,
    mediaType: index.mediaType,
    sizeBytes,
    artifactType: index.artifactType,
    subject: plainDescriptor(index.subject),
    annotations: Object.fromEntries(index.annotations),
    manifests: entries.map(plainEntry),
    details: details.map((detail) =>
      'error' in detail ? plainUnread(detail) : plainDetails(detail),
    ),
  };
}

function plainEntry(entry: IndexEntry): object {
  const { kind, digest, mediaType, annotations } = entry;
  const common = { kind, digest, mediaType, annotations: Object.fromEntries(annotations) };
  if (entry.kind === 'attestation') return { ...common, attests: entry.about };
  if (entry.kind === 'artifact') {
    return { ...common, artifactType: entry.artifact.artifactType, name: entry.artifact.kind };
  }
  const platform = plainPlatform(entry.platform);
  if (entry.kind === 'unread') return { ...common, platform, ...plainError(entry.error) };
  return { ...common, platform, layers: entry.layers, layersSizeBytes: entry.sizeBytes };
}

function plainDetails(details: ImageDetails): object {
  const { digest, manifest, artifact, config, steps, attestations } = details;
  return {
    digest,
    mediaType: manifest.mediaType,
    artifactType: artifact?.artifactType ?? manifest.artifactType,
    name: artifact?.kind,
    subject: plainDescriptor(manifest.subject),
    annotations: Object.fromEntries(manifest.annotations),
    attestations: attestations.map(plainAttestation),
    config: { ...plainDescriptor(manifest.config), ...(config && plainConfig(config)) },
    layers: steps.flatMap(({ layer, history }) => {
      if (layer === undefined) return [];
      const { number } = layer;
      return [{ number, ...plainDescriptor(layer), createdBy: history?.createdBy }];
    }),
    layersSizeBytes: totalBytes(manifest.layers),
  };
}

function plainConfig(config: ImageConfig): object {
  const { platform, labels, history, ...others } = config;
  return {
    platform: plainPlatform(platform),
    ...others,
    labels: Object.fromEntries(labels),
    history,
  };
}

function plainBlob(image: string, { digest, sizeBytes, found }: BlobPicture): object {
  const common = { image, kind: found.kind === 'unknown' ? 'blob' : found.kind, digest, sizeBytes };
  return found.kind === 'config' ? { ...common, config: plainConfig(found.config) } : common;
}

function plainDescriptor(descriptor: Descriptor | undefined): object | undefined {
  if (descriptor === undefined) return undefined;
  const { digest, mediaType, sizeBytes, artifactType, annotations } = descriptor;
  const plain = { digest, mediaType, sizeBytes, artifactType };
  return annotations.size === 0
    ? plain
    : { ...plain, annotations: Object.fromEntries(annotations) };
}

function plainAttestation({ digest, predicates, error }: Attestation): object {
  return { digest, predicates, ...(error && plainError(error)) };
}

function plainUnread({ digest, error }: Unread): object {
  return { digest, ...plainError(error) };
}

function plainError({ code, message }: PinError): object {
  return { reason: code, message };
}

function plainPlatform(platform: Platform | undefined): string | undefined {
  return platform && formatPlatform(platform);
}
