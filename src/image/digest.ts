import { createHash } from 'node:crypto';

/** A digest tagpin writes: `sha256:` or `sha512:` and lower-case hexadecimal digits. */
export type Digest = `sha256:${string}` | `sha512:${string}`;

/** The algorithms of {@link Digest}. */
export type DigestAlgorithm = 'sha256' | 'sha512';

// The registered algorithms of the OCI image specification, descriptor.md "Digests". Upper-case
// digits are another string, so they would name nothing in a store: refused, as by go-digest.
const DIGEST = /^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/;

/** Tells whether `text` is a digest that may be written into a reference. */
export function isDigest(text: string): text is Digest {
  return DIGEST.test(text);
}

/** Sees whether bytes that come piece by piece have a digest. */
export interface DigestCheck {
  readonly add: (bytes: Uint8Array) => void;
  /** To be called once, after the last piece. */
  readonly holds: () => boolean;
}

export function createDigestCheck(digest: Digest): DigestCheck {
  const [algorithm = ''] = digest.split(':', 1);
  const hash = createHash(algorithm);
  return {
    add: (bytes) => void hash.update(bytes),
    holds: () => `${algorithm}:${hash.digest('hex')}` === digest,
  };
}

/** The algorithm of a digest. */
export function algorithmOf(digest: Digest): DigestAlgorithm {
  return digest.startsWith('sha512:') ? 'sha512' : 'sha256';
}

/** The digest of raw bytes; sha256 unless asked otherwise. */
export function computeDigest(bytes: Uint8Array, algorithm: DigestAlgorithm = 'sha256'): Digest {
  return `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`;
}
