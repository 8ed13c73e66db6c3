import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { Files } from '../support/files.ts';
import { ImageStore } from '../support/image-store.ts';
import { type Ended, runTagpin } from '../support/process.ts';
import { type Rule, type ScriptedRegistry, startRegistry } from '../support/scripted-registry.ts';

const STORE = new ImageStore();
const AMD64 = STORE.imageFor({ os: 'linux', architecture: 'amd64' });
const ARM64 = STORE.imageFor({ os: 'linux', architecture: 'arm64', variant: 'v8' });
const INDEX = STORE.index([STORE.index([AMD64]), ARM64]);

let files: Files;
let registry: ScriptedRegistry;

beforeAll(async () => {
  files = new Files();
  registry = await startRegistry([
    ...rulesFor('manifests', STORE.manifests),
    ...rulesFor('blobs', STORE.blobs),
    { ...ruleFor(INDEX.digest), when: { path: '/v2/app/manifests/latest' } },
    { ...ruleFor(ARM64.digest), when: { path: '/v2/app/manifests/arm' } },
    { ...ruleFor(ARM64.digest), when: { path: `/v2/other/manifests/${INDEX.digest}` } },
    { status: 404 },
  ]);
});
afterAll(async () => {
  await files[Symbol.asyncDispose]();
  await registry[Symbol.asyncDispose]();
});

function ruleFor(digest: string, stored: ImageStore['blobs'] = STORE.manifests): Rule {
  const { mediaType = '', bytes = '' } = [...stored].find(([name]) => name === digest)?.[1] ?? {};
  return { headers: { 'content-type': mediaType }, body: bytes };
}

function rulesFor(kind: string, stored: ImageStore['blobs']): Rule[] {
  return [...stored.keys()].map((digest) => ({
    ...ruleFor(digest, stored),
    when: { path: `/v2/app/${kind}/${digest}` },
  }));
}

function textOf(digest: string): string {
  return String(ruleFor(digest).body);
}

/** Runs a command on an image of the registry. */
function run(command: string, image: string, ...flags: readonly string[]): Promise<Ended> {
  return runTagpin([command, ...flags, `${registry.host}/${image}`], { HOME: files.at('home') });
}

describe('tagpin manifest', () => {
  it.each([
    ['the index', ['app'], INDEX.digest],
    ['an image', ['app:arm'], ARM64.digest],
    ['what has a digest', [`app@${AMD64.digest}`], AMD64.digest],
    ['that for a platform', ['app', '--platform=linux/amd64'], AMD64.digest],
    [
      'that for a platform, by digest',
      [`app@${INDEX.digest}`, '--platform=linux/arm64'],
      ARM64.digest,
    ],
  ])('prints %s', async (_, [image = '', ...flags], digest) => {
    expect(await run('manifest', image, ...flags)).toEqual({
      code: 0,
      stdout: textOf(digest),
      stderr: '',
    });
  });

  it('ends with 1 and prints nothing where other bytes are served by a digest', async () => {
    const { code, stdout, stderr } = await run('manifest', `other@${INDEX.digest}`);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toContain(`serves other bytes by ${INDEX.digest}`);
  });

  it('ends with 1 where there is none for a platform', async () => {
    const { code, stdout, stderr } = await run('manifest', 'app', '--platform=linux/s390x');
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toContain(
      'there is no image for linux/s390x: it has linux/amd64, linux/arm64/v8',
    );
  });
});

describe('tagpin config', () => {
  it.each([
    ['that for linux/amd64 of an index', ['app'], AMD64],
    ['that for a platform', ['app', '--platform=linux/arm64'], ARM64],
    ['that of an image', ['app:arm'], ARM64],
  ])('prints %s', async (_, [image = '', ...flags], { platform }) => {
    const stdout = JSON.stringify(platform);
    expect(await run('config', image, ...flags)).toEqual({ code: 0, stdout, stderr: '' });
  });

  it('ends with 1 where the image is for another platform', async () => {
    const { code, stderr } = await run('config', 'app:arm', '--platform=linux/amd64');
    expect(code).toBe(1);
    expect(stderr).toContain('there is no image for linux/amd64: it is for linux/arm64/v8');
  });
});

describe('tagpin resolve', () => {
  it('finds the manifests of platforms, one or all', async () => {
    const { host } = registry;
    const one = await run('resolve', 'app', '--platform=linux/arm64');
    const all = await run('resolve', `app@${INDEX.digest}`, '--all-platforms');
    expect(one).toEqual({ code: 0, stdout: `${host}/app@${ARM64.digest}\n`, stderr: '' });
    expect(all.stdout.split('\n')).toEqual([
      `${host}/app@${AMD64.digest} linux/amd64`,
      `${host}/app@${ARM64.digest} linux/arm64/v8`,
      '',
    ]);
  });

  it('sees that a digest is served', async () => {
    const good = await run('resolve', `app@${INDEX.digest}`);
    const bad = await run('resolve', `other@${INDEX.digest}`);
    const none = await run('resolve', `none@${INDEX.digest}`);
    expect(good).toEqual({ code: 0, stdout: `${registry.host}/app@${INDEX.digest}\n`, stderr: '' });
    expect([bad.code, bad.stdout, none.code, none.stdout]).toEqual([1, '', 1, '']);
    expect(none.stderr).toContain('[not_found]');
  });
});

describe.each(['manifest', 'config', 'resolve'])('tagpin %s', (command) => {
  it('ends with 2 for a platform that is none', async () => {
    const { code, stderr } = await run(command, 'app', '--platform=linux');
    expect(code).toBe(2);
    expect(stderr).toContain('"linux" is no platform: write it as linux/amd64');
  });

  it('describes its flags with examples', async () => {
    const { code, stdout } = await runTagpin([command, '--help']);
    expect(code).toBe(0);
    for (const text of ['--platform', '--docker-config', 'Examples:', 'Exit codes:']) {
      expect(stdout).toContain(text);
    }
  });
});
