import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

import {
  COMMAND_LINE_SETTINGS,
  type CommandLineSettings,
} from '../../src/commands/command-line-settings.ts';
import type { GivenCredential } from '../../src/commands/command-parts.ts';
import { type CommandLineProcess, composeCommandLine } from '../../src/composition/command-line.ts';
import type { Registries } from '../../src/contents/registries.ts';
import { computeDigest } from '../../src/image/digest.ts';
import { readSettings } from '../../src/settings/setting.ts';
import { INDEX, INDEX_DIGEST, told, unauthorized, withAuthorization } from '../support/answers.ts';
import { failureOf } from '../support/failure-of.ts';
import { linesOf } from '../support/look-up.ts';
import { Programs } from '../support/programs.ts';
import { type Rule, type ScriptedRegistry, startRegistry } from '../support/scripted-registry.ts';

const ASKS_FOR_BASIC = unauthorized('Basic realm="r"');
const PROVIDERS = 'providers.yaml';

let files: Programs;

beforeEach(() => {
  files = new Programs();
});
afterEach(() => files[Symbol.asyncDispose]());

type Flags = Partial<Record<keyof CommandLineSettings, string>>;

/** The registries of somebody whose home is empty, but for what these variables name. */
function open(flags: Flags = {}, more: Partial<CommandLineProcess> = {}): Registries {
  const environment = { DOCKER_CONFIG: files.at('none'), XDG_CONFIG_HOME: files.at('none') };
  return composeCommandLine(readSettings(COMMAND_LINE_SETTINGS, { flags, environment: {} }), {
    version: '0',
    credential: undefined,
    tell: undefined,
    ...more,
    environment: { ...files.environment, ...environment, ...more.environment },
  });
}

function basic(user: string): string {
  return `Basic ${btoa(`${user}:canary`)}`;
}

function authsFor(host: string, user: string): string {
  return JSON.stringify({ auths: { [host]: { username: user, password: 'canary' } } });
}

/** What the registry was shown, in order. */
function shown({ requests }: ScriptedRegistry): readonly string[] {
  return requests.flatMap(({ headers }) => headers.authorization ?? []);
}

describe('the credentials of a person', () => {
  it("are docker's, and podman's where docker has none for the host, or not the right ones", async () => {
    await using registry = await startRegistry([
      withAuthorization(basic('podman')),
      ASKS_FOR_BASIC,
    ]);
    const named = {
      REGISTRY_AUTH_FILE: files.write('auth.json', authsFor(registry.host, 'podman')),
    };
    const image = `${registry.host}/app:1`;
    expect(await open({}, { environment: named }).resolve(image)).toMatchObject({
      digest: INDEX_DIGEST,
    });
    files.write('docker/config.json', authsFor(registry.host, 'docker'));
    const environment = { ...named, DOCKER_CONFIG: files.at('docker') };
    await open({}, { environment }).resolve(image);
    expect(shown(registry)).toEqual([basic('podman'), basic('docker'), basic('podman')]);
  });

  it('are those of a plugin on request, for all that is read', async () => {
    const blob = Buffer.from('blob');
    await using registry = await startRegistry([
      { when: { method: 'GET', headers: { authorization: basic('plugin') } }, body: blob },
      ASKS_FOR_BASIC,
    ]);
    const { host } = registry;
    const answer = {
      kind: 'CredentialProviderResponse',
      apiVersion: 'credentialprovider.kubelet.k8s.io/v1',
      cacheKeyType: 'Registry',
      auth: { [host]: { username: 'plugin', password: 'canary' } },
    };
    files.program('bin/plugin', `cat <<'EOF'\n${JSON.stringify(answer)}\nEOF`);
    const config = {
      apiVersion: 'kubelet.config.k8s.io/v1',
      kind: 'CredentialProviderConfig',
      providers: [
        {
          name: 'plugin',
          matchImages: [host],
          defaultCacheDuration: '1h',
          apiVersion: answer.apiVersion,
        },
      ],
    };
    const flags: Flags = {
      credentials: 'exec,google',
      imageCredentialProviderBinDir: files.at('bin'),
      imageCredentialProviderConfig: files.write(PROVIDERS, JSON.stringify(config)),
    };
    const { content } = await open(flags).blob(`${host}/app`, computeDigest(blob));
    for await (const chunk of content) expect(Buffer.from(chunk)).toEqual(blob);
    expect(files.starts('bin/plugin')).toBe(1);
  });

  it.each<[string, Flags]>([
    ['without their files', { credentials: 'exec' }],
    ['without one of them', { credentials: 'exec', imageCredentialProviderConfig: PROVIDERS }],
    [
      'that were not asked for',
      { imageCredentialProviderConfig: PROVIDERS, imageCredentialProviderBinDir: 'bin' },
    ],
  ])('are not those of plugins %s', (_, flags) => {
    expect(() => open(flags)).toThrow(expect.objectContaining({ code: 'invalid_config' }));
  });

  it('are missed with the name of the file that was read, whatever was asked for', async () => {
    await using registry = await startRegistry([ASKS_FOR_BASIC]);
    const config = files.write('config.json', authsFor('other.example.com', 'me'));
    const registries = open({ dockerConfig: config });
    const image = `${registry.host}/app`;
    const failures = await Promise.all([
      failureOf(registries.resolve(image)),
      failureOf(registries.resolve(`${image}@${INDEX_DIGEST}`)),
      failureOf(registries.manifest(image)),
      failureOf(registries.blob(image, computeDigest(INDEX))),
      failureOf(
        (async () => {
          for await (const page of registries.tags(image)) expect(page).toBeUndefined();
        })(),
      ),
    ]);
    for (const failure of failures) {
      expect(failure).toMatchObject({
        code: 'unauthorized',
        message: expect.stringContaining(`; docker config "${config}" has no entry for`),
      });
    }
  });
});

