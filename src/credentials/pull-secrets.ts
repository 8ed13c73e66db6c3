import { LRUCache } from 'lru-cache';

import { PinError } from '../errors.ts';
import { type ImageReference, normalizedName } from '../image/reference.ts';
import type { Access } from './credential.ts';
import type { Fingerprint } from './fingerprint.ts';
import { countEntries, createKeyring, type Keyring } from './keyring.ts';
import type { Lender } from './lender.ts';
import { type PullSecretsOwner, type ReadSecretsParts, readSecrets } from './read-secrets.ts';
import { createReadings } from './readings.ts';

/** The keyring of one owner. */
export interface PodKeyring {
  readonly accessTo: (reference: ImageReference) => Access;
  /** Secrets that could not be read. They matter only when a registry then refuses. */
  readonly problems: readonly PinError[];
}

export interface PullSecrets {
  /**
   * At once where it is known, within the last minute; a promise never rejects. A reading that has
   * not begun when all who want it have waited until their `untilMs` never begins.
   */
  readonly keyringOf: (
    owner: PullSecretsOwner,
    untilMs: number,
  ) => PodKeyring | PinError | Promise<PodKeyring | PinError>;
  /** What keyringOf() would give at once; reads nothing. */
  readonly known: (owner: PullSecretsOwner) => PodKeyring | undefined;
  /** Reads again what may have changed since a registry refused it. */
  readonly reread: (owner: PullSecretsOwner, untilMs: number) => Promise<PodKeyring | PinError>;
}

export interface PullSecretsParts extends ReadSecretsParts {
  readonly lender: Lender;
  readonly fingerprint: Fingerprint;
  /** The clock of `performance.now()`, in milliseconds. */
  readonly now: () => number;
}

type Read = Promise<PodKeyring | PinError>;

/** A changed pull secret is noticed within this time, or at once when a registry refuses. */
const KEYRING_TTL_MS = 60_000;
const MAX_IMAGES_PER_KEYRING = 200;
/** More would be gone through for every image; a docker config that people keep has a dozen. */
const MAX_CREDENTIALS = 1000;
/**
 * All keyrings together, in bytes. A tenant may have one for each order of the names of its secrets,
 * so they cannot be counted by the piece.
 */
const MAX_KEYRINGS_BYTES = 48 * 1024 * 1024;
const KEYRING_BYTES = 6 * 1024;
/** Its key taken apart, and its place in the answer for every image. */
const CREDENTIAL_BYTES = 512 + 8 * MAX_IMAGES_PER_KEYRING;

export function createPullSecrets(parts: PullSecretsParts): PullSecrets {
  const nobody = podKeyring(parts, { keyring: createKeyring([]), problems: [], lent: false });
  const borrower = podKeyring(parts, { keyring: createKeyring([]), problems: [], lent: true });
  const known = new LRUCache<string, PodKeyring>({
    maxSize: MAX_KEYRINGS_BYTES,
    ttl: KEYRING_TTL_MS,
    ttlResolution: 0,
    perf: { now: parts.now },
  });
  const readings = createReadings<PodKeyring | PinError>(parts.now);

  const learn = async (key: string, owner: PullSecretsOwner): Promise<PodKeyring | PinError> => {
    const made = await readKeyring(parts, owner);
    if (made instanceof PinError) return made;
    const { keyring, bytes } = made;
    // What is missing now may be there in a moment: `kubectl apply -f dir/` creates it next.
    if (keyring.problems.length === 0) known.set(key, keyring, { size: bytes + key.length });
    return keyring;
  };
  const read = (key: string, owner: PullSecretsOwner, untilMs: number): Read =>
    readings({ key, namespace: owner.namespace, untilMs }, () => learn(key, owner));

  const withoutSecrets = (owner: PullSecretsOwner): PodKeyring | undefined => {
    if (owner.pullSecrets.length > 0 || owner.serviceAccount !== undefined) return undefined;
    return parts.lender.lendsTo(owner.namespace) ? borrower : nobody;
  };
  return {
    keyringOf: (owner, untilMs) => {
      const free = withoutSecrets(owner);
      if (free !== undefined) return free;
      const key = keyOf(owner);
      return known.get(key) ?? read(key, owner, untilMs);
    },
    known: (owner) => withoutSecrets(owner) ?? known.get(keyOf(owner)),
    reread: (owner, untilMs) => {
      const key = keyOf(owner);
      known.delete(key);
      return read(key, owner, untilMs);
    },
  };
}

/** As JSON, for a name comes here before it was validated: no separator could keep two apart. */
function keyOf({ namespace, pullSecrets, serviceAccount }: PullSecretsOwner): string {
  return JSON.stringify([namespace, serviceAccount ?? null, ...pullSecrets]);
}

async function readKeyring(
  parts: PullSecretsParts,
  owner: PullSecretsOwner,
): Promise<{ readonly keyring: PodKeyring; readonly bytes: number } | PinError> {
  const read = await readSecrets(parts, owner);
  if (read instanceof PinError) return read;
  try {
    const count = countEntries(read.secrets);
    if (count > MAX_CREDENTIALS) return tooMany(owner, count);
    const keyring = createKeyring(read.secrets);
    return {
      keyring: podKeyring(parts, {
        keyring,
        problems: read.problems,
        lent: parts.lender.lendsTo(owner.namespace),
      }),
      bytes: KEYRING_BYTES + CREDENTIAL_BYTES * keyring.size + read.chars,
    };
  } catch (caught) {
    // kubelet fails the whole keyring over one malformed secret, so the node could not pull.
    if (caught instanceof PinError) return caught;
    throw caught;
  }
}

function tooMany({ namespace }: PullSecretsOwner, count: number): PinError {
  const whose = JSON.stringify(namespace);
  return new PinError(
    'too_many_secrets',
    `The pull secrets that are named in ${whose} have ${count} entries, of which at most ${MAX_CREDENTIALS} are read`,
  );
}

function podKeyring(
  { fingerprint, lender }: PullSecretsParts,
  made: {
    readonly keyring: Keyring;
    readonly problems: readonly PinError[];
    readonly lent: boolean;
  },
): PodKeyring {
  const byName = new LRUCache<string, Access>({ max: MAX_IMAGES_PER_KEYRING });
  return {
    problems: made.problems,
    accessTo: (reference) => {
      const name = normalizedName(reference);
      const seen = byName.get(name);
      if (seen !== undefined) return seen;
      const own = made.keyring.offersFor(name);
      const lent = made.lent ? lender.sourcesFor(reference) : [];
      const credentials = own.map(({ credential }) => credential);
      const found: Access = { own, lent, fingerprint: fingerprint(credentials, lent) };
      byName.set(name, found);
      return found;
    },
  };
}
