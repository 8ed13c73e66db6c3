import type { Digest } from '../image/digest.ts';

/** What a registry has under a tag, or under a digest that it was asked for. */
export interface ResolvedImage {
  readonly digest: Digest;
  readonly mediaType: string | undefined;
}

/** A manifest or an index, whose bytes have its digest. */
export interface ServedManifest {
  readonly digest: Digest;
  readonly mediaType: string;
  /** As they were served. */
  readonly bytes: Uint8Array;
}

/** A blob on its way. */
interface ServedBlob {
  /** As the server announces it; undefined where it does not. */
  readonly sizeBytes: number | undefined;
  /**
   * To be read once. After the last byte it throws PinError `invalid_response` where they have not
   * the digest, so that whoever wrote them on knows that they are not what was asked for. Leaving it
   * early ends the request.
   */
  readonly content: AsyncIterable<Uint8Array>;
}

/** One page of a registry's tags. */
export interface TagPage {
  readonly tags: readonly string[];
  /** Google's registries tell what stands behind the tags, and digests without any. */
  readonly manifests: ReadonlyMap<Digest, ListedManifest> | undefined;
}

/** What a list of tags tells of a manifest. */
export interface ListedManifest {
  readonly tags: readonly string[];
  readonly mediaType: string | undefined;
  readonly sizeBytes: number | undefined;
  /** Milliseconds since 1970. */
  readonly createdAtMs: number | undefined;
  readonly uploadedAtMs: number | undefined;
}

/** The registries, as a person asks them. Each rejects with a PinError. */
export interface Registries {
  /** What stands behind a tag; of a reference with a digest, that its manifest is served by it. */
  readonly resolve: (image: string) => Promise<ResolvedImage>;
  /** By tag, or by digest where the reference has one. */
  readonly manifest: (image: string) => Promise<ServedManifest>;
  /** Of the repository of a reference, whatever its tag. */
  readonly blob: (image: string, digest: Digest) => Promise<ServedBlob>;
  /** Page by page, as they come. */
  readonly tags: (repository: string) => AsyncIterable<TagPage>;
}
