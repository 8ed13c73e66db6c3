import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';

import { type AwsParts, createAwsSource } from '../../../src/credentials/sources/aws.ts';
import { parseReference } from '../../../src/image/reference.ts';
import { type Authority, createAuthority } from '../../support/certificate.ts';
import { createCloudStack, failureOf, offersOf } from '../../support/cloud.ts';
import {
  type Rule,
  type ScriptedRegistry,
  startRegistry,
} from '../../support/scripted-registry.ts';
import { LocalTlsAgent } from '../../support/tls-agent.ts';

const NOW_MS = Date.UTC(2026, 5, 1);
const LIFE_MS = 12 * 3_600_000;
const PASSWORD = 'canary-ecr-password';
const IMAGE = '123456789012.dkr.ecr.us-west-2.amazonaws.com/team/app:1';
const JSON_TYPE = { 'content-type': 'application/x-amz-json-1.1' };
const PRIVATE_TARGET = 'AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken';
const PUBLIC_TARGET = 'SpencerFrontendService.GetAuthorizationToken';

function answers(body: object, target?: string): Rule {
  const when = target === undefined ? {} : { headers: { 'x-amz-target': target } };
  return {
    when: { method: 'POST', path: '/', ...when },
    headers: JSON_TYPE,
    body: JSON.stringify(body),
  };
}

/** As both APIs answer: a list, and an object. */
function ecr(password = PASSWORD): Rule[] {
  const data = {
    authorizationToken: btoa(`AWS:${password}`),
    expiresAt: (NOW_MS + LIFE_MS) / 1000,
    proxyEndpoint: 'https://123456789012.dkr.ecr.us-west-2.amazonaws.com',
  };
  return [
    answers({ authorizationData: [data] }, PRIVATE_TARGET),
    answers({ authorizationData: data }, PUBLIC_TARGET),
  ];
}

function offer(password: string, where: string): object {
  return { credential: { username: 'AWS', password }, origin: `AWS (${where})` };
}

const ENVIRONMENT = { ...process.env };

/** What the default chain of providers looks at; nothing of the machine that runs the test. */
function useEnvironment(variables: Readonly<Record<string, string>>): void {
  for (const name of Object.keys(process.env))
    if (name.startsWith('AWS_')) delete process.env[name];
  Object.assign(process.env, {
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_CONFIG_FILE: join(tmpdir(), 'tagpin-no-such-file'),
    AWS_SHARED_CREDENTIALS_FILE: join(tmpdir(), 'tagpin-no-such-file'),
    ...variables,
  });
}

const KEYS = { AWS_ACCESS_KEY_ID: 'AKIDTAGPIN', AWS_SECRET_ACCESS_KEY: 'canary-secret-key' };

beforeEach(() => useEnvironment(KEYS));
afterEach(() => {
  useEnvironment({});
  Object.assign(process.env, ENVIRONMENT);
});

function stackAt(server: ScriptedRegistry) {
  const stack = createCloudStack(NOW_MS);
  return {
    stack,
    source: createAwsSource({ ...stack.parts, client: { endpoint: server.origin } }),
  };
}

describe('createAwsSource() and which hosts it covers', () => {
  const { covers } = createAwsSource(createCloudStack().parts);
  const coversHost = (registry: string): boolean =>
    covers({ ...parseReference('x/y:1'), registry });

  it.each(['123456789012.DKR.ecr.us-east-1.amazonaws.com', 'public.ecr.aws', 'ECR-Public.aws.com'])(
    'covers %s',
    (host) => expect(coversHost(host)).toBe(true),
  );

  it.each([
    '123456789012.dkr.ecr.us-east-1.amazonaws.com.evil.io',
    '123456789012.dkr.ecr.us-east-1.amazonaws.com:443',
    '123456789012.dkr.ecr.us-east-1.amazonaws.comx',
    '123456789012.dkr.ecr.us-east-1.evil.amazonaws.com',
    '123456789012.dkr.ecr.us-east-1.amazonaws.de',
    '123456789012xdkr.ecr.us-east-1.amazonaws.com',
    '12345678901.dkr.ecr.us-east-1.amazonaws.com',
    'x123456789012.dkr.ecr.us-east-1.amazonaws.com',
    '123456789012.dkr.ecr.amazonaws.com',
    'x.public.ecr.aws',
    'public.ecr.aws.evil.io',
    'public-ecr.aws',
    'docker.io',
  ])('does not cover %s', (host) => expect(coversHost(host)).toBe(false));
});

function refuses(status: number, type: string): Rule {
  const body = JSON.stringify({ __type: type, message: `canary ${PASSWORD}` });
  return { status, headers: JSON_TYPE, body };
}

