import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import type { Credential } from '../src/credentials/credential.ts';
import { PinError } from '../src/errors.ts';
import type { Lookup } from '../src/registry/client.ts';
import { createAuthority, type KeyPair } from '../test/support/certificate.ts';
import { createRegistryStack, type RegistryStack } from '../test/support/registry-stack.ts';
import { startTokenServer, type TokenServer } from '../test/support/token-server.ts';
import {
  type Content,
  PRIVATE,
  PUBLIC,
  PULLER,
  publish,
  REPOSITORIES,
} from './support/contract.ts';
import {
  type Auth,
  type ContractRegistry,
  isGuarded,
  startFake,
  startReal,
} from './support/contract-registries.ts';
import { startDistribution } from './support/distribution.ts';
import { readEnvironment } from './support/environment.ts';

type Scheme = 'http' | 'TLS';

const KINDS = { scripted: startFake, distribution: startReal };
const AUTHS: readonly Auth[] = ['none', 'htpasswd', 'token'];
const SCHEMES: readonly Scheme[] = ['http', 'TLS'];
const STACKS = (['scripted', 'distribution'] as const).flatMap((kind) =>
  AUTHS.flatMap((auth) => SCHEMES.map((scheme) => [kind, auth, scheme] as const)),
);

const RIGHT: Credential = { username: PULLER.username, password: PULLER.password };
const WRONG: Credential = { ...RIGHT, password: 'another' };
const IDENTITY: Credential = { username: '', password: '', identityToken: PULLER.identityToken };

/** Requests of a first look-up: the question; with a challenge two; with a token server three. */
const COLD: Readonly<Record<Auth, number>> = { none: 1, htpasswd: 2, token: 3 };

const { directory } = readEnvironment();
const storage = join(directory, 'contract');
let contents: ReadonlyMap<string, Content>;
let authority: Awaited<ReturnType<typeof createAuthority>>;
let pair: KeyPair;
const tokenServers = new Map<Scheme, TokenServer>();

beforeAll(async () => {
  authority = await createAuthority();
  pair = await authority.issue(['127.0.0.1']);
  const options = { account: PULLER, publicPrefix: PUBLIC };
  tokenServers.set('http', await startTokenServer(options));
  tokenServers.set('TLS', await startTokenServer({ ...options, pair }));
  const publisher = await startDistribution({
    name: 'contract-publisher',
    directory,
    config: {
      storage: { filesystem: { rootdirectory: storage } },
      // What the golden index lists is not there.
      validation: { manifests: { indexes: { platforms: 'none' } } },
    },
  });
  contents = await publish(publisher);
  await publisher.stop();
});

afterAll(async () => {
  for (const server of tokenServers.values()) await server[Symbol.asyncDispose]();
});

describe.each(STACKS)('the registry contract: %s, auth %s, %s', (kind, auth, scheme) => {
  let registry: ContractRegistry;
  let tokenServer: TokenServer;

  beforeAll(async () => {
    const server = tokenServers.get(scheme);
    if (server === undefined) throw new Error('No token server was started');
    tokenServer = server;
    const withTls = scheme === 'TLS' ? pair : undefined;
    const parts = { auth, pair: withTls, directory, storage, contents, tokenServer };
    registry = await KINDS[kind](parts);
  });

  afterAll(async () => {
    await registry[Symbol.asyncDispose]();
  });

  function newStack(): RegistryStack {
    const hosts = [registry.host, tokenServer.host];
    if (scheme === 'http') return createRegistryStack({ plainHttp: hosts });
    const authorities = { id: 'private', ca: [authority.certificate] };
    return createRegistryStack({ allowRegistry: hosts, authoritiesOf: () => authorities });
  }

  async function ask(
    stack: RegistryStack,
    image: string,
    credentials: readonly Credential[],
  ): Promise<Lookup | PinError> {
    const signal = AbortSignal.timeout(8000);
    return stack
      .lookup(`${registry.host}/${image}`, { credentials, signal })
      .catch((error: unknown) => {
        if (error instanceof PinError) return error;
        throw error;
      });
  }

  async function askOnce(
    image: string,
    credentials: readonly Credential[],
  ): Promise<Lookup | PinError> {
    await using stack = newStack();
    return await ask(stack, image, credentials);
  }

  /** By the registry, or by its token server. */
  const refused = {
    code: 'unauthorized',
    message: expect.stringMatching(
      /^(the token server )?127\.0\.0\.1:\d+ answered 401.*, asked with secret 1$/,
    ),
  };

  function found(repository: string): object {
    const { digest, mediaType } = contents.get(repository) ?? {};
    return { digest, mediaType, host: registry.host, source: 'header' };
  }

  it.each(REPOSITORIES)(
    'gives %s to who may pull it, by the digest of its bytes',
    async (repository) => {
      expect(await askOnce(`${repository}:1.0`, [RIGHT])).toMatchObject(found(repository));
    },
  );

  it.each([`${PUBLIC}golden`, `${PRIVATE}golden`])(
    'tells nobody more than anybody of %s',
    async (repository) => {
      const expected = isGuarded(auth, repository) ? { code: 'unauthorized' } : found(repository);
      expect(await askOnce(`${repository}:1.0`, [])).toMatchObject(expected);
    },
  );

  it.each([`${PUBLIC}golden`, `${PRIVATE}golden`])(
    'refuses a wrong password for %s where it asks for one',
    async (repository) => {
      const answer = await askOnce(`${repository}:1.0`, [WRONG]);
      const expected = auth === 'none' ? found(repository) : refused;
      expect(answer).toMatchObject(expected);
    },
  );

  it('takes the second secret where the first is wrong', async () => {
    const repository = `${PRIVATE}oci-index`;
    const answer = await askOnce(`${repository}:1.0`, [WRONG, RIGHT]);
    expect(answer).toMatchObject({ ...found(repository), attempts: auth === 'none' ? 1 : 2 });
  });

  it('takes an identity token where there is a token server', async () => {
    const repository = `${PRIVATE}oci-image`;
    const expected = auth === 'htpasswd' ? { code: 'unauthorized' } : found(repository);
    expect(await askOnce(`${repository}:1.0`, [IDENTITY])).toMatchObject(expected);
  });

  it.each([`${PRIVATE}golden:none`, `${PRIVATE}nothing:1.0`])(
    'says of %s that it is not there',
    async (image) => {
      expect(await askOnce(image, [RIGHT])).toMatchObject({
        code: 'not_found',
        message: `${registry.host} answered 404 (not found), asked with secret 1`,
      });
    },
  );

  it(`needs ${COLD[auth]} requests, then 1, and asks for /v2/ never`, async () => {
    await using stack = newStack();
    for (const requests of [COLD[auth], COLD[auth] + 1]) {
      await ask(stack, `${PRIVATE}golden:1.0`, [RIGHT]);
      expect(stack.observed).toHaveLength(requests);
    }
    const seen = await registry.seen();
    expect(seen).toContain(`HEAD /v2/${PRIVATE}golden/manifests/1.0`);
    expect(seen).not.toMatch(/(GET|HEAD) \/v2\/(\s|$)/u);
  });
});
