import { PinError } from '../errors.ts';
import type { Credential, Offer } from './credential.ts';
import {
  countDockerConfigJson,
  countDockercfg,
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

interface Format {
  readonly dataKey: string;
  readonly parse: (text: string, origin: string) => RegistryEntry[];
  readonly count: (text: string) => number;
}

// A Secret's type decides which of its keys is read (pkg/credentialprovider/secrets/secrets.go).
const FORMATS: ReadonlyMap<string, Format> = new Map([
  [
    'kubernetes.io/dockerconfigjson',
    {
      dataKey: '.dockerconfigjson',
      parse: parseDockerConfigJson,
      count: countDockerConfigJson,
    },
  ],
  [
    'kubernetes.io/dockercfg',
    { dataKey: '.dockercfg', parse: parseDockercfg, count: countDockercfg },
  ],
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

/**
 * How many entries there are in secrets, at most. Far cheaper than their keyring, so that too many are
 * seen before they are read. What is malformed has none: the keyring says what is wrong with it.
 */
export function countEntries(secrets: readonly Secret[]): number {
  return secrets.reduce((sum, secret) => {
    const held = contentOf(secret);
    const bytes = decodeBase64(held?.data ?? '');
    return sum + (held && bytes ? held.format.count(decodeText(bytes)) : 0);
  }, 0);
}

function readSecret(secret: Secret): KeyedOffer[] {
  const held = contentOf(secret);
  if (held === undefined) return [];
  const origin = `pull secret ${JSON.stringify(secret.metadata?.name ?? '')}`;
  const bytes = decodeBase64(held.data);
  if (bytes === undefined) {
    throw new PinError('invalid_secret', `Cannot read ${origin}: its data is not base64`);
  }
  return held.format
    .parse(decodeText(bytes), origin)
    .map(({ key, credential }) => ({ key, offer: { credential, origin } }));
}

/** What of a Secret is read, as base64, and how. */
function contentOf({
  type = '',
  data,
}: Secret): { readonly format: Format; readonly data: string } | undefined {
  const format = FORMATS.get(type);
  const content = format && data?.[format.dataKey];
  return format === undefined || content === undefined || content === ''
    ? undefined
    : { format, data: content };
}

/** A byte order mark is no JSON to Go: it is kept, so that it is none here. */
function decodeText(bytes: Buffer): string {
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
}
