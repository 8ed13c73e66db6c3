import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import type { KeyPair } from '../../test/support/certificate.ts';
import { type Rule, startRegistry as startScripted } from '../../test/support/scripted-registry.ts';
import type { TokenServer } from '../../test/support/token-server.ts';
import { type Content, PRIVATE, PULLER } from './contract.ts';
import { startDistribution } from './distribution.ts';
import { writeHtpasswd } from './registry.ts';

/** How a registry wants its callers to prove who they are. */
export type Auth = 'none' | 'htpasswd' | 'token';

/** What each registry of the contract is made of. */
export interface ContractParts {
  readonly auth: Auth;
  /** With it the registry speaks TLS. */
  readonly pair: KeyPair | undefined;
  readonly directory: string;
  /** Where distribution keeps what was published. */
  readonly storage: string;
  readonly contents: ReadonlyMap<string, Content>;
  readonly tokenServer: TokenServer;
}

/** A registry under the contract. */
export interface ContractRegistry extends AsyncDisposable {
  readonly host: string;
  /** The requests that it has seen, as text: `HEAD /v2/…`. */
  readonly seen: () => Promise<string>;
}

/** Whether an image of this repository asks for a credential at all. */
export function isGuarded(auth: Auth, repository: string): boolean {
  return auth === 'htpasswd' || (auth === 'token' && repository.startsWith(PRIVATE));
}

/** The distribution registry, on what was published. */
export async function startReal(parts: ContractParts): Promise<ContractRegistry> {
  const { auth, pair, directory, storage } = parts;
  const name = `contract-${auth}-${pair === undefined ? 'http' : 'tls'}`;
  const section = await authSection(parts, name);
  const { host, logFile, stop } = await startDistribution({
    name,
    directory,
    config: {
      storage: { filesystem: { rootdirectory: storage } },
      ...(section && { auth: section }),
      ...(pair && { http: { tls: await writePair(directory, name, pair) } }),
    },
  });
  return { host, seen: () => readFile(logFile, 'utf8'), [Symbol.asyncDispose]: stop };
}

async function authSection(
  { auth, directory, tokenServer }: ContractParts,
  name: string,
): Promise<object | undefined> {
  if (auth === 'none') return undefined;
  if (auth === 'htpasswd') return { htpasswd: await writeHtpasswd(directory, name) };
  const { realm, service, issuer } = tokenServer;
  const jwks = join(directory, `${name}.jwks`);
  await writeFile(jwks, JSON.stringify(tokenServer.jwks));
  return { token: { realm, service, issuer, jwks } };
}

async function writePair(directory: string, name: string, pair: KeyPair): Promise<object> {
  const certificate = join(directory, `${name}.crt`);
  const key = join(directory, `${name}.key`);
  await writeFile(certificate, pair.cert);
  await writeFile(key, pair.key);
  return { certificate, key };
}

/** The registry of the unit tests, which answers as this script says. */
export async function startFake({
  auth,
  pair,
  contents,
}: ContractParts): Promise<ContractRegistry> {
  const rules = [...contents.values()].flatMap((content) => rulesOf(auth, content));
  const missing: Rule[] = accepted(auth, PRIVATE).map((authorization) => ({
    when: { headers: { authorization } },
    status: 404,
  }));
  const script = [...tokenRules(), ...rules, ...missing, challengeOf(auth, PRIVATE)];
  const registry = await startScripted(script, pair);
  return {
    host: registry.host,
    seen: async () => registry.requests.map(({ method, path }) => `${method} ${path}`).join('\n'),
    [Symbol.asyncDispose]: () => registry[Symbol.asyncDispose](),
  };
}

const RIGHT = `Basic ${btoa(`${PULLER.username}:${PULLER.password}`)}`;

function rulesOf(auth: Auth, { repository, tag, ...content }: Content): Rule[] {
  const path = `/v2/${repository}/manifests/${tag}`;
  const headers = {
    'content-type': content.mediaType,
    'docker-content-digest': content.digest,
  };
  const served = accepted(auth, repository).map((authorization) => ({
    when: { path, headers: { authorization } },
    headers,
    body: content.bytes,
  }));
  return auth === 'none'
    ? [{ when: { path }, headers, body: content.bytes }]
    : [...served, { ...challengeOf(auth, repository), when: { path } }];
}

/** The `Authorization` headers that may pull a repository. */
function accepted(auth: Auth, repository: string): (string | null)[] {
  if (auth === 'none') return [null];
  if (auth === 'htpasswd') return [RIGHT];
  return isGuarded(auth, repository) ? ['Bearer puller'] : ['Bearer puller', 'Bearer nobody'];
}

function challengeOf(auth: Auth, repository: string): Rule {
  const bearer = `Bearer realm="/token",service="registry",scope="repository:${repository}:pull"`;
  const challenge = auth === 'token' ? bearer : 'Basic realm="registry"';
  return { status: 401, headers: { 'www-authenticate': challenge } };
}

function tokenRules(): Rule[] {
  const path = '/token';
  return [
    { when: { path, method: 'POST' }, body: '{"access_token":"puller"}' },
    { when: { path, headers: { authorization: RIGHT } }, body: '{"token":"puller"}' },
    { when: { path, headers: { authorization: null } }, body: '{"token":"nobody"}' },
    { when: { path }, status: 401 },
  ];
}
