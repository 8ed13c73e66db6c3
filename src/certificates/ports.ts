import type { JsonObject } from '../json.ts';
import type { Certificate } from './certificate.ts';
import type { Generation } from './state.ts';

/** One object, as the API server sent it. */
interface StoredObject {
  readonly version: string;
  readonly object: JsonObject;
}

/** What is read and written of a cluster. Everything throws PinError `cluster_unreadable`. */
export interface CertificateObjects {
  /** The webhook configurations that there are: one that changes objects, one that judges them, or none. */
  readonly readConfigurations: () => Promise<readonly Configuration[]>;
  /** Undefined where there is none. */
  readonly readSecret: () => Promise<StoredObject | undefined>;
  /** False where somebody else was faster. */
  readonly patchConfiguration: (
    kind: Configuration['kind'],
    patch: readonly JsonObject[],
  ) => Promise<boolean>;
  /**
   * Writes the whole `data`. False where somebody else was faster.
   *
   * @param version of the Secret that was read; undefined: there was none
   */
  readonly writeSecret: (
    data: Readonly<Record<string, string>>,
    version: string | undefined,
  ) => Promise<boolean>;
  /** The time by the last answer of the API server, in milliseconds since 1970. */
  readonly nowMs: () => number;
}

export interface Configuration extends StoredObject {
  readonly kind: 'mutating' | 'validating';
}

/** A certificate chain and its key, as PEM. */
export interface KeyPair {
  readonly cert: string;
  readonly key: string;
}

/** The same, as it was just made. */
export interface IssuedPair extends KeyPair {
  readonly certificate: Certificate;
}

/** From when to when a certificate is good, in milliseconds since 1970. */
export interface Validity {
  readonly nowMs: number;
  readonly notAfterMs: number;
}

/** Makes keys and certificates. */
export interface Issuer {
  readonly authority: (validity: Validity) => Promise<IssuedPair>;
  /** Of a host, signed by an authority. */
  readonly serving: (
    by: Pick<Generation, 'certificate' | 'key'>,
    names: readonly string[],
    validity: Validity,
  ) => Promise<IssuedPair>;
}
