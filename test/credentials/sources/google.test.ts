import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { jwtVerify } from 'jose';

import { createGoogleSource, type GoogleParts } from '../../../src/credentials/sources/google.ts';
import { parseReference } from '../../../src/image/reference.ts';
import { createGuard } from '../../../src/registry/guard.ts';
import { createTransport } from '../../../src/registry/transport.ts';
import {
  type CloudStack,
  createCloudStack,
  failureOf,
  fetchFrom,
  offersOf,
} from '../../support/cloud.ts';
import {
  type Rule,
  type ScriptedRegistry,
  startRegistry,
} from '../../support/scripted-registry.ts';

const IMAGE = 'europe-docker.pkg.dev/project/team/app:1';
const TOKEN = 'ya29.canary-access-token-1234567890';
const JSON_TYPE = { 'content-type': 'application/json' };
const FLAVOR = { 'metadata-flavor': 'Google' };
const METADATA = '/computeMetadata/v1';
const TOKEN_PATH = `${METADATA}/instance/service-accounts/default/token`;
const UNIVERSE_PATH = `${METADATA}/universe/universe-domain`;

function offer(password: string, from: string): object {
  return { credential: { username: 'oauth2accesstoken', password }, origin: `Google (${from})` };
}

/** As Compute Engine answers, and nobody who leaves the header out. */
function metadata(change: object = {}, universe?: string): Rule[] {
  const body = JSON.stringify({
    access_token: TOKEN,
    expires_in: 3599,
    token_type: 'Bearer',
    ...change,
  });
  const asked = { headers: FLAVOR };
  return [
    { when: { ...asked, path: TOKEN_PATH }, headers: { ...JSON_TYPE, ...FLAVOR }, body },
    universe === undefined
      ? { when: { ...asked, path: UNIVERSE_PATH }, status: 404, headers: FLAVOR }
      : { when: { ...asked, path: UNIVERSE_PATH }, headers: FLAVOR, body: universe },
    { status: 403 },
  ];
}

function sourceBy(stack: CloudStack, change: Partial<GoogleParts>) {
  return createGoogleSource({
    credentialsFile: undefined,
    metadataHost: undefined,
    ...stack.parts,
    ...change,
  });
}

describe('createGoogleSource() and which hosts it covers', () => {
  const { covers } = sourceBy(createCloudStack(), {});
  const coversHost = (registry: string): boolean =>
    covers({ ...parseReference('x/y:1'), registry });

  it.each([
    'gcr.io',
    'eu.gcr.io',
    'GCR.io',
    'Europe-Docker.PKG.dev',
    'us-central1-docker.pkg.dev',
    'docker.me-central2.rep.pkg.dev',
    'container.cloud.google.com',
    'u-germany-northeast1-docker.pkg-berlin-build0.goog',
    'docker.pkg-berlin-build0.goog',
    'u-france-east1-docker.s3nsregistry.fr',
  ])('covers %s', (host) => expect(coversHost(host)).toBe(true));

  it.each([
    'gcr.io.evil.com',
    'evilgcr.io',
    'gcr.io:443',
    'x.pkg.dev:8443',
    'pkg.dev',
    'evil-pkg.dev',
    'pkg.dev.evil.io',
    'x.pkg.dev.evil.io',
    'x.pkg.dev.',
    'xpkg.dev',
    'cloud.google.com',
    'x.container.cloud.google.com',
    'docker.pkg-berlin-build0.goog.evil.io',
    'docker.evil-pkg-berlin-build0.goog',
    'docker.pkg-a.b.goog',
    's3nsregistry.fr.evil.io',
    'docker.evils3nsregistry.fr',
    'docker.io',
    '169.254.169.254',
    'metadata.google.internal',
  ])('does not cover %s', (host) => expect(coversHost(host)).toBe(false));
});

