import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { digest } from '../support/admission.ts';
import { told, unauthorized, withAuthorization } from '../support/answers.ts';
import { createAuthority } from '../support/certificate.ts';
import { dockerWith, startDaemon } from '../support/daemon.ts';
import { Files } from '../support/files.ts';
import { type Ended, runTagpin } from '../support/process.ts';
import { type Rule, type ScriptedRegistry, startRegistry } from '../support/scripted-registry.ts';

const PASSWORD = 'canary-password';
const BASIC = `Basic ${btoa(`alice:${PASSWORD}`)}`;

/** The digest of each tag is made of the tag; `private` has a password; the rest is not there. */
const RULES: readonly Rule[] = [
  ...['1', '2', 'latest'].map(
    (tag): Rule => ({
      when: { path: `/v2/app/manifests/${tag}` },
      headers: {
        'docker-content-digest': digest(tag === 'latest' ? '0' : tag),
        'content-type': 'application/vnd.oci.image.index.v1+json',
      },
    }),
  ),
  {
    ...withAuthorization(BASIC, told(digest('c'))),
    when: { path: '/v2/private/manifests/1', headers: { authorization: BASIC } },
  },
  { when: { path: '/v2/private/manifests/1' }, ...unauthorized('Basic realm="r"') },
  { status: 404 },
];

let files: Files;
let registry: ScriptedRegistry;

beforeAll(async () => {
  files = new Files();
  registry = await startRegistry(RULES);
});
afterAll(async () => {
  await files[Symbol.asyncDispose]();
  await registry[Symbol.asyncDispose]();
});

/** Runs `tagpin resolve` in a home without a docker config. */
function resolve(
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
  input?: string,
): Promise<Ended> {
  return runTagpin(['resolve', ...args], { HOME: files.at('home'), ...env }, input);
}

function configFor(host: string): string {
  return JSON.stringify({ auths: { [host]: { username: 'alice', password: PASSWORD } } });
}