describe('createAwsSource()', () => {
  it("offers a region's password to all its registries, for half of what is left of it", async () => {
    await using server = await startRegistry(ecr());
    const { stack, source } = stackAt(server);
    await source.load();
    expect(await offersOf(source, IMAGE)).toEqual([offer(PASSWORD, 'us-west-2')]);
    stack.pass(LIFE_MS / 2 - 1000);
    const other = '999999999999.dkr.ecr.us-west-2.amazonaws.com/other:1';
    expect(await offersOf(source, other)).toHaveLength(1);
    expect(server.requests).toHaveLength(1);
    stack.pass(2000);
    await offersOf(source, IMAGE);
    await offersOf(source, '123456789012.dkr.ecr.eu-west-1.amazonaws.com/other:1');
    expect(server.requests).toHaveLength(3);
    expect(stack.results).toEqual(['aws found', 'aws found', 'aws found']);
  });

  it('asks for another one when it was refused', async () => {
    await using server = await startRegistry([
      ...ecr('canary-first').map((rule) => ({ ...rule, times: 1 })),
      ...ecr('canary-second'),
    ]);
    const { stack, source } = stackAt(server);
    await offersOf(source, IMAGE);
    stack.pass(60_000);
    source.forget(parseReference(IMAGE));
    expect(await offersOf(source, IMAGE)).toEqual([offer('canary-second', 'us-west-2')]);
  });

  it.each<[string, Rule, RegExp]>([
    ['403', refuses(400, 'AccessDeniedException'), /answered 400, AccessDeniedException/],
    ['500', refuses(500, 'ServerException'), /answered 500, ServerException/],
    ['garbage', { body: `<html>${PASSWORD}` }, /: see that/],
    ['no data', answers({ authorizationData: [] }), /without a password/],
    [
      'a password that is none',
      answers({ authorizationData: [{ authorizationToken: PASSWORD, expiresAt: 1 }] }),
      /without a password/,
    ],
    [
      'no expiry',
      answers({ authorizationData: [{ authorizationToken: btoa(`AWS:${PASSWORD}`) }] }),
      /without a password/,
    ],
    ['a redirect', { status: 307, headers: { location: '/elsewhere' } }, /answered 307/],
    // The library tells which, but not of an error of the realm that the test runner has beside it.
    ['a reset', { fault: 'reset' }, /: see that/],
  ])('says what came instead of a password: %s', async (_what, rule, told) => {
    await using server = await startRegistry([rule]);
    const { stack, source } = stackAt(server);
    const { error, everything } = await failureOf(source, IMAGE);
    expect(error.code).toBe('credential_source_failed');
    expect(error.message).toMatch(/^AWS gives no password for ECR \(us-west-2\)/);
    expect(error.message).toMatch(told);
    expect(error.message).toMatch(/may do ecr:GetAuthorizationToken$/);
    expect(everything + stack.logged()).not.toContain('canary');
    expect(server.requests.map(({ path }) => path)).not.toContain('/elsewhere');
  });

  it('says that it has no identity', async () => {
    useEnvironment({});
    await using server = await startRegistry(ecr());
    const { error } = await failureOf(stackAt(server).source, 'public.ecr.aws/nginx/nginx:1');
    expect(error.message).toMatch(
      /\(CredentialsProviderError\): .* ecr-public:GetAuthorizationToken$/,
    );
  });

  it('stops waiting for a server that hangs when the look-up does', async () => {
    await using server = await startRegistry([{ fault: 'silence' }]);
    const stop = new AbortController();
    const asking = stackAt(server).source.offersFor(parseReference(IMAGE), stop.signal);
    await server.received(1);
    stop.abort();
    await expect(asking).rejects.toMatchObject({ code: 'credential_source_failed' });
  });
});

