import { PinError } from '../errors.ts';
import { normalizedName, parseReference } from '../image/reference.ts';
import type { Credential, Offer } from './credential.ts';
import {
  decodeBase64,
  parseDockerConfigJson,
  parseDockercfg,
  type RegistryEntry,
} from './docker-config.ts';
import { parseLocation } from './location.ts';

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

/** A location taken apart for comparison. */
interface Target {
  readonly labels: readonly string[];
  readonly port: string;
  readonly path: string;
}

/** One key with everything that was stored under it. */
interface Slot {
  readonly key: string;
  readonly target: Target | undefined;
  readonly offers: Offer[];
}

// Docker Hub's first name, under which `docker login` stores to this day. It is used for an image
// of the Hub when no key matches that image's name.
const HUB_KEY = 'index.docker.io';
const HUB_HOSTS: ReadonlySet<string> = new Set(['docker.io', 'index.docker.io']);

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
 * A keyring with kubelet's answers (kubernetes/kubernetes pkg/credentialprovider/keyring.go): all
 * keys that match, in falling order of their bytes, so that longer paths come before shorter and
 * names before `*`; under one key, the order of the secrets. A Secret of another type, or without
 * the data of its type, adds nothing.
 *
 * @throws PinError `invalid_secret` naming the first malformed Secret, for kubelet then uses none
 */
export function createKeyring(secrets: readonly Secret[]): Keyring {
  const slots = new Map<string, Slot>();
  const entries = secrets.flatMap(readSecret);
  for (const { key, offer } of entries) {
    const slot = slots.get(key) ?? { key, target: toTarget(key), offers: [] };
    slot.offers.push(offer);
    slots.set(key, slot);
  }
  const ordered = [...slots.values()].toSorted((one, other) =>
    Buffer.compare(Buffer.from(other.key), Buffer.from(one.key)),
  );
  return {
    size: entries.length,
    lookup: (image) =>
      lookup(ordered, slots.get(HUB_KEY), image).map(({ credential }) => credential),
    offersFor: (image) => lookup(ordered, slots.get(HUB_KEY), image),
  };
}

function readSecret(secret: Secret): { readonly key: string; readonly offer: Offer }[] {
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

function lookup(slots: readonly Slot[], hub: Slot | undefined, image: string): Offer[] {
  const reference = parseReference(image);
  const target = toTarget(normalizedName(reference));
  const found =
    target === undefined
      ? []
      : slots.filter((slot) => slot.target !== undefined && matches(slot.target, target));
  if (found.length > 0) return found.flatMap(({ offers }) => offers);
  return isHub(reference.registry) ? [...(hub?.offers ?? [])] : [];
}

/**
 * Wider than what pulls from the Hub: a host of one label without a port counts too, as in
 * keyring.go's isDefaultRegistryMatch.
 */
function isHub(registry: string): boolean {
  return HUB_HOSTS.has(registry) || !/[.:]/.test(registry);
}

function toTarget(text: string): Target | undefined {
  const location = parseLocation(text);
  if (location === undefined) return undefined;
  const [, name = '', port = ''] = splitPort(location.host);
  return { labels: name.split('.'), port, path: location.path };
}

/** Only a port takes the brackets off an IPv6 address: so Go's net.SplitHostPort. */
function splitPort(host: string): readonly string[] {
  return /^\[(.*)\]:([0-9]*)$/.exec(host) ?? /^([^:]*):([0-9]*)$/.exec(host) ?? ['', host];
}

function matches(key: Target, image: Target): boolean {
  return (
    key.port === image.port &&
    key.labels.length === image.labels.length &&
    // Text, not path elements: "/pong" matches "/pongz".
    image.path.startsWith(key.path) &&
    key.labels.every((glob, index) => matchesLabel(glob, image.labels[index] ?? ''))
  );
}

/**
 * `*` stands for any text within one label. Linear in time: each part is looked for once. Brackets
 * that no port took off are a set of characters to Go's filepath.Match, and no address matches it.
 */
function matchesLabel(glob: string, label: string): boolean {
  if (glob.startsWith('[')) return false;
  const [first = '', ...rest] = glob.split('*');
  const last = rest.pop();
  if (last === undefined) return glob === label;
  if (!label.startsWith(first)) return false;
  let position = first.length;
  for (const part of rest) {
    const found = label.indexOf(part, position);
    if (found === -1) return false;
    position = found + part.length;
  }
  return label.length - last.length >= position && label.endsWith(last);
}
