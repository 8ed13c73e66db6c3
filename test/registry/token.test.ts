import { rootCertificates, setDefaultCACertificates } from 'node:tls';
import { inspect } from 'node:util';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Credential } from '../../src/credentials/credential.ts';
import { createFingerprint } from '../../src/credentials/fingerprint.ts';
import { PinError } from '../../src/errors.ts';
import type { Lookup } from '../../src/registry/client.ts';
import { type Authorizer, createAuthorizer } from '../../src/registry/token.ts';
import type { Scope } from '../../src/registry/token-request.ts';
import { createAuthority, type KeyPair } from '../support/certificate.ts';
import {
  createRegistryStack,
  guardWithNames,
  type RegistryStack,
} from '../support/registry-stack.ts';
import {
  type RecordedRequest,
  type Rule,
  type ScriptedRegistry,
  startRegistry,
} from '../support/scripted-registry.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;
const ALICE: Credential = { username: 'alice', password: 'canary:password' };
const BOB: Credential = { username: 'bob', password: 'b' };
const SECOND_MS = 1000;

function basic({ username, password }: Credential): string {
  return `Basic ${btoa(`${username}:${password}`)}`;
}

function told(token: string): Rule {
  return {
    when: { headers: { authorization: `Bearer ${token}` } },
    headers: { 'docker-content-digest': DIGEST },
  };
}

function issues(answer: unknown, rule: Rule = {}): Rule {
  return { ...rule, when: { path: '/token', ...rule.when }, body: JSON.stringify(answer) };
}

function challenge(params: string, status = 401): Rule {
  return { status, headers: { 'www-authenticate': `Bearer ${params}` } };
}

const ASKS_FOR_TOKEN = challenge('realm="/token",service="registry",scope="repository:a:pull"');

async function lookup(
  stack: RegistryStack,
  host: string,
  credentials: readonly Credential[] = [],
): Promise<Lookup | PinError> {
  const signal = AbortSignal.timeout(30_000);
  try {
    return await stack.lookup(`${host}/team/app:1.0`, { credentials, signal });
  } catch (error) {
    if (error instanceof PinError) return error;
    throw error;
  }
}

async function ask(
  rules: readonly Rule[],
  credentials: readonly Credential[] = [],
): Promise<{ readonly answer: Lookup | PinError; readonly registry: ScriptedRegistry }> {
  await using registry = await startRegistry(rules);
  await using stack = createRegistryStack({ plainHttp: [registry.host] });
  return { answer: await lookup(stack, registry.host, credentials), registry };
}

function tokenRequests({ requests }: ScriptedRegistry): RecordedRequest[] {
  return requests.filter(({ path }) => path === '/token');
}

const CHALLENGES = [{ scheme: 'bearer', params: { realm: '/token' } }];

/** An authorizer, and what it is asked for of a registry. */
function authorizing(stack: RegistryStack): {
  readonly authorizer: Authorizer;
  readonly scopeOf: (registry: ScriptedRegistry, repository: string) => Scope;
} {
  return {
    authorizer: createAuthorizer({
      transport: stack.transport,
      fingerprint: createFingerprint(),
      now: () => SECOND_MS,
    }),
    scopeOf: ({ origin }, repository) => ({
      endpoint: { origin, root: '/v2' },
      repository,
      credential: undefined,
      signal: AbortSignal.timeout(30_000),
    }),
  };
}

