import { PinError } from '../errors.ts';
import type { Secret } from './keyring.ts';

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

export interface ReadSecretsParts {
  readonly reader: SecretReader;
  /** Told how each reading of a Secret or ServiceAccount ended. */
  readonly observe: (source: 'secret' | 'service_account', result: string) => void;
}

/** The pull secrets of one owner. */
export interface SecretsRead {
  /** In the order of their names. */
  readonly secrets: readonly Secret[];
  /** Those that could not be read. They matter only when a registry then refuses. */
  readonly problems: readonly PinError[];
  /** What the secrets hold, in characters of base64. */
  readonly chars: number;
}

/**
 * Bounds on what a tenant has read and parsed. A ServiceAccount can name tens of thousands of
 * secrets, and each of them may hold 1 MiB (kubernetes pkg/apis/core MaxSecretSize).
 */
const MAX_NAMES = 100;
const MAX_CHARS = 256 * 1024;
const AT_A_TIME = 4;

/** Reads the secrets of an owner; `too_many_secrets` where there are too many of them or too much in them. */
export async function readSecrets(
  parts: ReadSecretsParts,
  owner: PullSecretsOwner,
): Promise<SecretsRead | PinError> {
  const { namespace } = owner;
  const { names, problem } = await secretNames(parts, owner);
  if (names.length > MAX_NAMES) {
    return tooMuch(namespace, `are ${names.length}, of which at most ${MAX_NAMES} are read`);
  }
  const read: (Secret | PinError)[] = [];
  let chars = 0;
  // A few at a time, and none after too much: all of it would be in memory at once.
  for (let next = 0; next < names.length && chars <= MAX_CHARS; next += AT_A_TIME) {
    const some = names.slice(next, next + AT_A_TIME);
    // oxlint-disable-next-line no-await-in-loop -- see above
    const found = await Promise.all(some.map((name) => readSecret(parts, namespace, name)));
    read.push(...found);
    chars += found.reduce((sum, one) => sum + charsOf(one), 0);
  }
  if (chars > MAX_CHARS) {
    return tooMuch(namespace, `hold more than ${MAX_CHARS / 1024} KiB together`);
  }
  return {
    secrets: read.filter((one): one is Secret => !(one instanceof PinError)),
    problems: [problem, ...read].filter((one) => one instanceof PinError),
    chars,
  };
}

function charsOf(found: Secret | PinError): number {
  if (found instanceof PinError) return 0;
  return Object.values(found.data ?? {}).reduce((sum, { length }) => sum + length, 0);
}

function tooMuch(namespace: string, what: string): PinError {
  const whose = JSON.stringify(namespace);
  return new PinError('too_many_secrets', `The pull secrets that are named in ${whose} ${what}`);
}

async function secretNames(
  parts: ReadSecretsParts,
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
  parts: ReadSecretsParts,
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
