import { isImageConfigType } from '../image/image-config.ts';
import type { ImageManifest } from '../image/image-manifest.ts';

/**
 * What people call artifacts, by what their media types begin with: artifact type, config or layers.
 * Each is what its own project documents (BuildKit, cosign and sigstore, Notary Project, in-toto, SPDX,
 * CycloneDX, Helm, ORAS, WebAssembly, Flux).
 */
const KINDS: readonly (readonly [prefix: string, kind: string])[] = [
  ['application/vnd.docker.attestation.manifest.', 'attestation (BuildKit)'],
  ['application/vnd.in-toto', 'attestation (in-toto)'],
  ['application/vnd.dsse.envelope.', 'attestation (DSSE)'],
  ['application/vnd.dev.cosign.simplesigning.', 'signature (cosign)'],
  ['application/vnd.dev.cosign.artifact.sig.', 'signature (cosign)'],
  ['application/vnd.dev.cosign.artifact.sbom.', 'SBOM (cosign)'],
  ['application/vnd.dev.sigstore.bundle', 'bundle (sigstore)'],
  ['application/vnd.cncf.notary.signature', 'signature (Notary Project)'],
  ['application/spdx+json', 'SBOM (SPDX)'],
  ['text/spdx', 'SBOM (SPDX)'],
  ['application/vnd.cyclonedx', 'SBOM (CycloneDX)'],
  ['application/vnd.cncf.helm.', 'Helm chart'],
  ['application/vnd.cncf.flux.', 'Flux artifact'],
  ['application/vnd.wasm.', 'WebAssembly module'],
  ['application/wasm', 'WebAssembly module'],
];

/** What a manifest is if it is no image that runs. */
export interface Artifact {
  /**
   * As OCI has it (image specification, manifest.md, "artifactType"): its own, or its config's;
   * undefined where that is an image's.
   */
  readonly artifactType: string | undefined;
  /** What people call it, where that is known. */
  readonly kind: string | undefined;
}

/**
 * Undefined for images. Signatures and attestations are known by their layers as well: cosign and
 * BuildKit give them the config of an image, for registries that take nothing else.
 */
export function artifactOf({ artifactType, config, layers }: ImageManifest): Artifact | undefined {
  const kinds = layers.map(({ mediaType }) => kindOfType(mediaType));
  const kindOfLayers = kinds.every((kind) => kind !== undefined) ? kinds[0] : undefined;
  if (isImageConfigType(config.mediaType) && kindOfLayers === undefined) return undefined;
  const isImageConfig = isImageConfigType(config.mediaType);
  const type = artifactType ?? (isImageConfig ? undefined : config.mediaType);
  return { artifactType: type, kind: (type && kindOfType(type)) ?? kindOfLayers };
}

/** What an entry of an index says to be an artifact. */
export function artifactOfType(artifactType: string): Artifact {
  return { artifactType, kind: kindOfType(artifactType) };
}

/** The name of what has this media type; undefined for one that is not known. */
function kindOfType(mediaType: string): string | undefined {
  return KINDS.find(([prefix]) => mediaType.startsWith(prefix))?.[1];
}