describe('createAuthorizer()', () => {
  it('needs three requests for the first look-up, and one for the next', async () => {
    await using registry = await startRegistry([
      issues({ token: 't1' }),
      told('t1'),
      ASKS_FOR_TOKEN,
    ]);
    await using stack = createRegistryStack({ plainHttp: [registry.host] });
    for (const requests of [3, 4]) {
      expect(await lookup(stack, registry.host)).toMatchObject({ digest: DIGEST });
      expect(registry.requests).toHaveLength(requests);
    }
    const [request] = tokenRequests(registry);
    expect(request?.method).toBe('GET');
    expect(Object.fromEntries(request?.query ?? [])).toEqual({
      client_id: 'tagpin',
      service: 'registry',
      scope: 'repository:a:pull',
    });
    expect(request?.headers).not.toHaveProperty('authorization');
  });

  it('asks for the repository where the challenge has neither service nor scope', async () => {
    const { answer, registry } = await ask([
      issues({ token: 't1' }),
      told('t1'),
      challenge('realm="/token?tenant=7"'),
    ]);
    expect(answer).toMatchObject({ digest: DIGEST });
    expect(Object.fromEntries(tokenRequests(registry)[0]?.query ?? [])).toEqual({
      tenant: '7',
      client_id: 'tagpin',
      scope: 'repository:team/app:pull',
    });
  });

  it.each<[string, unknown]>([
    ['"access_token"', { access_token: 't1' }],
    ['both names', { token: 't1', access_token: 't2' }],
    ['no word on its life', { token: 't1', expires_in: null }],
    ['a life as text', { token: 't1', expires_in: '300' }],
  ])('takes a token with %s', async (_what, body) => {
    const { answer } = await ask([issues(body), told('t1'), ASKS_FOR_TOKEN]);
    expect(answer).toMatchObject({ digest: DIGEST });
  });

  it.each<[string, Rule]>([
    ['an empty object', issues({})],
    ['a list', issues(['t1'])],
    ['a number', issues({ token: 1 })],
    ['an empty token', issues({ token: '' })],
    ['a token that would make another header', issues({ token: 't1\r\nx-evil: 1' })],
    ['HTML', { when: { path: '/token' }, body: '<html>canary</html>' }],
    ['more than 128 KiB', issues({ token: 't1', padding: 'x'.repeat(128 * 1024) })],
    ['no end', { when: { path: '/token' }, fault: 'endless_body' }],
  ])('refuses a token server that answers %s', async (_what, rule) => {
    const { answer, registry } = await ask([rule, ASKS_FOR_TOKEN]);
    expect(answer).toMatchObject({ name: 'PinError', code: 'invalid_response' });
    expect(inspect(answer)).not.toContain('canary');
    expect(registry.requests).toHaveLength(2);
  });

  it('takes an answer of 128 KiB', async () => {
    const empty = JSON.stringify({ token: 't1', padding: '' }).length;
    const { answer } = await ask([
      issues({ token: 't1', padding: 'x'.repeat(128 * 1024 - empty) }),
      told('t1'),
      ASKS_FOR_TOKEN,
    ]);
    expect(answer).toMatchObject({ digest: DIGEST });
  });

  it.each<[number, string, string]>([
    [400, 'unauthorized', ', asked without a credential'],
    [401, 'unauthorized', ', asked without a credential'],
    [403, 'unauthorized', ', asked without a credential'],
    [404, 'unauthorized', ', asked without a credential'],
    [429, 'rate_limited', ''],
    [500, 'unavailable', ''],
    [503, 'unavailable', ''],
  ])('calls a token server that answers %i %s', async (status, code, rest) => {
    const { answer, registry } = await ask([
      issues({ error: 'canary' }, { status }),
      ASKS_FOR_TOKEN,
    ]);
    expect(answer).toMatchObject({
      code,
      message: `the token server ${registry.host} answered ${status}${rest}`,
    });
  });

  it('tells how long a token server asks to be left alone', async () => {
    const limited = { status: 429, headers: { 'retry-after': '9' } };
    const { answer, registry } = await ask([issues({}, limited), ASKS_FOR_TOKEN]);
    const { origin: limitedBy } = registry;
    expect(answer).toMatchObject({ code: 'rate_limited', retryAfterMs: 9000, limitedBy });
  });

  it.each([302, 307, 308])('does not follow a token server that answers %i', async (status) => {
    await using other = await startRegistry([issues({ token: 't1' }, { when: {} })]);
    const location = `${other.origin}/token`;
    const { answer } = await ask(
      [issues({}, { status, headers: { location } }), told('t1'), ASKS_FOR_TOKEN],
      [ALICE],
    );
    expect(answer).toMatchObject({ code: 'unauthorized' });
    expect(other.requests).toHaveLength(0);
  });

  it.each([
    ['no realm', 'service="registry"', 'unauthorized'],
    ['a realm that is no address', 'realm="http://[", service="registry"', 'unauthorized'],
    ['a metadata address', 'realm="https://169.254.169.254/token"', 'blocked_address'],
    ['a metadata address in IPv6', 'realm="https://[::ffff:a9fe:a9fe]/token"', 'blocked_address'],
    ['a number for an address', 'realm="https://2852039166/token"', 'blocked_address'],
    ['a private address', 'realm="https://10.0.0.1/token"', 'blocked_address'],
    ['another host without TLS', 'realm="http://registry.example.com/token"', 'blocked_address'],
    ['a user name', 'realm="https://u:p@registry.example.com/token"', 'blocked_address'],
    ['a file', 'realm="file:///etc/passwd"', 'blocked_address'],
  ])('asks no token server where the challenge has %s', async (_what, params, code) => {
    const { answer, registry } = await ask([challenge(params)], [ALICE]);
    expect(answer).toMatchObject({ code });
    expect(registry.requests).toHaveLength(1);
  });

  it('prefers Bearer to Basic, which would send the password with each request', async () => {
    const both = { 'www-authenticate': ['Basic realm="r"', 'Bearer realm="/token"'] };
    const { answer, registry } = await ask(
      [
        issues({ token: 't1' }, { when: { headers: { authorization: basic(ALICE) } } }),
        told('t1'),
        { status: 401, headers: both },
      ],
      [ALICE],
    );
    expect(answer).toMatchObject({ digest: DIGEST });
    expect(registry.requests.map(({ headers }) => headers.authorization)).toEqual([
      undefined,
      basic(ALICE),
      'Bearer t1',
    ]);
  });

  it('keeps the tokens of two credentials apart', async () => {
    await using registry = await startRegistry([
      issues({ token: 'of-alice' }, { when: { headers: { authorization: basic(ALICE) } } }),
      issues({ token: 'of-bob' }, { when: { headers: { authorization: basic(BOB) } } }),
      told('of-alice'),
      told('of-bob'),
      ASKS_FOR_TOKEN,
    ]);
    await using stack = createRegistryStack({ plainHttp: [registry.host] });
    await lookup(stack, registry.host, [ALICE]);
    await lookup(stack, registry.host, [BOB]);
    await lookup(stack, registry.host);
    expect(registry.requests.map(({ headers }) => headers.authorization)).toEqual(
      [
        [undefined, basic(ALICE), 'Bearer of-alice'],
        [undefined, basic(BOB), 'Bearer of-bob'],
        // Nobody's look-up uses what belongs to somebody.
        [undefined, undefined],
      ].flat(),
    );
  });
});

