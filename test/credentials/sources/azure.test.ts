import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';

import { type AzureParts, createAzureSource } from '../../../src/credentials/sources/azure.ts';
import { parseReference } from '../../../src/image/reference.ts';
import { parseChallenges } from '../../../src/registry/challenge.ts';
import { aadClient } from '../../support/aad-client.ts';
import {
  type CloudStack,
  createCloudStack,
  failureOf,
  fetchFrom,
  offersOf,
} from '../../support/cloud.ts';
import {
  type RecordedRequest,
  type Rule,
  type ScriptedRegistry,
  startRegistry,
} from '../../support/scripted-registry.ts';

const IMAGE = 'contoso.azurecr.io/team/app:1';
const USER = '00000000-0000-0000-0000-000000000000';
const TENANT = '11111111-2222-3333-4444-555555555555';
const AAD_TOKEN = 'canary-aad-token';
const JSON_TYPE = { 'content-type': 'application/json' };
const LOGIN = 'login.microsoftonline.com';
const PUBLIC = { host: 'contoso.azurecr.io', login: LOGIN };

function part(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

/** A token of three parts, as ACR's are; nobody checks who signed it. */
function refreshToken(expiresAtMs: number, id = 'canary-refresh'): string {
  return `${part({ alg: 'RS256' })}.${part({ exp: expiresAtMs / 1000, jti: id })}.canary`;
}

const HOURS_MS = 3_600_000;
const REFRESH_TOKEN = refreshToken(Date.now() + 3 * HOURS_MS);

function aad(login = LOGIN): Rule {
  return {
    when: { method: 'POST', path: `/${login}/${TENANT}/oauth2/v2.0/token` },
    headers: JSON_TYPE,
    body: JSON.stringify({ token_type: 'Bearer', expires_in: 3599, access_token: AAD_TOKEN }),
  };
}

function challenge(realm: string, host = PUBLIC.host): Rule {
  return {
    when: { method: 'GET', path: `/${host}/v2/` },
    status: 401,
    headers: { 'www-authenticate': `Bearer realm="${realm}",service="${host}"` },
  };
}

function exchange(token = REFRESH_TOKEN, host = PUBLIC.host): Rule {
  return {
    when: { method: 'POST', path: `/${host}/oauth2/exchange` },
    headers: JSON_TYPE,
    body: JSON.stringify({ refresh_token: token }),
  };
}

function azure({ host, login } = PUBLIC, token = REFRESH_TOKEN): Rule[] {
  return [aad(login), challenge(`https://${host}/oauth2/token`, host), exchange(token, host)];
}

function atRegistry(rule: Rule): Rule[] {
  return [{ ...rule, when: { path: '/contoso.azurecr.io/v2/' } }, ...azure()];
}

function atExchange(rule: Rule): Rule[] {
  return [{ ...rule, when: { path: '/contoso.azurecr.io/oauth2/exchange' } }, ...azure()];
}

const ENVIRONMENT = { ...process.env };

/** What the default chain looks at; none of it asks programs of the machine that runs the test. */
function useEnvironment(variables: Readonly<Record<string, string>>): void {
  for (const name of Object.keys(process.env))
    if (name.startsWith('AZURE_')) delete process.env[name];
  Object.assign(process.env, { AZURE_TOKEN_CREDENTIALS: 'prod', ...variables });
}

const SECRET = {
  AZURE_TENANT_ID: TENANT,
  AZURE_CLIENT_ID: 'client-1',
  AZURE_CLIENT_SECRET: 'canary-client-secret',
};

beforeEach(() => useEnvironment(SECRET));
afterEach(() => {
  useEnvironment({});
  Object.assign(process.env, ENVIRONMENT);
});

function sourceAt(
  server: ScriptedRegistry,
  { parts }: CloudStack = createCloudStack(),
  change: Partial<AzureParts> = {},
) {
  return createAzureSource({
    ...parts,
    parseChallenges,
    fetch: fetchFrom(server),
    identity: { httpClient: aadClient(server), disableInstanceDiscovery: true },
    ...change,
  });
}

describe('createAzureSource() and which hosts it covers', () => {
  const { covers } = createAzureSource({ ...createCloudStack().parts, parseChallenges });
  const coversHost = (registry: string): boolean =>
    covers({ ...parseReference('x/y:1'), registry });

  it.each([
    'contoso.azurecr.io',
    'Contoso.AzureCR.io',
    'a1.azurecr.cn',
    'a.azurecr.de',
    'a.azurecr.us',
  ])('covers %s', (host) => expect(coversHost(host)).toBe(true));

  it.each([
    'x.azurecr.io.evil.com',
    'xazurecr.io',
    'azurecr.io',
    'x.azurecr.io:443',
    'x.y.azurecr.io',
    'x.evil-azurecr.io',
    'x.azurecr.com',
    'x.azurecr.iox',
    '-.azurecr.io',
    'docker.io',
  ])('does not cover %s', (host) => expect(coversHost(host)).toBe(false));
});

describe('createAzureSource()', () => {
  it("offers the refresh token that the registry gives for the identity's token", async () => {
    await using server = await startRegistry(azure());
    const stack = createCloudStack();
    const source = sourceAt(server, stack);
    await source.load();
    expect(await offersOf(source, IMAGE)).toEqual([
      {
        credential: { username: USER, password: REFRESH_TOKEN },
        origin: 'Azure (contoso.azurecr.io)',
      },
    ]);
    const [asked, challenged, exchanged] = server.requests;
    const form = new URLSearchParams(asked?.body);
    expect(form.get('client_secret')).toBe('canary-client-secret');
    expect(form.get('scope')).toContain('https://containerregistry.azure.net/.default');
    expect(challenged?.headers.authorization).toBeUndefined();
    expect(Object.fromEntries(new URLSearchParams(exchanged?.body))).toEqual({
      grant_type: 'access_token',
      service: 'contoso.azurecr.io',
      access_token: AAD_TOKEN,
    });
    expect(stack.results).toEqual(['azure found']);
  });

  it('keeps it for an hour, by registry', async () => {
    const other = { host: 'fabrikam.azurecr.io', login: LOGIN };
    await using server = await startRegistry([...azure(), ...azure(other)]);
    const stack = createCloudStack();
    const source = sourceAt(server, stack);
    await offersOf(source, IMAGE);
    stack.pass(HOURS_MS - 1000);
    await offersOf(source, 'Contoso.azurecr.io/other:1');
    expect(stack.results).toHaveLength(1);
    stack.pass(2000);
    await offersOf(source, IMAGE);
    await offersOf(source, 'fabrikam.azurecr.io/other:1');
    expect(stack.results).toHaveLength(3);
  });

  it('keeps it no longer than it says that it is good', async () => {
    await using server = await startRegistry(azure(PUBLIC, refreshToken(Date.now() + 600_000)));
    const stack = createCloudStack();
    const source = sourceAt(server, stack);
    await offersOf(source, IMAGE);
    stack.pass(500_000);
    await offersOf(source, IMAGE);
    expect(stack.results).toHaveLength(1);
    stack.pass(50_000);
    await offersOf(source, IMAGE);
    expect(stack.results).toHaveLength(2);
  });

  it.each([
    ['contoso.azurecr.cn', 'login.chinacloudapi.cn'],
    ['contoso.azurecr.us', 'login.microsoftonline.us'],
    ['contoso.azurecr.de', 'login.microsoftonline.de'],
  ])('asks for %s at %s', async (host, login) => {
    const endpoints = {
      issuer: `https://${login}/${TENANT}/v2.0`,
      authorization_endpoint: `https://${login}/${TENANT}/oauth2/v2.0/authorize`,
      token_endpoint: `https://${login}/${TENANT}/oauth2/v2.0/token`,
      jwks_uri: `https://${login}/${TENANT}/discovery/v2.0/keys`,
    };
    await using server = await startRegistry([
      {
        when: { path: `/${login}/${TENANT}/v2.0/.well-known/openid-configuration` },
        headers: JSON_TYPE,
        body: JSON.stringify(endpoints),
      },
      ...azure({ host, login }),
    ]);
    expect(await offersOf(sourceAt(server), `${host}/team/app:1`)).toHaveLength(1);
  });

  interface Wrong {
    readonly rules: readonly Rule[];
    readonly told: RegExp;
  }
  const refusal = JSON.stringify({
    error: 'invalid_client',
    error_description: 'AADSTS7000215: canary',
    error_codes: [7000215],
  });
  it.each<[string, Wrong]>([
    [
      'an identity that is refused',
      {
        rules: [{ status: 401, headers: JSON_TYPE, body: refusal }],
        told: /\(AuthenticationError, AADSTS7000215\)/,
      },
    ],
    [
      '403 to the exchange',
      { rules: atExchange({ status: 403, body: AAD_TOKEN }), told: /answered 403 to the exchange/ },
    ],
    [
      '500 to the exchange',
      { rules: atExchange({ status: 500, body: AAD_TOKEN }), told: /answered 500 to the exchange/ },
    ],
    [
      'garbage for a token',
      { rules: atExchange({ body: `<html>${AAD_TOKEN}` }), told: /without a token/ },
    ],
    [
      'an empty token',
      { rules: atExchange({ body: '{"refresh_token":""}' }), told: /without a token/ },
    ],
    [
      'an endless token',
      { rules: atExchange({ fault: 'endless_body' }), told: /BodyTooLongError/ },
    ],
    [
      'a redirect of the token',
      {
        rules: atExchange({ status: 307, headers: { location: '/elsewhere' } }),
        told: /: see that/,
      },
    ],
    [
      'no challenge',
      { rules: atRegistry({ status: 401 }), told: /no challenge of the kind Bearer/ },
    ],
    [
      'a challenge of another kind',
      {
        rules: atRegistry({ status: 401, headers: { 'www-authenticate': 'Basic realm="x"' } }),
        told: /no challenge of the kind Bearer/,
      },
    ],
    ['no need of one', { rules: atRegistry({ status: 200 }), told: /answered 200 to \/v2\// }],
    [
      'a redirect of the registry',
      {
        rules: atRegistry({ status: 302, headers: { location: '/elsewhere' } }),
        told: /: see that/,
      },
    ],
    ['a reset', { rules: atRegistry({ fault: 'reset' }), told: /ECONNRESET|UND_ERR_SOCKET/ }],
  ])('says what came instead: %s', async (_what, { rules, told }) => {
    await using server = await startRegistry(rules);
    const stack = createCloudStack();
    const { error, everything } = await failureOf(sourceAt(server, stack), IMAGE);
    expect(error.code).toBe('credential_source_failed');
    expect(error.message).toMatch(/^Azure gives no credential for contoso\.azurecr\.io/);
    expect(error.message).toMatch(told);
    expect(error.message).toMatch(/see that/);
    expect(everything + stack.logged()).not.toContain('canary');
    expect(server.requests.map(({ path }) => path)).not.toContain('/elsewhere');
  });

  it.each([
    'https://contoso.azurecr.io.evil.com/oauth2/token',
    'https://evil.azurecr.io/oauth2/token',
    'https://contoso.azurecr.io:8443/oauth2/token',
    'http://contoso.azurecr.io/oauth2/token',
    'https://contoso.azurecr.io@evil.com/oauth2/token',
    '/oauth2/token',
  ])('keeps its token from a realm that is not the registry: %s', async (realm) => {
    await using server = await startRegistry([challenge(realm), ...azure()]);
    const { error } = await failureOf(sourceAt(server), IMAGE);
    expect(error.message).toMatch(/names the realm of another host/);
    expect(JSON.stringify(server.requests.slice(1))).not.toContain(AAD_TOKEN);
  });

  it('says that it has no identity', async () => {
    useEnvironment({ AZURE_TOKEN_CREDENTIALS: 'EnvironmentCredential' });
    await using server = await startRegistry(azure());
    const { error } = await failureOf(sourceAt(server), IMAGE);
    expect(error.message).toMatch(/has an identity there/);
    expect(server.requests).toEqual([]);
  });

  it('stops waiting for a registry that hangs when the look-up does', async () => {
    await using server = await startRegistry([aad(), { fault: 'silence' }]);
    const stop = new AbortController();
    const asking = sourceAt(server).offersFor(parseReference(IMAGE), stop.signal);
    await server.received(2);
    stop.abort();
    await expect(asking).rejects.toMatchObject({ code: 'credential_source_failed' });
  });
});

describe("createAzureSource() and Azure's default chain", () => {
  let directory: string;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'tagpin-azure-'));
  });
  afterAll(async () => rm(directory, { recursive: true }));

  it("Workload Identity: shows the Pod's token", async () => {
    const file = join(directory, 'token');
    await writeFile(file, 'canary-service-account-token');
    useEnvironment({
      AZURE_TENANT_ID: TENANT,
      AZURE_CLIENT_ID: 'client-1',
      AZURE_FEDERATED_TOKEN_FILE: file,
    });
    await using server = await startRegistry(azure());
    expect(await offersOf(sourceAt(server), IMAGE)).toHaveLength(1);
    const form = new URLSearchParams(server.requests[0]?.body);
    expect(form.get('client_assertion')).toBe('canary-service-account-token');
  });
});

