import { compileGlobs, compileNameGlobs } from '../image/glob.ts';
import { type ImageReference, normalizedName } from '../image/reference.ts';
import type { CredentialSource } from './credential.ts';

/** Who may use the operator's own credentials, and for what. */
export interface Lender {
  readonly lendsTo: (namespace: string) => boolean;
  /** What is lent for this image, to those who are lent to at all. */
  readonly sourcesFor: (reference: ImageReference) => readonly CredentialSource[];
}

export interface LenderOptions {
  /** In the order in which they are tried. */
  readonly sources: readonly CredentialSource[];
  /** Globs of the namespaces that are lent to. */
  readonly namespaces: readonly string[];
  /** Globs of normalised names (`docker.io/library/nginx`) for which is lent; the host by itself. */
  readonly images: readonly string[];
}

/**
 * Both lists must match: whoever is lent a credential can find out which tags it may read, and have
 * their digests.
 */
export function createLender({ sources, namespaces, images }: LenderOptions): Lender {
  const isBorrower = compileGlobs(namespaces);
  const isLent = compileNameGlobs(images);
  return {
    lendsTo: (namespace) => sources.length > 0 && isBorrower(namespace),
    sourcesFor: (reference) => (isLent(normalizedName(reference)) ? sources : []),
  };
}
