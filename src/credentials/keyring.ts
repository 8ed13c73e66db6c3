import { PinError } from '../errors.ts';
import type { Credential, Offer } from './credential.ts';
import {
  decodeBase64,
  parseDockerConfigJson,
  parseDockercfg,
  type RegistryEntry,
} from './docker-config.ts';
import { createKeyedOffers, isHubToKubelet, type KeyedOffer } from './keyed-offers.ts';

/** What is read of a Secret, in the shape the Kubernetes API returns. */
export interface Secret {
  readonly type?: string;
  /** Base64. */
  readonly data?: Readonly<Record<string, string>>;
  readonly metadata?: { readonly name?: string };
}

/** The credentials of some pull secrets. */
export interface Keyring {
  /** How many credentials there are, for whatever image. */
  readonly size: number;
  /**
   * The credentials for an image in any spelling, in the order kubelet tries them.
   *
   * @throws PinError `invalid_reference`
   */
  lookup(image: string): Credential[];
  /** The same, each with the pull secret that it is from. */
  offersFor(image: string): Offer[];
}

// A Secret's type decides which of its keys is read (pkg/credentialprovider/secrets/secrets.go).
const FORMATS: ReadonlyMap<
  string,
  { dataKey: string; parse: (text: string, origin: string) => RegistryEntry[] }
> = new Map([
  [
    'kubernetes.io/dockerconfigjson',
    { dataKey: '.dockerconfigjson', parse: parseDockerConfigJson },
  ],
  ['kubernetes.io/dockercfg', { dataKey: '.dockercfg', parse: parseDockercfg }],
]);

/**
 * A keyring of secrets with kubelet's answers; under one key, the order of the secrets. A Secret of
 * another type, or without the data of its type, adds nothing.
 *
 * @throws PinError `invalid_secret` naming the first malformed Secret, for kubelet then uses none
 */
export function createKeyring(secrets: readonly Secret[]): Keyring {
  const entries = secrets.flatMap(readSecret);
  const offersFor = createKeyedOffers(entries, isHubToKubelet);
  return {
    size: entries.length,
    lookup: (image) => offersFor(image).map(({ credential }) => credential),
    offersFor,
  };
}

function readSecret(secret: Secret): KeyedOffer[] {
  const format = FORMATS.get(secret.type ?? '');
  const data = format === undefined ? undefined : secret.data?.[format.dataKey];
  if (format === undefined || data === undefined || data === '') return [];
  const origin = `pull secret ${JSON.stringify(secret.metadata?.name ?? '')}`;
  const bytes = decodeBase64(data);
  if (bytes === undefined) {
    throw new PinError('invalid_secret', `Cannot read ${origin}: its data is not base64`);
  }
  // A byte order mark is no JSON to Go: it is kept, so that it is none here.
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
  return format
    .parse(text, origin)
    .map(({ key, credential }) => ({ key, offer: { credential, origin } }));
}