describe('createAwsSource() and the endpoint of a registry', () => {
  const TABLE = [
    [
      '123456789012.dkr.ecr.us-west-2.amazonaws.com',
      'api.ecr.us-west-2.amazonaws.com',
      'us-west-2',
    ],
    [
      '123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com',
      'api.ecr-fips.us-gov-west-1.amazonaws.com',
      'us-gov-west-1',
    ],
    ['123456789012.dkr-ecr.us-east-1.on.aws', 'ecr.us-east-1.api.aws', 'us-east-1'],
    ['123456789012.dkr-ecr-fips.us-east-1.on.aws', 'ecr-fips.us-east-1.api.aws', 'us-east-1'],
    [
      '123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn',
      'api.ecr.cn-north-1.amazonaws.com.cn',
      'cn-north-1',
    ],
    [
      '123456789012.dkr-ecr.cn-north-1.on.amazonwebservices.com.cn',
      'ecr.cn-north-1.api.amazonwebservices.com.cn',
      'cn-north-1',
    ],
    [
      '123456789012.dkr.ecr.us-iso-east-1.c2s.ic.gov',
      'api.ecr.us-iso-east-1.c2s.ic.gov',
      'us-iso-east-1',
    ],
    [
      '123456789012.dkr.ecr.us-isob-east-1.sc2s.sgov.gov',
      'api.ecr.us-isob-east-1.sc2s.sgov.gov',
      'us-isob-east-1',
    ],
    [
      '123456789012.dkr.ecr.eu-isoe-west-1.cloud.adc-e.uk',
      'api.ecr.eu-isoe-west-1.cloud.adc-e.uk',
      'eu-isoe-west-1',
    ],
    [
      '123456789012.dkr.ecr.us-isof-south-1.csp.hci.ic.gov',
      'api.ecr.us-isof-south-1.csp.hci.ic.gov',
      'us-isof-south-1',
    ],
    [
      '123456789012.dkr.ecr.eusc-de-east-1.amazonaws.eu',
      'api.ecr.eusc-de-east-1.amazonaws.eu',
      'eusc-de-east-1',
    ],
    ['public.ecr.aws', 'api.ecr-public.us-east-1.amazonaws.com', 'us-east-1'],
    ['ecr-public.aws.com', 'api.ecr-public.us-east-1.amazonaws.com', 'us-east-1'],
  ] as const;
  let authority: Authority;
  let server: ScriptedRegistry;

  beforeAll(async () => {
    authority = await createAuthority();
    const pair = await authority.issue(TABLE.map(([, endpoint]) => endpoint));
    server = await startRegistry(ecr(), pair);
  });
  afterAll(async () => server[Symbol.asyncDispose]());

  it.each(TABLE)('%s: %s, signed for %s', async (registry, endpoint, region) => {
    const agent = new LocalTlsAgent({ port: server.port, ca: authority.certificate });
    const client: AwsParts['client'] = { requestHandler: { httpsAgent: agent } };
    const source = createAwsSource({ ...createCloudStack(NOW_MS).parts, client });
    const [first] = await offersOf(source, `${registry}/team/app:1`);
    expect(first?.credential).toEqual({ username: 'AWS', password: PASSWORD });
    const { headers } = server.requests.at(-1) ?? {};
    expect(headers?.host).toBe(endpoint);
    expect(headers?.authorization).toMatch(new RegExp(`Credential=AKIDTAGPIN/\\d+/${region}/ecr`));
    agent.destroy();
  });
});

describe("createAwsSource() and AWS's default chain", () => {
  let directory: string;
  let tokenFile: string;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'tagpin-aws-'));
    tokenFile = join(directory, 'token');
    await writeFile(tokenFile, 'canary-service-account-token');
  });
  afterAll(async () => rm(directory, { recursive: true }));

  const EXPIRY = new Date(Date.now() + LIFE_MS).toISOString();

  it("IAM roles for ServiceAccounts: takes the role of the Pod's token", async () => {
    const xml = `<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>AKIDROLE</AccessKeyId><SecretAccessKey>canary</SecretAccessKey><SessionToken>canary-session</SessionToken><Expiration>${EXPIRY}</Expiration></Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>`;
    await using sts = await startRegistry([{ headers: { 'content-type': 'text/xml' }, body: xml }]);
    await using server = await startRegistry(ecr());
    useEnvironment({
      AWS_ROLE_ARN: 'arn:aws:iam::123456789012:role/tagpin',
      AWS_WEB_IDENTITY_TOKEN_FILE: tokenFile,
      AWS_REGION: 'eu-west-1',
      AWS_ENDPOINT_URL_STS: sts.origin,
    });
    expect(await offersOf(stackAt(server).source, IMAGE)).toHaveLength(1);
    const form = new URLSearchParams(sts.requests[0]?.body);
    expect(form.get('Action')).toBe('AssumeRoleWithWebIdentity');
    expect(form.get('WebIdentityToken')).toBe('canary-service-account-token');
    expect(server.requests[0]?.headers.authorization).toMatch(
      /Credential=AKIDROLE\/\d+\/us-west-2\/ecr/,
    );
    expect(server.requests[0]?.headers['x-amz-security-token']).toBe('canary-session');
  });

  it('EKS Pod Identity: asks the agent of the node', async () => {
    const body = JSON.stringify({
      AccessKeyId: 'AKIDPOD',
      SecretAccessKey: 'canary',
      Token: 'canary-session',
      Expiration: EXPIRY,
    });
    await using node = await startRegistry([
      {
        when: {
          path: '/v1/credentials',
          headers: { authorization: 'canary-service-account-token' },
        },
        headers: { 'content-type': 'application/json' },
        body,
      },
    ]);
    await using server = await startRegistry(ecr());
    useEnvironment({
      AWS_CONTAINER_CREDENTIALS_FULL_URI: `${node.origin}/v1/credentials`,
      AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: tokenFile,
    });
    expect(await offersOf(stackAt(server).source, IMAGE)).toHaveLength(1);
    expect(server.requests[0]?.headers.authorization).toMatch(/Credential=AKIDPOD\//);
  });
});
