import type { ImageReference } from '../image/reference.ts';

/** What a registry is asked with. Either may be empty: kubelet offers such credentials, too. */
export interface Credential {
  readonly username: string;
  readonly password: string;
  /**
   * A refresh token of the registry's token server (docker's `identitytoken`), in place of the two.
   * Only the operator's own docker config has any: kubelet drops them from pull secrets.
   */
  readonly identityToken?: string;
  /**
   * A token of the registry itself (docker's `registrytoken`), in place of all that: it is sent as it
   * is, without a challenge, and exchanged for no other. Only a person on the command line has any.
   */
  readonly registryToken?: string;
}

/** A credential, with where it was found for messages: `pull secret "team/regcred"`. */
export interface Offer {
  readonly credential: Credential;
  readonly origin: string;
}

/** Credentials of the operator, which are looked for when a registry is asked and not before. */
export interface CredentialSource {
  /** The `source` label of its metric. */
  readonly name: string;
  /** Whether it may have any for this image; without a question to anybody. */
  readonly covers: (reference: ImageReference) => boolean;
  /**
   * In the order in which they are to be tried; none is an answer, too. Remembers what it was told
   * for as long as that is good. Throws PinError `credential_source_failed`.
   */
  readonly offersFor: (reference: ImageReference, signal: AbortSignal) => Promise<readonly Offer[]>;
  /** What was offered for this image has expired: the next call asks anew. */
  readonly forget: (reference: ImageReference) => void;
}

/** What may be offered to the registry of an image, in kubelet's order: the pod's own, then the operator's. */
export interface Access {
  readonly own: readonly Offer[];
  /** Sources that the operator lends to this namespace for this image. */
  readonly lent: readonly CredentialSource[];
  /** Stands for all of it in the keys of caches, and tells nothing. */
  readonly fingerprint: string;
}