describe('composeCommandLine()', () => {
  it('reads a reference with a digest, and compares the bytes', async () => {
    await using registry = await startRegistry([{ body: INDEX }]);
    const { resolve } = open();
    const good = await resolve(`${registry.host}/app:1@${INDEX_DIGEST}`);
    expect(good).toEqual({ digest: INDEX_DIGEST, mediaType: expect.any(String) });
    const other = `sha256:${'a'.repeat(64)}`;
    expect(await failureOf(resolve(`${registry.host}/app@${other}`))).toMatchObject({
      code: 'digest_not_served',
    });
  });

  it('tells of a digest that is of no manifest who knows what it is of', async () => {
    await using registry = await startRegistry([{ status: 404 }]);
    const image = `${registry.host}/app@${INDEX_DIGEST}`;
    const registries = open();
    for (const asked of [registries.resolve(image), registries.manifest(image)]) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      expect(await failureOf(asked)).toMatchObject({
        code: 'not_found',
        message: `${registry.host} answered 404 (not found)`,
        advice: expect.stringContaining('tagpin inspect'),
      });
    }
  });

  it('says that it asked for latest where no tag was named', async () => {
    await using registry = await startRegistry([{ status: 404 }]);
    const advice = async (name: string): Promise<string> =>
      (await failureOf(open().resolve(`${registry.host}/${name}`))).advice;
    expect(await advice('app')).toContain('no tag was named, and so latest was asked for');
    expect(await advice('app:1')).toBe('push the tag, or correct its name');
  });

  it("tells the registry's own reason, which a HEAD has not", async () => {
    const body = '{"errors":[{"code":"NAME_UNKNOWN"}]}';
    await using registry = await startRegistry([{ status: 404, body }]);
    const { message } = await failureOf(open().resolve(`${registry.host}/app:1`));
    expect(message).toBe(`${registry.host} answered 404 (not found), NAME_UNKNOWN`);
    expect(linesOf(registry)).toEqual(['HEAD /v2/app/manifests/1', 'GET /v2/app/manifests/1']);
  });

  it('waits for a registry that is busy, and tells whoever looks on', async () => {
    const busy: Rule = { status: 429, headers: { 'retry-after': '0' }, times: 2 };
    await using registry = await startRegistry([
      busy,
      { when: { method: 'HEAD' }, ...told() },
      { when: { path: '/v2/app/tags/list' }, ...busy },
      { body: '{"tags":["1"]}' },
    ]);
    const lines: string[] = [];
    const registries = open({}, { tell: (line) => lines.push(line) });
    expect(await registries.resolve(`${registry.host}/app:1`)).toMatchObject({
      digest: INDEX_DIGEST,
    });
    for await (const { tags } of registries.tags(`${registry.host}/app`)) {
      expect(tags).toEqual(['1']);
    }
    expect(registry.requests).toHaveLength(6);
    expect(lines[0]).toBe(
      `tagpin: ${registry.host} answered 429 (too many requests); asked again in 0 s\n`,
    );
  });

  it('gives up at once on a registry that wants to be left alone for long', async () => {
    await using registry = await startRegistry([
      { status: 429, headers: { 'retry-after': '3600' } },
    ]);
    expect(await failureOf(open().resolve(`${registry.host}/app:1`))).toMatchObject({
      code: 'rate_limited',
      message: `${registry.host} answered 429 (too many requests), and asks for 3600 s`,
    });
    expect(registry.requests).toHaveLength(1);
  });

  it('reads at the mirror of a hosts.toml', async () => {
    await using mirror = await startRegistry([
      { when: { path: '/v2/app/tags/list' }, body: '{"tags":["1"]}' },
      { body: INDEX },
    ]);
    files.write(
      'hosts.d/example.com/hosts.toml',
      `[host."${mirror.origin}"]\n  capabilities = ["pull", "resolve"]\n`,
    );
    const registries = open({ hostsDir: files.at('hosts.d') });
    expect(await registries.manifest('example.com/app:1')).toMatchObject({ digest: INDEX_DIGEST });
    for await (const page of registries.tags('example.com/app')) expect(page.tags).toEqual(['1']);
    const upstreams = mirror.requests.map(({ query }) => query.get('ns'));
    expect(upstreams).toEqual(['example.com', 'example.com']);
  });

  it.each<[string, GivenCredential]>([
    ['token', { registry: 'example.com', token: 'canary' }],
    ['password', { registry: 'example.com', username: 'me', password: 'canary' }],
  ])('shows no mirror the %s that was given for the registry', async (_, credential) => {
    const challenge = { 'www-authenticate': 'Basic realm="mirror"' };
    await using mirror = await startRegistry([{ status: 401, headers: challenge }]);
    files.write(
      'hosts.d/example.com/hosts.toml',
      `server = "${mirror.origin}"\n[host."${mirror.origin}"]\n  capabilities = ["pull", "resolve"]\n`,
    );
    const { manifest } = open({ hostsDir: files.at('hosts.d') }, { credential });
    expect((await failureOf(manifest('example.com/app:1'))).code).toBe('unauthorized');
    expect(mirror.requests.length).toBeGreaterThan(0);
    expect(shown(mirror)).toEqual([]);
  });
});