describe('tagpin resolve', () => {
  it('prints the digests in the order of the images, by plain http on loopback', async () => {
    const { host, port } = registry;
    const images = [`${host}/app:2`, `localhost:${port}/app`, `${host}/app:1`];
    expect(await resolve(images)).toEqual({
      code: 0,
      stdout: `${host}/app@${digest('2')}\nlocalhost:${port}/app@${digest('0')}\n${host}/app@${digest('1')}\n`,
      stderr: '',
    });
  });

  it('prints what could be resolved, tells of the rest with code and advice, and ends with 1', async () => {
    const { host } = registry;
    const { code, stdout, stderr } = await resolve([`${host}/none:1`, `${host}/app:1`, 'A/B']);
    expect({ code, stdout }).toEqual({ code: 1, stdout: `${host}/app@${digest('1')}\n` });
    expect(stderr.split('\n')).toEqual([
      `tagpin: "${host}/none:1": ${host} answered 404 (not found); push the tag, or correct its name [not_found]`,
      expect.stringMatching(/^tagpin: "A\/B": .*\[invalid_reference\]$/),
      '',
    ]);
  });

  it.each([
    [['--digest-only'], () => digest('1')],
    [['--reference-form=tag-and-digest'], () => `${registry.host}/app:1@${digest('1')}`],
  ])('writes with %p', async (flags, wanted) => {
    const { stdout } = await resolve([...flags, `${registry.host}/app:1`]);
    expect(stdout).toBe(`${wanted()}\n`);
  });

  it('reports as JSON and as YAML', async () => {
    const { host } = registry;
    const images = [`${host}/app:1`, `${host}/none`];
    const [json, yaml] = await Promise.all([
      resolve(['-o', 'json', ...images]),
      resolve(['-o', 'yaml', '--digest-only', ...images]),
    ]);
    expect(JSON.parse(json.stdout)).toEqual({
      images: [
        {
          image: `${host}/app:1`,
          result: `${host}/app@${digest('1')}`,
          digest: digest('1'),
          mediaType: 'application/vnd.oci.image.index.v1+json',
        },
        { image: `${host}/none`, reason: 'not_found', message: expect.stringContaining('404') },
      ],
    });
    expect(yaml.stdout).toContain(`  - image: ${host}/app:1\n    result: ${digest('1')}\n`);
    expect([json.code, yaml.code]).toEqual([1, 1]);
  });

  it('uses the docker config that is named, of DOCKER_CONFIG and of the home', async () => {
    const config = configFor(registry.host);
    const named = files.write('named.json', config);
    files.write('docker/config.json', config);
    files.write('full/.docker/config.json', config);
    const image = `${registry.host}/private:1`;
    const ends = await Promise.all([
      resolve([`--docker-config=${named}`, image]),
      resolve([image], { DOCKER_CONFIG: files.at('docker') }),
      resolve([image], { HOME: files.at('full') }),
      resolve([image], { TAGPIN_DOCKER_CONFIG: named }),
    ]);
    const stdout = `${registry.host}/private@${digest('c')}\n`;
    expect(ends).toEqual(ends.map(() => ({ code: 0, stdout, stderr: '' })));
  });

  it('says which docker config was read where a registry asks for a password', async () => {
    const other = files.write('other/config.json', configFor('other.example.com'));
    const image = `${registry.host}/private:1`;
    const [none, without] = await Promise.all([
      resolve([image]),
      resolve([image], { DOCKER_CONFIG: files.at('other') }),
    ]);
    const looked = files.at('home/.docker/config.json');
    expect(none.stderr).toContain(`there is no docker config "${looked}"`);
    expect(without.stderr).toContain(
      `docker config "${other}" has no entry for ${registry.host}; log in to the registry`,
    );
    expect(none.stderr + without.stderr).not.toContain(PASSWORD);
    expect([none.code, without.code]).toEqual([1, 1]);
  });

  it('takes a password from standard input, for one registry alone', async () => {
    const flags = ['--username=alice', '--password-stdin'];
    const image = `${registry.host}/private:1`;
    const [good, wrong, two] = await Promise.all([
      resolve([...flags, image], {}, `${PASSWORD}\n`),
      resolve([...flags, image], {}, 'wrong-canary'),
      resolve([...flags, image, 'other.example.com/a'], {}, PASSWORD),
    ]);
    expect(good).toEqual({
      code: 0,
      stdout: `${registry.host}/private@${digest('c')}\n`,
      stderr: '',
    });
    expect(wrong).toMatchObject({ code: 1, stdout: '' });
    expect(wrong.stderr).toContain('asked with the password of "alice"');
    expect(wrong.stderr).toContain('; correct the user name or the password [unauthorized]');
    expect(wrong.stderr).not.toContain('docker config');
    expect(two).toMatchObject({ code: 2, stdout: '' });
    expect(two.stderr).toContain('one password is for one registry');
    expect(wrong.stderr + two.stderr).not.toContain('canary');
  });

  it('trusts the authority that is named, by TLS on loopback too', async () => {
    const authority = await createAuthority();
    await using secure = await startRegistry(RULES, await authority.issue(['127.0.0.1']));
    const ca = files.write('ca.pem', authority.certificate);
    const { code, stdout } = await resolve([
      `--registry-ca=${secure.host}=${ca}`,
      `${secure.host}/app:1`,
    ]);
    expect({ code, stdout }).toEqual({ code: 0, stdout: `${secure.host}/app@${digest('1')}\n` });
  });

  it('asks the mirror of a hosts.toml first', async () => {
    files.write(
      'hosts.d/example.com/hosts.toml',
      `[host."${registry.origin}"]\n  capabilities = ["pull", "resolve"]\n`,
    );
    const { stdout } = await resolve([`--hosts-dir=${files.at('hosts.d')}`, 'example.com/app:1']);
    expect(stdout).toBe(`example.com/app@${digest('1')}\n`);
  });

  it.each<[string, (socket: string) => [NodeJS.ProcessEnv, string]]>([
    ['DOCKER_HOST', (socket) => [{ DOCKER_HOST: `unix://${socket}` }, '--from-daemon']],
    ['--daemon-socket', (socket) => [{}, `--daemon-socket=${socket}`]],
  ])('asks the daemon of %s, and no registry', async (_, flagsFor) => {
    const image = `${registry.host}/app:1`;
    const local = [{ RepoTags: [image], RepoDigests: [`${registry.host}/app@${digest('d')}`] }];
    await using daemon = await startDaemon(files, 'daemon.sock', dockerWith(local));
    const asked = registry.requests.length;
    const [env, flag] = flagsFor(daemon.socketPath);
    const [one, all] = await Promise.all([resolve([flag, image], env), resolve([flag], env)]);
    const pinned = `${registry.host}/app@${digest('d')}`;
    expect(one).toEqual({ code: 0, stdout: `${pinned}\n`, stderr: '' });
    expect(all).toEqual({ code: 0, stdout: `${image}  ${pinned}\n`, stderr: '' });
    expect(registry.requests).toHaveLength(asked);
  });

  it('never asks a metadata service', async () => {
    const { code, stderr } = await resolve(['--allow-address=0.0.0.0/0', '169.254.169.254/a']);
    expect(code).toBe(1);
    expect(stderr).toContain('link-local, metadata');
    expect(stderr).toContain('[blocked_address]');
  });

  it.each([
    ['no image', [], 'missing required argument'],
    ['an unknown format', ['-o', 'xml', 'a'], 'Allowed choices are text, json, yaml'],
    [
      'a platform of the daemon',
      ['--from-daemon', '--platform=linux/amd64', 'a'],
      'cannot be used',
    ],
    ['a password for the daemon', ['--daemon-socket=/s', '--username=a', 'a'], 'cannot be used'],
    ['a daemon elsewhere', ['--daemon-socket=tcp://h:1', 'a'], 'only a daemon of this machine'],
    ['two forms', ['--digest-only', '--reference-form=digest', 'a'], 'cannot be used with'],
    ['half a credential', ['--username=a', 'a'], 'need each other'],
    ['no password', ['--username=a', '--password-stdin', 'a'], 'holds no password'],
    ['a bad address', ['--allow-address=x', 'a'], '--allow-address'],
    ['no docker config', ['--docker-config=/nowhere', 'a'], 'Cannot read "/nowhere"'],
  ])('ends with 2 for %s', async (_, args, message) => {
    const { code, stderr } = await resolve(args);
    expect(code).toBe(2);
    expect(stderr).toContain(message);
  });

  it('describes its flags with examples', async () => {
    const { code, stdout } = await resolve(['--help']);
    expect(code).toBe(0);
    for (const text of ['--digest-only', '--plain-http', 'Examples:', 'Exit codes:']) {
      expect(stdout).toContain(text);
    }
  });
});
