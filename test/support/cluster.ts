import { createFingerprint } from '../../src/credentials/fingerprint.ts';
import type { Secret } from '../../src/credentials/keyring.ts';
import { createLender, type Lender, type LenderOptions } from '../../src/credentials/lender.ts';
import { createPullSecrets, type PullSecrets } from '../../src/credentials/pull-secrets.ts';
import type { SecretReader } from '../../src/credentials/read-secrets.ts';
import { PinError } from '../../src/errors.ts';

/** A Secret of the type that `kubectl create secret docker-registry` makes: user and password by host. */
export function pullSecret(name: string, auths: Record<string, [string, string]>): Secret {
  const entries = Object.entries(auths).map(([host, [username, password]]) => [
    host,
    { username, password },
  ]);
  const config = JSON.stringify({ auths: Object.fromEntries(entries) });
  return {
    type: 'kubernetes.io/dockerconfigjson',
    data: { '.dockerconfigjson': btoa(config) },
    metadata: { name },
  };
}

/**
 * The objects of a cluster in memory, behind the real reader of pull secrets. Keys are
 * `namespace/name`; an error in place of an object is thrown, a missing one is missing.
 */
export class Cluster {
  readonly secrets: Map<string, Secret | PinError> = new Map();
  readonly accounts: Map<string, readonly string[] | PinError> = new Map();
  /** What was read, in its order. */
  readonly reads: string[] = [];
  readonly observed: string[] = [];
  /** Moves by hand alone. */
  nowMs = 1_000_000;
  /** What a reading waits for. */
  hold: Promise<void> = Promise.resolve();
  readonly reader: SecretReader = {
    readSecret: (namespace, name) => this.#read(this.secrets, `secret ${namespace}/${name}`),
    readPullSecretNames: (namespace, name) =>
      this.#read(this.accounts, `account ${namespace}/${name}`),
  };
  readonly pullSecrets: PullSecrets;
  readonly lender: Lender;

  constructor(lending: Partial<LenderOptions> = {}) {
    this.lender = createLender({ sources: [], namespaces: [], images: [], ...lending });
    this.pullSecrets = createPullSecrets({
      reader: this.reader,
      lender: this.lender,
      fingerprint: createFingerprint(),
      now: () => this.nowMs,
      observe: (source, result) => this.observed.push(`${source} ${result}`),
    });
  }

  async #read<T>(
    objects: ReadonlyMap<string, T | PinError>,
    asked: string,
  ): Promise<T | undefined> {
    this.reads.push(asked);
    await this.hold;
    const found = objects.get(asked.slice(asked.indexOf(' ') + 1));
    if (found instanceof PinError) throw found;
    return found;
  }
}
