import { LRUCache } from 'lru-cache';

import { PinError } from '../errors.ts';
import { type ImageReference, normalizedName } from '../image/reference.ts';
import type { Fingerprint } from './fingerprint.ts';
import { type Credential, createKeyring, type Keyring, type Secret } from './keyring.ts';

/** What of the cluster is read, with `get` alone. */
export interface SecretReader {
  /**
   * Undefined where there is none. Throws PinError `forbidden_secret` or `secret_unreadable`.
   */
  readonly readSecret: (namespace: string, name: string) => Promise<Secret | undefined>;
  /** The names of the ServiceAccount's `imagePullSecrets`; undefined where there is none. */
  readonly readPullSecretNames: (
    namespace: string,
    serviceAccount: string,
  ) => Promise<readonly string[] | undefined>;
}

/** Whose credentials are wanted. Always of one namespace, that of the request. */
export interface PullSecretsOwner {
  readonly namespace: string;
  readonly pullSecrets: readonly string[];
  /** Lends its own pull secrets; undefined where it must not. */
  readonly serviceAccount: string | undefined;
}

/** The credentials for one image, and the name under which caches may know them. */
export interface ImageCredentials {
  readonly credentials: readonly Credential[];
  readonly fingerprint: string;
}

/** The keyring of one owner. */
export interface PodKeyring {
  readonly credentialsFor: (reference: ImageReference) => ImageCredentials;
  /** Secrets that could not be read. They matter only when a registry then refuses. */
  readonly problems: readonly PinError[];
}

export interface PullSecrets {
  /** At once where it is known, within the last minute; a promise never rejects. */
  readonly keyringOf: (
    owner: PullSecretsOwner,
  ) => PodKeyring | PinError | Promise<PodKeyring | PinError>;
  /** Reads again what may have changed since a registry refused it. */
  readonly reread: (owner: PullSecretsOwner) => Promise<PodKeyring | PinError>;
}

export interface PullSecretsParts {
  readonly reader: SecretReader;
  readonly fingerprint: Fingerprint;
  /** The clock of `performance.now()`, in milliseconds. */
  readonly now: () => number;
  /** Told how each reading of a Secret or ServiceAccount ended. */
  readonly observe: (source: 'secret' | 'service_account', result: string) => void;
}

/** A changed pull secret is noticed within this time, or at once when a registry refuses. */
const KEYRING_TTL_MS = 60_000;
const MAX_KEYRINGS = 10_000;
const MAX_IMAGES_PER_KEYRING = 200;

export function createPullSecrets(parts: PullSecretsParts): PullSecrets {
  const nobody = podKeyring([], [], parts.fingerprint);
  const known = new LRUCache<string, PodKeyring>({
    max: MAX_KEYRINGS,
    ttl: KEYRING_TTL_MS,
    ttlResolution: 0,
    perf: { now: parts.now },
  });
  const reading = new Map<string, Promise<PodKeyring | PinError>>();

  const read = (key: string, owner: PullSecretsOwner): Promise<PodKeyring | PinError> => {
    const shared = reading.get(key);
    if (shared !== undefined) return shared;
    const started = readKeyring(parts, owner)
      .then((keyring) => {
        // What is missing now may be there in a moment: `kubectl apply -f dir/` creates it next.
        if (!(keyring instanceof PinError) && keyring.problems.length === 0)
          known.set(key, keyring);
        return keyring;
      })
      .finally(() => reading.delete(key));
    reading.set(key, started);
    return started;
  };

  return {
    keyringOf: (owner) => {
      if (owner.pullSecrets.length === 0 && owner.serviceAccount === undefined) return nobody;
      const key = keyOf(owner);
      return known.get(key) ?? read(key, owner);
    },
    reread: (owner) => {
      const key = keyOf(owner);
      known.delete(key);
      return read(key, owner);
    },
  };
}

/** A name of Kubernetes holds no space, so a space keeps the parts apart. */
function keyOf({ namespace, pullSecrets, serviceAccount }: PullSecretsOwner): string {
  return `${namespace} ${serviceAccount ?? ''} ${pullSecrets.join(' ')}`;
}

async function readKeyring(
  parts: PullSecretsParts,
  owner: PullSecretsOwner,
): Promise<PodKeyring | PinError> {
  const { names, problem } = await secretNames(parts, owner);
  const read = await Promise.all(names.map((name) => readSecret(parts, owner.namespace, name)));
  const secrets = read.filter((found): found is Secret => !(found instanceof PinError));
  const problems = [problem, ...read].filter((found) => found instanceof PinError);
  try {
    return podKeyring(secrets, problems, parts.fingerprint);
  } catch (caught) {
    // kubelet fails the whole keyring over one malformed secret, so the node could not pull.
    if (caught instanceof PinError) return caught;
    throw caught;
  }
}

async function secretNames(
  parts: PullSecretsParts,
  { namespace, pullSecrets, serviceAccount }: PullSecretsOwner,
): Promise<{ readonly names: readonly string[]; readonly problem?: PinError }> {
  if (pullSecrets.length > 0 || serviceAccount === undefined) return { names: pullSecrets };
  const found = await orProblem(`ServiceAccount ${quote(namespace, serviceAccount)}`, async () =>
    parts.reader.readPullSecretNames(namespace, serviceAccount),
  );
  parts.observe('service_account', resultOf(found));
  return found instanceof PinError ? { names: [], problem: found } : { names: found };
}

async function readSecret(
  parts: PullSecretsParts,
  namespace: string,
  name: string,
): Promise<Secret | PinError> {
  const found = await orProblem(`pull secret ${quote(namespace, name)}`, async () =>
    parts.reader.readSecret(namespace, name),
  );
  parts.observe('secret', resultOf(found));
  return found;
}

/** A secret that is missing or cannot be read does not stop the others, as in kubelet. */
async function orProblem<T>(
  asked: string,
  read: () => Promise<T | undefined>,
): Promise<T | PinError> {
  try {
    return (await read()) ?? new PinError('missing_secret', `${asked} does not exist`);
  } catch (caught) {
    if (caught instanceof PinError) return caught;
    throw caught;
  }
}

/** Before validation a name may be any text: escaped, it cannot spoil a message. */
function quote(namespace: string, name: string): string {
  return JSON.stringify(`${namespace}/${name}`);
}

function resultOf(found: unknown): string {
  return found instanceof PinError ? found.code : 'found';
}

function podKeyring(
  secrets: readonly Secret[],
  problems: readonly PinError[],
  fingerprint: Fingerprint,
): PodKeyring {
  const keyring: Keyring = createKeyring(secrets);
  const byName = new LRUCache<string, ImageCredentials>({ max: MAX_IMAGES_PER_KEYRING });
  return {
    problems,
    credentialsFor: (reference) => {
      const name = normalizedName(reference);
      const seen = byName.get(name);
      if (seen !== undefined) return seen;
      const credentials = keyring.lookup(name);
      const found = { credentials, fingerprint: fingerprint(credentials) };
      byName.set(name, found);
      return found;
    },
  };
}