describe('createGoogleSource() with the metadata server', () => {
  it('offers its access token, and remembers it until a minute before its end', async () => {
    await using server = await startRegistry(metadata());
    const stack = createCloudStack();
    const source = sourceBy(stack, { metadataHost: server.host });
    await source.load();
    expect(await offersOf(source, IMAGE)).toEqual([offer(TOKEN, 'metadata server')]);
    stack.pass(3538_000);
    expect(await offersOf(source, 'gcr.io/project/other:2')).toHaveLength(1);
    expect(server.requests).toHaveLength(2);
    stack.pass(2000);
    await offersOf(source, IMAGE);
    expect(server.requests).toHaveLength(4);
    expect(stack.results).toEqual(['google found', 'google found']);
  });

  it('does not keep a token that is about to end', async () => {
    await using server = await startRegistry(metadata({ expires_in: 30 }));
    const source = sourceBy(createCloudStack(), { metadataHost: server.host });
    await offersOf(source, IMAGE);
    await offersOf(source, IMAGE);
    expect(server.requests).toHaveLength(4);
  });

  it.each([
    ['apis-berlin-build0.goog', 'docker.pkg-berlin-build0.goog/p/r/app:1', IMAGE],
    ['s3nsapis.fr', 'u-france-east1-docker.s3nsregistry.fr/p/r/app:1', IMAGE],
    ['googleapis.com', IMAGE, 'docker.pkg-berlin-build0.goog/p/r/app:1'],
  ])('gives the token of universe %s to its own registries alone', async (universe, own, other) => {
    await using server = await startRegistry(metadata({}, universe));
    const source = sourceBy(createCloudStack(), { metadataHost: server.host });
    expect(await offersOf(source, own)).toEqual([offer(TOKEN, 'metadata server')]);
    expect(await offersOf(source, other)).toEqual([]);
  });

  const GARBAGE = { ...JSON_TYPE, ...FLAVOR };
  it.each<[string, Rule, RegExp]>([
    ['500', { status: 500, headers: FLAVOR, body: TOKEN }, /answered 500/],
    ['403', { status: 403, headers: FLAVOR, body: TOKEN }, /answered 403/],
    ['garbage', { headers: GARBAGE, body: `<html>${TOKEN}` }, /without a token/],
    [
      'a token of another kind',
      { headers: GARBAGE, body: '{"access_token":5}' },
      /without a token/,
    ],
    ['no expiry', { headers: GARBAGE, body: `{"access_token":"${TOKEN}"}` }, /without a token/],
    ['no Metadata-Flavor', { headers: JSON_TYPE, body: TOKEN }, /is no metadata server/],
    [
      'a redirect',
      { status: 302, headers: { ...FLAVOR, location: '/elsewhere' } },
      /access token: see/,
    ],
    ['a reset', { fault: 'reset' }, /ECONNRESET|UND_ERR_SOCKET/],
    ['an endless body', { headers: FLAVOR, fault: 'endless_body' }, /BodyTooLongError/],
  ])('says what came instead of a token: %s', async (_what, rule, told) => {
    await using server = await startRegistry([
      { when: { path: TOKEN_PATH }, ...rule },
      ...metadata(),
    ]);
    const stack = createCloudStack();
    const { error, everything } = await failureOf(
      sourceBy(stack, { metadataHost: server.host }),
      IMAGE,
    );
    expect(error.code).toBe('credential_source_failed');
    expect(error.message).toMatch(/^Google's metadata server gives no access token/);
    expect(error.message).toMatch(told);
    expect(error.message).toMatch(/see that tagpin runs in Google Cloud/);
    expect(everything + stack.logged()).not.toContain('canary');
    expect(server.requests.map(({ path }) => path)).not.toContain('/elsewhere');
  });

  it('stops waiting for a server that hangs when the look-up does', async () => {
    await using server = await startRegistry([{ fault: 'silence' }]);
    const source = sourceBy(createCloudStack(), { metadataHost: server.host });
    const stop = new AbortController();
    const asking = source.offersFor(parseReference(IMAGE), stop.signal);
    await server.received(1);
    stop.abort();
    await expect(asking).rejects.toMatchObject({
      code: 'credential_source_failed',
      message: expect.stringContaining('"google" did not answer'),
    });
  });

  it('is reached where no image, realm or redirect can reach it, whatever is allowed', async () => {
    await using server = await startRegistry([
      { when: { path: '/v2/' }, status: 302, headers: { location: 'http://169.254.169.254/' } },
      ...metadata(),
    ]);
    const guard = createGuard({
      plainHttp: ['*', '*:*'],
      allowRegistry: ['*', '*:*'],
      allowAddress: ['0.0.0.0/0', '::/0'],
    });
    const transport = createTransport({ guard, observe: () => {}, userAgent: 'tagpin/test' });
    const send = (url: string) =>
      transport.send({
        method: 'GET',
        url: new URL(url),
        headers: FLAVOR,
        signal: AbortSignal.timeout(30_000),
        maxBodyBytes: 1000,
        followRedirects: true,
      });
    for (const host of [
      '169.254.169.254',
      '[fd20:ce::254]',
      '[::ffff:169.254.169.254]',
      'metadata.google.internal',
      'metadata.google.internal.',
    ]) {
      // oxlint-disable-next-line no-await-in-loop -- nothing is sent
      await expect(send(`http://${host}${TOKEN_PATH}`)).rejects.toMatchObject({
        code: 'blocked_address',
      });
    }
    await expect(send(`${server.origin}/v2/`)).rejects.toMatchObject({
      code: 'blocked_address',
      message: expect.stringContaining('169.254.169.254'),
    });
    await transport.close();
    const source = sourceBy(createCloudStack(), { metadataHost: server.host });
    expect(await offersOf(source, IMAGE)).toEqual([offer(TOKEN, 'metadata server')]);
  });
});

function gives(path: string, body: object): Rule {
  return { when: { method: 'POST', path }, headers: JSON_TYPE, body: JSON.stringify(body) };
}

function refuses(status: number): Rule {
  const body = { error: 'invalid_grant', error_description: `canary ${TOKEN}` };
  return { status, headers: JSON_TYPE, body: JSON.stringify(body) };
}

function token(value: string): object {
  return { access_token: value, expires_in: 3600, token_type: 'Bearer' };
}

const SERVICE_ACCOUNT = 'tagpin@project.iam.gserviceaccount.com';

describe('createGoogleSource() with a credential file', () => {
  let directory: string;
  let publicKey: KeyObject;
  let privateKey: string;
  let file: string;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'tagpin-google-'));
    file = join(directory, 'credentials.json');
    const pair = generateKeyPairSync('rsa', { modulusLength: 2048 });
    publicKey = pair.publicKey;
    privateKey = pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    await writeFile(join(directory, 'subject-token'), 'canary-subject-token');
    jest.spyOn(console, 'warn').mockImplementation(() => {});
  });
  afterAll(async () => {
    jest.restoreAllMocks();
    await rm(directory, { recursive: true });
  });

  const serviceAccount = (): object => ({
    type: 'service_account',
    client_email: SERVICE_ACCOUNT,
    private_key: privateKey,
    private_key_id: 'key-1',
    token_uri: 'https://oauth2.googleapis.com/token',
  });
  const user = {
    type: 'authorized_user',
    client_id: 'client-1',
    client_secret: 'canary-client-secret',
    refresh_token: 'canary-refresh-token',
  };
  const impersonated = {
    type: 'impersonated_service_account',
    service_account_impersonation_url: `https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/${SERVICE_ACCOUNT}:generateAccessToken`,
    delegates: ['between@project.iam.gserviceaccount.com'],
    source_credentials: user,
  };
  const external = (server: ScriptedRegistry): object => ({
    type: 'external_account',
    audience:
      '//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/q',
    subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
    token_url: `${server.origin}/sts.googleapis.com/v1/token`,
    credential_source: { file: join(directory, 'subject-token') },
  });

  const TOKENS = '/oauth2.googleapis.com/token';
  const STS = '/sts.googleapis.com/v1/token';
  const GENERATE = `/iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/${SERVICE_ACCOUNT}:generateAccessToken`;
  async function sourceOf(content: unknown, server: ScriptedRegistry, stack = createCloudStack()) {
    await writeFile(file, typeof content === 'string' ? content : JSON.stringify(content));
    return sourceBy(stack, { credentialsFile: file, fetch: fetchFrom(server) });
  }

  it('service_account: exchanges what its key signed', async () => {
    await using server = await startRegistry([gives(TOKENS, token(TOKEN))]);
    const source = await sourceOf(serviceAccount(), server);
    await source.load();
    expect(await offersOf(source, IMAGE)).toEqual([offer(TOKEN, 'credential file')]);
    const form = new URLSearchParams(server.requests[0]?.body);
    expect(form.get('grant_type')).toBe('urn:ietf:params:oauth:grant-type:jwt-bearer');
    const { payload } = await jwtVerify(form.get('assertion') ?? '', publicKey, {
      audience: 'https://oauth2.googleapis.com/token',
      issuer: SERVICE_ACCOUNT,
    });
    expect(payload['scope']).toBe('https://www.googleapis.com/auth/cloud-platform');
  });

  it('service_account of another universe: signs a token itself, for its own registries', async () => {
    await using server = await startRegistry([]);
    const content = { ...serviceAccount(), universe_domain: 'apis-berlin-build0.goog' };
    const source = await sourceOf(content, server);
    const [own] = await offersOf(source, 'docker.pkg-berlin-build0.goog/p/r/app:1');
    const { payload } = await jwtVerify(own?.credential.password ?? '', publicKey, {
      issuer: SERVICE_ACCOUNT,
    });
    expect(payload['scope']).toBe('https://www.googleapis.com/auth/cloud-platform');
    expect(await offersOf(source, IMAGE)).toEqual([]);
    expect(server.requests).toEqual([]);
  });

  it('authorized_user: renews with its refresh token', async () => {
    await using server = await startRegistry([gives(TOKENS, token(TOKEN))]);
    const source = await sourceOf(user, server);
    expect(await offersOf(source, IMAGE)).toEqual([offer(TOKEN, 'credential file')]);
    expect(Object.fromEntries(new URLSearchParams(server.requests[0]?.body))).toEqual({
      grant_type: 'refresh_token',
      client_id: 'client-1',
      client_secret: 'canary-client-secret',
      refresh_token: 'canary-refresh-token',
    });
  });

  it('impersonated_service_account: its source asks for the token of the other', async () => {
    const expireTime = new Date(Date.now() + 3_600_000).toISOString();
    await using server = await startRegistry([
      gives(TOKENS, token('source-token')),
      gives(GENERATE, { accessToken: TOKEN, expireTime }),
    ]);
    const source = await sourceOf(impersonated, server);
    expect(await offersOf(source, IMAGE)).toEqual([offer(TOKEN, 'credential file')]);
    const [, generate] = server.requests;
    expect(generate?.headers.authorization).toBe('Bearer source-token');
    expect(JSON.parse(generate?.body ?? '')).toEqual({
      delegates: impersonated.delegates,
      scope: ['https://www.googleapis.com/auth/cloud-platform'],
      lifetime: '3600s',
    });
  });

  it('external_account: exchanges the token of the file that it names', async () => {
    await using server = await startRegistry([
      gives(STS, { ...token(TOKEN), issued_token_type: 'urn:x' }),
    ]);
    const source = await sourceOf(external(server), server);
    expect(await offersOf(source, IMAGE)).toEqual([offer(TOKEN, 'credential file')]);
    const form = new URLSearchParams(server.requests[0]?.body);
    expect(form.get('subject_token')).toBe('canary-subject-token');
    expect(form.get('scope')).toBe('https://www.googleapis.com/auth/cloud-platform');
  });

  it('external_account with impersonation: exchanges twice', async () => {
    const expireTime = new Date(Date.now() + 3_600_000).toISOString();
    await using server = await startRegistry([
      gives(STS, { ...token('federated-token'), issued_token_type: 'urn:x' }),
      gives(GENERATE, { accessToken: TOKEN, expireTime }),
    ]);
    const { service_account_impersonation_url } = impersonated;
    const content = { ...external(server), service_account_impersonation_url };
    const source = await sourceOf(content, server);
    expect(await offersOf(source, IMAGE)).toEqual([offer(TOKEN, 'credential file')]);
    expect(server.requests.at(-1)?.headers.authorization).toBe('Bearer federated-token');
  });

  it('remembers a token for its life, and gets another one when it was refused', async () => {
    await using server = await startRegistry([
      { ...gives(TOKENS, token('first')), times: 1 },
      { ...gives(TOKENS, token('second')), times: 1 },
      gives(TOKENS, token('third')),
    ]);
    const stack = createCloudStack();
    const source = await sourceOf(user, server, stack);
    const password = async (): Promise<string | undefined> =>
      (await offersOf(source, IMAGE))[0]?.credential.password;
    expect(await password()).toBe('first');
    stack.pass(3_500_000);
    expect(await password()).toBe('first');
    source.forget(parseReference(IMAGE));
    expect(await password()).toBe('second');
    await writeFile(file, JSON.stringify({ ...user, refresh_token: 'another' }));
    stack.pass(3_600_000);
    expect(await password()).toBe('third');
    expect(
      server.requests.map(({ body }) => new URLSearchParams(body).get('refresh_token')),
    ).toEqual(['canary-refresh-token', 'canary-refresh-token', 'another']);
  });

  interface Wrong {
    readonly content: (server: ScriptedRegistry) => unknown;
    readonly rule?: Rule;
    readonly told: RegExp;
  }
  const anyone = (): object => user;
  it.each<[string, Wrong]>([
    ['400 to a key', { content: serviceAccount, rule: refuses(400), told: /answered 400/ }],
    ['500 to a key', { content: serviceAccount, rule: refuses(500), told: /answered 500/ }],
    ['403 to a user', { content: anyone, rule: refuses(403), told: /answered 403/ }],
    [
      '403 to an impersonation',
      { content: () => impersonated, rule: refuses(403), told: /answered 403/ },
    ],
    ['403 to a foreign token', { content: external, rule: refuses(403), told: /answered 403/ }],
    ['garbage', { content: anyone, rule: { body: `<html>${TOKEN}` }, told: /: see that/ }],
    [
      'a redirect',
      {
        content: anyone,
        rule: { status: 307, headers: { location: '/elsewhere' } },
        told: /: see that/,
      },
    ],
    ['no JSON in the file', { content: () => `canary ${TOKEN}`, told: /no JSON object/ }],
    ['a type of its own', { content: () => ({ type: TOKEN }), told: /"type" is none of/ }],
    [
      'a key that is none',
      { content: () => ({ ...serviceAccount(), private_key: 'canary' }), told: /: see that/ },
    ],
    [
      'a user without a secret',
      { content: () => ({ type: 'authorized_user' }), told: /: see that/ },
    ],
    [
      'no source',
      { content: () => ({ ...impersonated, source_credentials: 1 }), told: /source_credentials/ },
    ],
    [
      'nobody to impersonate',
      {
        content: () => ({ ...impersonated, service_account_impersonation_url: TOKEN }),
        told: /names no service account/,
      },
    ],
    [
      'half an external account',
      { content: () => ({ type: 'external_account' }), told: /"external_account"/ },
    ],
  ])('says what is wrong: %s', async (_what, { content, rule = {}, told }) => {
    await using server = await startRegistry([rule]);
    const stack = createCloudStack();
    const source = await sourceOf(content(server), server, stack);
    const { error, everything } = await failureOf(source, IMAGE);
    expect(error.code).toBe('credential_source_failed');
    expect(error.message).toMatch(/^Google gives no access token for the credential file/);
    expect(error.message).toMatch(told);
    expect(everything + stack.logged()).not.toMatch(/canary|ya29|PRIVATE KEY/);
    expect(stack.results).toEqual(['google credential_source_failed']);
    expect(server.requests.map(({ path }) => path)).not.toContain('/elsewhere');
  });

  it('says that the file is missing', async () => {
    const source = sourceBy(createCloudStack(), { credentialsFile: join(directory, 'absent') });
    const { error } = await failureOf(source, IMAGE);
    expect(error.message).toMatch(/\(ENOENT\): see that the file is whole/);
  });
});
