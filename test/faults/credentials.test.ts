import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { describe, expect, it } from '@jest/globals';

import type { Credential } from '../../src/credentials/credential.ts';
import type { Secret } from '../../src/credentials/keyring.ts';
import {
  INDEX_DIGEST,
  issues,
  methodsOf,
  told,
  unauthorized,
  withAuthorization,
} from '../support/answers.ts';
import { Programs } from '../support/programs.ts';
import { inWorld, type Place, type World } from '../support/world.ts';

const ASKS_FOR_BASIC = unauthorized('Basic realm="r"');

function authorizationsOf({ requests }: Place): (string | undefined)[] {
  return requests.map(({ headers }) => headers.authorization);
}

function basic({ username, password }: { username: string; password: string }): string {
  return `Basic ${btoa(`${username}:${password}`)}`;
}

/** A docker config of the operator's own, lent to all. */
async function lend(world: World, auths: Record<string, unknown>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'tagpin-faults-'));
  world.use({ [Symbol.asyncDispose]: () => rm(directory, { recursive: true }) });
  const file = join(directory, 'config.json');
  await writeFile(file, JSON.stringify({ auths }));
  world.set('dockerConfig', file);
  world.set('ownCredentialsNamespaces', '*');
  world.set('ownCredentialsImages', '*');
}

/** A Secret with this JSON in it. */
function secretOf(config: unknown, type = 'kubernetes.io/dockerconfigjson'): Secret {
  return { type, data: { '.dockerconfigjson': btoa(JSON.stringify(config)) } };
}

/** A kubelet's plugin that has these credentials for a registry, the next with each start. */
function plug(world: World, { host }: Place, credentials: readonly Credential[]): Programs {
  const programs = world.use(new Programs());
  const apiVersion = 'credentialprovider.kubelet.k8s.io/v1';
  for (const [n, { username, password }] of credentials.entries()) {
    const kind = 'CredentialProviderResponse';
    const auth = { [host]: { username, password } };
    const answer = { kind, apiVersion, cacheKeyType: 'Registry', cacheDuration: '12h', auth };
    programs.write(`answer-${n + 1}`, JSON.stringify(answer));
  }
  const all = programs.directory;
  programs.program('ecr', `cat "${all}/answer-$(wc -l <"${all}/ecr.starts" | tr -d ' ')"`);
  const provider = { name: 'ecr', matchImages: [host], defaultCacheDuration: '12h', apiVersion };
  const config = { kind: 'CredentialProviderConfig', apiVersion: 'kubelet.config.k8s.io/v1' };
  const text = JSON.stringify({ ...config, providers: [provider] });
  world.set('imageCredentialProviderConfig', programs.write('config', text));
  world.set('imageCredentialProviderBinDir', all);
  world.set('ownCredentialsImages', '*');
  return programs;
}