describe('createAuthorizer() with tokens that end', () => {
  it.each<[unknown, number]>([
    [undefined, 60],
    [0, 60],
    [-5, 60],
    [5, 60],
    ['3000', 60],
    [300, 300],
    [1e12, 3600],
  ])('renews a token of %j s five seconds before %i s have passed', async (expires, lifeS) => {
    let nowMs = 1_000_000;
    await using registry = await startRegistry([
      issues({ token: 't1', expires_in: expires }),
      told('t1'),
      ASKS_FOR_TOKEN,
    ]);
    await using stack = createRegistryStack({ plainHttp: [registry.host], now: () => nowMs });
    await lookup(stack, registry.host);
    nowMs += (lifeS - 5) * SECOND_MS;
    await lookup(stack, registry.host);
    expect(tokenRequests(registry)).toHaveLength(1);
    nowMs += 1;
    await lookup(stack, registry.host);
    expect(tokenRequests(registry)).toHaveLength(2);
  });

  it.each([400, 401, 403])(
    'drops a token that is answered %i, and gets another one',
    async (status) => {
      const refused = challenge('realm="/token"', status);
      await using registry = await startRegistry([
        issues({ token: 't1' }, { times: 1 }),
        issues({ token: 't2' }),
        { ...told('t1'), times: 1 },
        { ...(status === 401 ? refused : { status }), when: told('t1').when ?? {} },
        told('t2'),
        ASKS_FOR_TOKEN,
      ]);
      await using stack = createRegistryStack({ plainHttp: [registry.host] });
      expect(await lookup(stack, registry.host)).toMatchObject({ digest: DIGEST });
      expect(await lookup(stack, registry.host)).toMatchObject({ digest: DIGEST });
      expect(tokenRequests(registry)).toHaveLength(2);
      // And from now on the new one.
      const before = registry.requests.length;
      expect(await lookup(stack, registry.host)).toMatchObject({ digest: DIGEST });
      expect(registry.requests).toHaveLength(before + 1);
    },
  );

  it('drops a token that is refused, though the registry refuses without it, too', async () => {
    await using registry = await startRegistry([
      issues({ token: 't1' }),
      { ...told('t1'), times: 1 },
      { ...ASKS_FOR_TOKEN, times: 1 },
      { status: 403 },
    ]);
    await using stack = createRegistryStack({ plainHttp: [registry.host] });
    await lookup(stack, registry.host);
    expect(await lookup(stack, registry.host)).toMatchObject({ code: 'unauthorized' });
    const before = registry.requests.length;
    await lookup(stack, registry.host);
    expect(registry.requests.slice(before).map(({ headers }) => headers.authorization)).toEqual([
      undefined,
    ]);
  });

  it('asks at most twice with a credential that is never accepted', async () => {
    await using registry = await startRegistry([issues({ token: 't1' }), ASKS_FOR_TOKEN]);
    await using stack = createRegistryStack({ plainHttp: [registry.host] });
    const answer = await lookup(stack, registry.host, [ALICE, BOB]);
    expect(answer).toMatchObject({
      code: 'unauthorized',
      message: expect.stringContaining(', asked with secret 1, secret 2'),
    });
    expect(tokenRequests(registry)).toHaveLength(2);
    expect(registry.requests).toHaveLength(2 * 3);
    await lookup(stack, registry.host, [ALICE]);
    // What was refused is not remembered.
    expect(registry.requests.slice(6).map(({ headers }) => headers.authorization)).toEqual([
      undefined,
      basic(ALICE),
      'Bearer t1',
    ]);
  });
});

