import { type PinError, toPinError } from '../errors.ts';
import type { Descriptor } from '../image/descriptor.ts';
import type { Digest } from '../image/digest.ts';
import { type HistoryEntry, type ImageConfig, parseImageConfig } from '../image/image-config.ts';
import type { ImageManifest } from '../image/image-manifest.ts';
import { type Artifact, artifactOf } from './artifact-kinds.ts';
import type { ImageDocuments } from './image-documents.ts';
import type { IndexEntry } from './index-entries.ts';

/** All that one manifest and its config say. */
export interface ImageDetails {
  readonly digest: Digest;
  readonly manifest: ImageManifest;
  /** Undefined for an image that runs. */
  readonly artifact: Artifact | undefined;
  /** Undefined for an artifact. */
  readonly config: ImageConfig | undefined;
  readonly steps: readonly ImageStep[];
  readonly attestations: readonly Attestation[];
}

/** What made a layer, or changed the config alone. */
export interface ImageStep {
  readonly layer: NumberedLayer | undefined;
  readonly history: HistoryEntry | undefined;
}

/** A layer with its place, from 1. */
export interface NumberedLayer extends Descriptor {
  readonly number: number;
}

/** What is attested of an image. */
export interface Attestation {
  readonly digest: Digest;
  /** The predicate of each statement, as in-toto names them. */
  readonly predicates: readonly string[];
  readonly error: PinError | undefined;
}

/** https://docs.docker.com/build/metadata/attestations/attestation-storage/ */
export const PREDICATE = 'in-toto.io/predicate-type';

/**
 * Reads a manifest with its config, and what entries of its index attest of it. Rejects with a
 * PinError where it is an index, or one of both cannot be read.
 */
export async function detailsOf(
  { digest, manifest }: { readonly digest: Digest; readonly manifest: ImageManifest },
  entries: readonly IndexEntry[],
  documents: ImageDocuments,
): Promise<ImageDetails> {
  const artifact = artifactOf(manifest);
  const config =
    artifact === undefined ? parseImageConfig(await documents.config(manifest.config)) : undefined;
  const attesting = entries.filter(
    (entry) => entry.kind === 'attestation' && entry.about === digest,
  );
  return {
    digest,
    manifest,
    artifact,
    config,
    steps: stepsOf(manifest.layers, config?.history ?? []),
    attestations: await Promise.all(
      attesting.map((entry) => attestationOf(entry.digest, documents)),
    ),
  };
}

/**
 * Layers beside what made them: history tells of every layer in order, and of steps without any (OCI
 * image specification, config.md, "history"). Where it does not tell of as many, both stand apart.
 */
export function stepsOf(
  layers: readonly Descriptor[],
  history: readonly HistoryEntry[],
): readonly ImageStep[] {
  const numbered = layers.map((layer, index) => ({ ...layer, number: index + 1 }));
  const making = history.filter(({ isEmptyLayer }) => !isEmptyLayer);
  if (making.length !== layers.length) {
    return [
      ...numbered.map((layer) => ({ layer, history: undefined })),
      ...history.map((entry) => ({ layer: undefined, history: entry })),
    ];
  }
  const rest = numbered.values();
  return history.map((entry) => ({
    layer: entry.isEmptyLayer ? undefined : rest.next().value,
    history: entry,
  }));
}

async function attestationOf(digest: Digest, documents: ImageDocuments): Promise<Attestation> {
  try {
    const { content } = await documents.manifest(digest);
    const layers = content.kind === 'manifest' ? content.layers : [];
    const predicates = layers.flatMap(({ annotations }) => annotations.get(PREDICATE) ?? []);
    return { digest, predicates, error: undefined };
  } catch (caught) {
    return { digest, predicates: [], error: toPinError(caught) };
  }
}
