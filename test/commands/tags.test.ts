import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { digest } from '../support/admission.ts';
import { told, unauthorized, withAuthorization } from '../support/answers.ts';
import { Files } from '../support/files.ts';
import { type Ended, runTagpin } from '../support/process.ts';
import { type Rule, type ScriptedRegistry, startRegistry } from '../support/scripted-registry.ts';

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const PASSWORD = 'canary-password';
const BASIC = `Basic ${btoa(`alice:${PASSWORD}`)}`;

function list(names: readonly string[], more: object = {}): string {
  return JSON.stringify({ name: 'app', tags: names, ...more });
}

/** `app` in two pages, of which only tag 3 fails; `google` with its map; `private` with a password. */
const RULES: readonly Rule[] = [
  {
    when: { path: '/v2/app/tags/list', also: ({ query }) => query.get('last') === '2' },
    body: list(['3', '10']),
  },
  {
    when: { path: '/v2/app/tags/list' },
    headers: { link: '</v2/app/tags/list?n=2&last=2>; rel="next"' },
    body: list(['1', '2']),
  },
  { when: { path: '/v2/app/manifests/1' }, ...told(digest('a')) },
  { when: { path: '/v2/app/manifests/2' }, ...told(digest('b')) },
  { when: { path: '/v2/app/manifests/10' }, ...told(digest('a')) },
  {
    when: { path: '/v2/google/tags/list' },
    body: list(['1'], {
      manifest: {
        [digest('a')]: {
          tag: ['1'],
          imageSizeBytes: '12',
          timeCreatedMs: '1000',
          mediaType: MANIFEST,
        },
        [digest('b')]: {
          tag: [],
          imageSizeBytes: '34',
          timeUploadedMs: '2000',
          mediaType: MANIFEST,
        },
      },
    }),
  },
  {
    when: { path: '/v2/private/tags/list', headers: { authorization: BASIC } },
    ...withAuthorization(BASIC, { body: list(['secret']) }),
  },
  { when: { path: '/v2/private/tags/list' }, ...unauthorized('Basic realm="r"') },
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

/** Runs `tagpin tags` in a home without a docker config. */
function tags(args: readonly string[], input?: string): Promise<Ended> {
  return runTagpin(['tags', ...args], { HOME: files.at('home') }, input);
}

describe('tagpin tags', () => {
  it('prints every page, as the registry orders them', async () => {
    expect(await tags([`${registry.host}/app`])).toEqual({
      code: 0,
      stdout: '1\n2\n3\n10\n',
      stderr: '',
    });
  });

  it('prints the tags of a digest, names what failed, and ends with 1', async () => {
    const { code, stdout, stderr } = await tags([`${registry.host}/app@${digest('a')}`]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '1\n10\n' });
    expect(stderr.split('\n')).toEqual([
      `tagpin: "${registry.host}/app:3": ${registry.host} answered 404 (not found); push the tag, or correct its name [not_found]`,
      `tagpin: 1 tag of ${registry.host}/app could not be looked up`,
      '',
    ]);
  });

  it('takes digests, times and sizes from a list that tells them', async () => {
    const before = registry.requests.length;
    const long = await tags(['-l', `${registry.host}/google`]);
    const json = await tags(['-o', 'json', '--long', `${registry.host}/google`]);
    const none = await tags([`${registry.host}/google@${digest('b')}`]);
    expect(long.stdout).toBe(
      [
        `DIGEST${' '.repeat(65)}  CREATED               UPLOADED              BYTES         TAG`,
        `${digest('a')}  1970-01-01T00:00:01Z  -                     12            1`,
        `${digest('b')}  -                     1970-01-01T00:00:02Z  34            -`,
        '',
      ].join('\n'),
    );
    expect(JSON.parse(json.stdout)).toMatchObject({
      tags: [
        { tag: '1', digest: digest('a'), sizeBytes: 12, mediaType: MANIFEST },
        { tag: null, digest: digest('b') },
      ],
    });
    expect(none).toEqual({
      code: 1,
      stdout: '',
      stderr: `tagpin: no tag of ${registry.host}/google names ${digest('b')}; the registry has it without one\n`,
    });
    expect(registry.requests.length - before).toBe(3);
  });

  it('uses the password that it is given, and says which file has none', async () => {
    const repository = `${registry.host}/private`;
    const [opened, refused] = await Promise.all([
      tags(['--username=alice', '--password-stdin', repository], PASSWORD),
      tags([repository]),
    ]);
    expect(opened).toEqual({ code: 0, stdout: 'secret\n', stderr: '' });
    expect(refused).toMatchObject({ code: 1, stdout: '' });
    expect(refused.stderr).toContain(
      `there is no docker config "${files.at('home/.docker/config.json')}"`,
    );
    expect(refused.stderr).toContain('[unauthorized]');
  });

  it('says of a repository that is not there that it is not', async () => {
    const { code, stdout, stderr } = await tags([`${registry.host}/none`]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain(`the tags of ${registry.host}/none could not all be listed: `);
    expect(stderr).toContain('; correct the name of the repository [not_found]');
  });

  it.each([
    ['no repository', [], 'missing required argument'],
    ['a tag', ['r.io/app:1'], '"tagpin resolve r.io/app:1"'],
    ['a tag with a digest', [`r.io/app:1@${digest('a')}`], '"tagpin tags r.io/app"'],
    ['an unknown format', ['-o', 'xml', 'a'], 'Allowed choices are text, json, yaml'],
  ])('ends with 2 for %s', async (_, args, message) => {
    const ended = await tags(args);
    expect(ended).toMatchObject({ code: 2, stdout: '' });
    expect(ended.stderr).toContain(message);
  });

  it('describes its flags with examples', async () => {
    const { code, stdout } = await tags(['--help']);
    expect(code).toBe(0);
    for (const text of ['--long', '--plain-http', 'Examples:', 'Exit codes:']) {
      expect(stdout).toContain(text);
    }
  });
});