describe('credentials that are wrong, or wrongly kept', () => {
  it(
    'fault 40: 403 to a credential that a plugin gave for 12 h, as ECR answers an expired one → the plugin is asked again, once',
    inWorld(async (world) => {
      const registry = await world.place();
      const [old, fresh] = [
        world.canaries.credential(registry),
        world.canaries.credential(registry),
      ];
      Object.assign(world.environment, { PATH: process.env['PATH'] });
      const programs = plug(world, registry, [old, fresh]);
      registry.answer(
        withAuthorization(basic(old), { ...told(), times: 1 }),
        withAuthorization(basic(old), { status: 403 }),
        withAuthorization(basic(fresh)),
        ASKS_FOR_BASIC,
      );
      const ask = (tag: number): Promise<string> =>
        world.digestOf(`${registry.host}/team/app:${tag}`, { pullSecrets: [] });
      expect(await ask(1)).toBe(INDEX_DIGEST);
      world.pass(3_600_000);
      expect(await ask(2)).toBe(INDEX_DIGEST);
      expect(await ask(3)).toBe(INDEX_DIGEST);
      expect(programs.starts('ecr')).toBe(2);
      expect(await world.metrics()).toMatch(/tagpin_credential_lookups_total\{source=/);
    }),
  );

  it(
    'fault 41: the first secret is wrong and the second right → pinned with the second, in their order',
    inWorld(async (world) => {
      const registry = await world.place();
      const wrong = world.canaries.credential(registry);
      world.secret('first', { [registry.host]: wrong });
      world.secret('second', { [registry.host]: registry.credential });
      registry.answer(withAuthorization(registry.basic), ASKS_FOR_BASIC);
      const pullSecrets = ['first', 'second'];
      expect(await world.digestOf(registry.image, { pullSecrets })).toBe(INDEX_DIGEST);
      expect(authorizationsOf(registry).filter((sent) => sent !== undefined)).toEqual([
        basic(wrong),
        registry.basic,
      ]);
    }),
  );

  it(
    'fault 42: all credentials are wrong for a public image → unauthorized, as with kubelet',
    inWorld(async (world) => {
      const registry = await world.place();
      registry.answer(
        withAuthorization(registry.basic, { status: 403 }),
        { ...ASKS_FOR_BASIC, times: 1 },
        told(),
      );
      expect(await world.digestOf(registry.image)).toBe('unauthorized');
    }),
  );

  it(
    'fault 42: the same with --anonymous-fallback → pinned',
    inWorld(async (world) => {
      world.set('anonymousFallback', 'true');
      const registry = await world.place();
      registry.answer(
        withAuthorization(registry.basic, { status: 403 }),
        { ...ASKS_FOR_BASIC, times: 1 },
        told(),
      );
      expect(await world.digestOf(registry.image)).toBe(INDEX_DIGEST);
    }),
  );

  it(
    'fault 43: an identity token alone, and the token server knows no POST → GET with the user "<token>"',
    inWorld(async (world) => {
      const registry = await world.place();
      const identitytoken = world.canaries.hatch('identity', registry);
      const token = world.canaries.hatch('token', registry);
      await lend(world, { [registry.host]: { identitytoken } });
      registry.answer(
        { when: { method: 'POST' }, status: 404 },
        withAuthorization(`Basic ${btoa(`<token>:${identitytoken}`)}`, issues({ token })),
        withAuthorization(`Bearer ${token}`),
        unauthorized('Bearer realm="/token",service="s"'),
      );
      expect(await world.digestOf(registry.image, { pullSecrets: [] })).toBe(INDEX_DIGEST);
      expect(methodsOf(registry)).toEqual(['HEAD', 'POST', 'GET', 'HEAD']);
      const form = new URLSearchParams(registry.requests[1]?.body);
      expect(form.get('grant_type')).toBe('refresh_token');
      expect(form.get('refresh_token')).toBe(identitytoken);
    }),
  );

  it(
    'fault 43: an identity token in a pull secret → no credential, as with kubelet',
    inWorld(async (world) => {
      const registry = await world.place();
      const identitytoken = world.canaries.hatch('identity');
      world.secrets.set(
        'team/regcred',
        secretOf({ auths: { [registry.host]: { identitytoken } } }),
      );
      registry.answer(unauthorized('Bearer realm="/token"'));
      expect(await world.digestOf(registry.image, { pullSecrets: ['regcred'] })).not.toBe(
        INDEX_DIGEST,
      );
    }),
  );

  it.each<[string, (auth: object, host: string) => Secret, string]>([
    [
      'of the wrong type',
      (auth, host) => secretOf({ auths: { [host]: auth } }, 'Opaque'),
      'unauthorized',
    ],
    [
      'of bad base64',
      (_auth, host) => secretOf({ auths: { [host]: { auth: '!!' } } }),
      'invalid_secret',
    ],
    [
      'without a colon in auth',
      (_auth, host) => secretOf({ auths: { [host]: { auth: btoa('alice') } } }),
      'invalid_secret',
    ],
    [
      'with bad JSON',
      () => ({ type: 'kubernetes.io/dockerconfigjson', data: { '.dockerconfigjson': btoa('{') } }),
      'invalid_secret',
    ],
    ['for another port', (auth) => secretOf({ auths: { '127.0.0.1:1': auth } }), 'unauthorized'],
    [
      'for a deeper path',
      (auth, host) => secretOf({ auths: { [`${host}/other`]: auth } }),
      'unauthorized',
    ],
    [
      'for Docker Hub',
      (auth) => secretOf({ auths: { 'https://index.docker.io/v1/': auth } }),
      'unauthorized',
    ],
  ])(
    'fault 44: a secret %s → as with kubelet',
    inWorld(async (world, ...row: [string, (auth: object, host: string) => Secret, string]) => {
      const [, make, code] = row;
      const registry = await world.place();
      const { username, password } = world.canaries.credential();
      world.secrets.set('team/regcred', make({ username, password }, registry.host));
      registry.answer(ASKS_FOR_BASIC);
      expect(await world.digestOf(registry.image, { pullSecrets: ['regcred'] })).toBe(code);
    }),
  );

  it.each<[string, (host: string) => string]>([
    ['with a glob in a label', () => '127.0.*.1'],
    ['with a port', (host) => host],
    ['with a path', (host) => `${host}/team`],
    ['as a URL', (host) => `https://${host}/v2/`],
  ])(
    'fault 44: a key %s → the keyring of kubelet',
    inWorld(async (world, what: string, keyOf: (host: string) => string) => {
      const registry = await world.place();
      const key = what.includes('glob')
        ? registry.host.replace('127.0.0.1', '127.0.*.1')
        : keyOf(registry.host);
      world.secret('regcred', { [key]: registry.credential });
      registry.answer(withAuthorization(registry.basic), ASKS_FOR_BASIC);
      expect(await world.digestOf(registry.image, { pullSecrets: ['regcred'] })).toBe(INDEX_DIGEST);
    }),
  );

  it(
    'fault 44: a secret that is missing → the others; deleted in between → told once a registry refuses',
    inWorld(async (world) => {
      const registry = await world.place();
      world.secret('regcred', { [registry.host]: registry.credential });
      registry.answer(
        withAuthorization(registry.basic, {
          ...told(),
          when: { path: '/v2/team/app/manifests/1.0' },
        }),
        ASKS_FOR_BASIC,
      );
      const pullSecrets = ['missing', 'regcred'];
      expect(await world.digestOf(registry.image, { pullSecrets })).toBe(INDEX_DIGEST);
      world.secrets.delete('team/regcred');
      world.pass(60_000);
      expect(await world.failureOf(registry.image, { pullSecrets })).toMatchObject({
        code: 'missing_secret',
        message: expect.stringContaining('team/regcred'),
      });
    }),
  );

  it.each([
    'registry.example.com.evil.io',
    'evil-registry.example.com',
    'registry.example.community',
    'xregistry.example.com',
    'example.com',
  ])(
    'fault 45: the host %s with a secret for registry.example.com → no credential (connaisseur#2166)',
    inWorld(async (world, name: string) => {
      const evil = await world.place({ names: [name] });
      const canary = world.canaries.credential();
      world.secret('regcred', {
        'registry.example.com': canary,
        [`registry.example.com:${evil.port}`]: canary,
        'https://registry.example.com/v2/': canary,
      });
      evil.answer(ASKS_FOR_BASIC);
      expect(await world.digestOf(evil.image, { pullSecrets: ['regcred'] })).toBe('unauthorized');
      for (const sent of authorizationsOf(evil)) expect(sent).toBeUndefined();
    }),
  );

  it.each([
    'gcr.io.evil.com',
    'x.pkg.dev',
    'evil-pkg.dev',
    'evilgcr.io',
    '123456789012.dkr.ecr.eu-west-1.amazonaws.com.evil.io',
    'x.azurecr.io.evil.com',
    'x.y.azurecr.io',
    'public.ecr.aws.evil.io',
  ])(
    'fault 46: the host %s, on a port of its own → no cloud is asked for a credential',
    inWorld(async (world, name: string) => {
      world.set('cloudCredentials', 'google,aws,azure');
      world.set('ownCredentialsNamespaces', '*');
      world.set('ownCredentialsImages', '*');
      const evil = await world.place({ names: [name] });
      evil.answer(ASKS_FOR_BASIC);
      expect(await world.failureOf(evil.image, { pullSecrets: [] })).toMatchObject({
        code: 'unauthorized',
        message: `${evil.host} asks for a user name and password, asked without a credential`,
      });
      for (const sent of authorizationsOf(evil)) expect(sent).toBeUndefined();
    }),
  );

  it.each([
    'gcr.io.evil.com',
    'evilgcr.io',
    'evil-pkg.dev',
    'pkg.dev.evil.com',
    '123456789012.dkr.ecr.eu-west-1.amazonaws.com.evil.io',
    '123456789012.dkr.ecr.eu-west-1.evilamazonaws.com',
    'x.azurecr.io.evil.com',
    'x.y.azurecr.io',
    'public.ecr.aws.evil.io',
  ])(
    'fault 46: the host %s, on port 443 → no cloud is asked for a credential',
    inWorld(async (world, name: string) => {
      world.set('cloudCredentials', 'google,aws,azure');
      world.set('ownCredentialsImages', '*');
      world.names.set(name, ['169.254.169.254']);
      const answer = await world.digestOf(`${name}/team/app:1.0`, { pullSecrets: [] });
      expect(answer).toBe('blocked_address');
      // Whoever was asked, and whatever came of it, is counted.
      expect(await world.metrics()).not.toMatch(/tagpin_credential_lookups_total\{/);
    }),
  );
});