function isFor(id: string): (request: RecordedRequest) => boolean {
  return ({ query }) => query.get('client_id') === id;
}

function identify(id: string): void {
  useEnvironment({ AZURE_TOKEN_CREDENTIALS: 'ManagedIdentityCredential', AZURE_CLIENT_ID: id });
}

describe('createAzureSource() with a managed identity', () => {
  const PATH = '/169.254.169.254/metadata/identity/oauth2/token';
  const WRONG: readonly (readonly [what: string, rule: Rule, told: RegExp])[] = [
    ['500', { status: 500, body: AAD_TOKEN }, /: see that/],
    [
      'no-identity',
      {
        status: 400,
        headers: JSON_TYPE,
        body: '{"error":"invalid_request","error_description":"canary"}',
      },
      /answered 400/,
    ],
    ['garbage', { body: `<html>${AAD_TOKEN}` }, /: see that/],
  ];
  let server: ScriptedRegistry;

  // One server, for the library keeps its first way to the metadata server for the whole process;
  // and by the id of the identity, for it keeps tokens as well.
  beforeAll(async () => {
    const body = JSON.stringify({
      token_type: 'Bearer',
      access_token: AAD_TOKEN,
      expires_in: '3599',
      expires_on: String(Math.floor(Date.now() / 1000) + 3599),
      resource: 'https://containerregistry.azure.net',
    });
    server = await startRegistry([
      ...WRONG.map(([id, rule]) => ({ ...rule, when: { path: PATH, also: isFor(id) } })),
      {
        when: { path: PATH, headers: { metadata: 'true' }, also: isFor('client-1') },
        headers: JSON_TYPE,
        body,
      },
      ...azure(),
    ]);
  });
  afterAll(async () => server[Symbol.asyncDispose]());

  it('asks the metadata server of the node', async () => {
    identify('client-1');
    expect(await offersOf(sourceAt(server), IMAGE)).toHaveLength(1);
    expect(server.requests[0]?.query.get('resource')).toBe('https://containerregistry.azure.net');
  });

  it.each(WRONG)('says what came instead of a token: %s', async (id, _rule, told) => {
    identify(id);
    const stack = createCloudStack();
    const { error, everything } = await failureOf(sourceAt(server, stack), IMAGE);
    expect(error.message).toMatch(/^Azure gives no credential for contoso\.azurecr\.io/);
    expect(error.message).toMatch(told);
    expect(everything + stack.logged()).not.toContain('canary');
    expect(server.requests.at(-1)?.query.get('client_id')).toBe(id);
  });
});
