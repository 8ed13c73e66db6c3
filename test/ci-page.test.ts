import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

const ROOT = join(import.meta.dirname, '..');
const PAGE = readFileSync(join(ROOT, 'docs', 'ci.md'), 'utf8');

/** The hook that the page has its reader save. */
const [, HOOK = ''] = /^```sh\n(#!.*?)^```$/ms.exec(PAGE) ?? [];

/** Jobs of GitLab, workflows of GitHub and a configuration of pre-commit. */
const SETTINGS = [...PAGE.matchAll(/^```yaml\n(.*?)^```$/gms)].map(([, text = '']) => text);

describe('the jobs of docs/ci.md', () => {
  it('run the package that npm makes here', () => {
    const { name, version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
      readonly name: string;
      readonly version: string;
    };
    const packed = [...PAGE.matchAll(/\S*\.tgz/g)].map(([file]) => file.split('/').at(-1));
    expect(packed.length).toBeGreaterThan(2);
    expect(new Set(packed)).toEqual(new Set([`${name}-${version}.tgz`]));
  });

  it('take the actions that this project takes', () => {
    const ours = readFileSync(join(ROOT, '.github', 'workflows', 'ci.yml'), 'utf8');
    const used = SETTINGS.flatMap((text) => text.match(/uses: .*/g) ?? []);
    expect(used).toHaveLength(2);
    expect(used.filter((line) => !ours.includes(line))).toEqual([]);
  });
});

function podOf(image: string): string {
  const container = { name: 'web', image };
  return JSON.stringify({ apiVersion: 'v1', kind: 'Pod', spec: { containers: [container] } });
}

const BY_TAG = podOf('nginx:1.27');
const BY_DIGEST = podOf(`nginx@sha256:${'a'.repeat(64)}`);

const ODD_NAMES = [
  'with space.yaml',
  'größe/日本.yaml',
  'quo"te\'s.yml',
  'back\\slash.yaml',
  'line\nfeed.yaml',
  '-n.yaml',
  '.hidden/web.yaml',
  'node_modules/web.yaml',
  '$(exit).yaml',
];

describe('the hook of docs/ci.md', () => {
  let directory: string;
  let repository: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'tagpin-hook-'));
    repository = join(directory, 'repository');
    await mkdir(join(directory, 'bin'));
    await mkdir(join(directory, 'tmp'));
    const program = `#!/bin/sh\nexec '${process.execPath}' '${join(ROOT, 'src', 'main.ts')}' "$@"\n`;
    await writeFile(join(directory, 'bin', 'tagpin'), program, { mode: 0o755 });
    await promisify(execFile)('git', ['init', '--quiet', repository]);
    const hook = join(repository, '.git', 'hooks', 'pre-commit');
    await mkdir(dirname(hook), { recursive: true });
    await writeFile(hook, HOOK);
    await chmod(hook, 0o755);
  });
  afterEach(() => rm(directory, { recursive: true }));

  async function write(name: string, text: string): Promise<void> {
    await mkdir(dirname(join(repository, name)), { recursive: true });
    await writeFile(join(repository, name), text);
  }

  /** Rejects where git fails. */
  async function git(...args: readonly string[]): Promise<string> {
    const env = {
      PATH: [join(directory, 'bin'), process.env['PATH']].join(delimiter),
      TMPDIR: join(directory, 'tmp'),
      HOME: directory,
    };
    const me = ['-c', 'user.name=me', '-c', 'user.email=me@example.com'];
    const options = { cwd: repository, env };
    const { stdout, stderr } = await promisify(execFile)('git', [...me, ...args], options);
    return stdout + stderr;
  }

  /** What is said of a commit of everything that is staged, and whether it was made. */
  async function committed(): Promise<{ readonly made: boolean; readonly said: string }> {
    try {
      return { made: true, said: await git('commit', '--message=x') };
    } catch (caught) {
      return { made: false, said: (caught as { readonly stderr: string }).stderr };
    }
  }

  it('refuses a tag that is staged, though the working tree has a digest', async () => {
    await write('web.yaml', BY_TAG);
    await git('add', '.');
    await write('web.yaml', BY_DIGEST);
    expect(await committed()).toMatchObject({
      made: false,
      said: expect.stringContaining('web.yaml:1:'),
    });
  });

  it('lets a digest pass that is staged, though the working tree has a tag', async () => {
    await write('web.yaml', BY_DIGEST);
    await git('add', '.');
    await write('web.yaml', BY_TAG);
    await write('other.yaml', BY_TAG);
    expect(await committed()).toMatchObject({ made: true });
  });

  it('looks into files of any name', async () => {
    await Promise.all(ODD_NAMES.map((name) => write(name, BY_TAG)));
    await git('add', '--force', '.');
    const { made, said } = await committed();
    expect(made).toBe(false);
    expect(said).toContain(`${ODD_NAMES.length} images in ${ODD_NAMES.length} files`);
  });

  it('has nothing against a commit without YAML, a file that goes, and links that lead nowhere', async () => {
    await write('readme', 'x');
    await write('web.yaml', BY_DIGEST);
    await git('add', '.');
    expect(await committed()).toMatchObject({ made: true });
    await rm(join(repository, 'web.yaml'));
    await symlink('../elsewhere.yaml', join(repository, 'link.yaml'));
    await git('add', '.');
    expect(await committed()).toMatchObject({ made: true });
    await write('readme', 'y');
    await git('add', '.');
    expect(await committed()).toMatchObject({ made: true });
  });

  it('refuses where tagpin cannot run', async () => {
    await rm(join(directory, 'bin', 'tagpin'));
    await write('web.yaml', BY_DIGEST);
    await git('add', '.');
    expect(await committed()).toMatchObject({ made: false });
  });

  it('is what its demonstration runs', () => {
    expect(HOOK).not.toBe('');
    const file = join(ROOT, 'e2e', 'docs', 'hooks', 'pre-commit');
    expect(readFileSync(file, 'utf8')).toBe(HOOK);
  });
});