describe('createAuthorizer() and token servers elsewhere', () => {
  const NAMES = [
    'registry.example.com',
    'auth.example.com',
    'example.com',
    'registry.example.com.evil.test',
    'evil.test',
    'one.co.uk',
    'two.co.uk',
    'one.github.io',
    'two.github.io',
    '127.0.0.1',
  ];
  let pair: KeyPair;

  beforeAll(async () => {
    const authority = await createAuthority();
    pair = await authority.issue(NAMES);
    setDefaultCACertificates([authority.certificate]);
  });
  afterAll(() => setDefaultCACertificates(rootCertificates));

  /** The registry and its token server are one server here, under different names and ports. */
  async function exchange(
    registryName: string,
    realmName: string,
  ): Promise<{ readonly answer: Lookup | PinError; readonly sent: string | undefined }> {
    await using server = await startRegistry([issues({ token: 't1' })], pair);
    const realm = `https://${realmName}:${server.port}/token`;
    await using registry = await startRegistry([told('t1'), challenge(`realm="${realm}"`)], pair);
    await using stack = createRegistryStack({ guard: guardWithNames(['*:*']) });
    const answer = await lookup(stack, `${registryName}:${registry.port}`, [ALICE]);
    expect(server.requests).toHaveLength(1);
    expect(server.requests[0]?.headers.host).toBe(`${realmName}:${server.port}`);
    return { answer, sent: server.requests[0]?.headers.authorization };
  }

  it.each([
    ['the same host', 'registry.example.com', 'registry.example.com'],
    ['the same domain', 'registry.example.com', 'auth.example.com'],
    ['the domain itself', 'registry.example.com', 'example.com'],
    ['the same address', '127.0.0.1', '127.0.0.1'],
  ])('sends the credential to %s', async (_what, registryName, realmName) => {
    const { answer, sent } = await exchange(registryName, realmName);
    expect(answer).toMatchObject({ digest: DIGEST });
    expect(sent).toBe(basic(ALICE));
  });

  it.each([
    ['another domain', 'registry.example.com', 'evil.test'],
    ['a name that begins alike', 'registry.example.com', 'registry.example.com.evil.test'],
    ['a neighbour below a public suffix', 'one.co.uk', 'two.co.uk'],
    ['a neighbour at the same host of pages', 'one.github.io', 'two.github.io'],
    ['a name, from an address', '127.0.0.1', 'evil.test'],
  ])('asks %s without the credential', async (_what, registryName, realmName) => {
    const { answer, sent } = await exchange(registryName, realmName);
    expect(answer).toMatchObject({ digest: DIGEST });
    expect(sent).toBeUndefined();
  });

  it('says why the credential was not sent where that is refused', async () => {
    await using server = await startRegistry([issues({}, { status: 401 })], pair);
    const realm = `https://evil.test:${server.port}/token`;
    await using registry = await startRegistry([challenge(`realm="${realm}"`)], pair);
    await using stack = createRegistryStack({ guard: guardWithNames(['*:*']) });
    const answer = await lookup(stack, `registry.example.com:${registry.port}`, [ALICE]);
    expect(answer).toMatchObject({
      code: 'unauthorized',
      message: `the token server evil.test:${server.port} answered 401; the credential is not sent to evil.test:${server.port}, another domain, asked with secret 1`,
    });
  });

  it('sends no credential without TLS, though the operator allows http with that host', async () => {
    await using plain = await startRegistry([issues({ token: 't1' })]);
    const realm = `${plain.origin}/token`;
    await using registry = await startRegistry([told('t1'), challenge(`realm="${realm}"`)], pair);
    await using stack = createRegistryStack({
      plainHttp: [plain.host],
      allowRegistry: [registry.host],
    });
    expect(await lookup(stack, registry.host, [ALICE])).toMatchObject({ digest: DIGEST });
    expect(plain.requests[0]?.headers).not.toHaveProperty('authorization');
  });

  it('sends the credential to another port of a host that speaks http itself', async () => {
    await using plain = await startRegistry([issues({ token: 't1' })]);
    const realm = `${plain.origin}/token`;
    await using registry = await startRegistry([told('t1'), challenge(`realm="${realm}"`)]);
    await using stack = createRegistryStack({ plainHttp: [plain.host, registry.host] });
    expect(await lookup(stack, registry.host, [ALICE])).toMatchObject({ digest: DIGEST });
    expect(plain.requests[0]?.headers.authorization).toBe(basic(ALICE));
  });

  it('does not grow with the tokens that a registry hands out', async () => {
    await using registry = await startRegistry([issues({ token: 't'.repeat(15 * 1024) })]);
    await using stack = createRegistryStack({ plainHttp: [registry.host] });
    const { authorizer, scopeOf } = authorizing(stack);
    const scopes = Array.from({ length: 600 }, (_, n) => scopeOf(registry, `team/app-${n}`));
    for (const scope of scopes) await authorizer.answer(scope, CHALLENGES);
    const kept = scopes.filter((scope) => authorizer.remembered(scope) !== undefined);
    expect(kept).toContain(scopes.at(-1));
    expect(kept.length * 15 * 1024).toBeLessThanOrEqual(8 * 1024 * 1024);
  });

  it('remembers no header that is too long for a server, and so pushes nobody out', async () => {
    await using good = await startRegistry([issues({ token: 't1' })]);
    await using greedy = await startRegistry([issues({ token: 't'.repeat(120 * 1024) })]);
    await using stack = createRegistryStack({ plainHttp: [good.host, greedy.host] });
    const { authorizer, scopeOf } = authorizing(stack);
    const first = scopeOf(good, 'team/app');
    await authorizer.answer(first, CHALLENGES);
    const scopes = Array.from({ length: 80 }, (_, n) => scopeOf(greedy, `team/app-${n}`));
    for (const scope of scopes) {
      expect(await authorizer.answer(scope, CHALLENGES)).toHaveLength(120 * 1024 + 7);
      expect(authorizer.remembered(scope)).toBeUndefined();
    }
    expect(authorizer.remembered(first)).toBe('Bearer t1');
  });
});
