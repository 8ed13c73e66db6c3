import { execFile } from 'node:child_process';
import { globSync } from 'node:fs';
import { cp, mkdir, mkdtemp, rm, stat, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { list } from 'tar';

import { readEnvironment } from './support/environment.ts';
import { TestImage } from './support/test-image.ts';

const { registry } = readEnvironment();
const CHECKOUT = join(import.meta.dirname, '..');
const MAX_PACKED_BYTES = 1024 * 1024;

/** What stands beside the programs, which npm takes by itself or is told to. */
const PAPERS = ['CHANGELOG.md', 'LICENSE', 'README.md', 'package.json'];

let root: string;
let archive: string;
/** Where nothing is, as on a machine that never had tagpin. */
let empty: string;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'tagpin-package-'));
  empty = join(root, 'empty');
  await mkdir(empty);
  // In a copy, with everything that is not to be in it: what is packed is built first.
  const copy = join(root, 'checkout');
  const left = new Set(['.git', 'dist', 'node_modules'].map((name) => join(CHECKOUT, name)));
  await cp(CHECKOUT, copy, { recursive: true, filter: (path) => !left.has(path) });
  await symlink(join(CHECKOUT, 'node_modules'), join(copy, 'node_modules'));
  const said = await run(copy, 'npm', ['pack', '--silent', `--pack-destination=${root}`]);
  archive = join(root, said.trim().split('\n').at(-1) ?? '');
  await makeCache();
});
afterAll(() => rm(root, { recursive: true }));

/** With the packages that npm has already, and a place of its own for what npx installs. */
async function makeCache(): Promise<void> {
  const cache = await run(CHECKOUT, 'npm', ['config', 'get', 'cache']);
  await mkdir(join(root, 'cache'));
  await symlink(join(cache.trim(), '_cacache'), join(root, 'cache', '_cacache'));
}

/** With this Node first in the path. */
async function run(cwd: string, command: string, args: readonly string[]): Promise<string> {
  const path = [dirname(process.execPath), process.env['PATH']].join(delimiter);
  const env = { ...process.env, PATH: path, NODE_ENV: undefined };
  return (await promisify(execFile)(command, args, { cwd, env })).stdout;
}

function npx(...args: readonly string[]): Promise<string> {
  const options = [`--cache=${join(root, 'cache')}`, '--prefer-offline', '--yes'];
  return run(empty, 'npx', [...options, `--package=${archive}`, ...args]);
}

describe('the package for npm', () => {
  it('holds what is built of each source, its papers, and nothing else', async () => {
    const packed: string[] = [];
    await list({ file: archive, onReadEntry: ({ path }) => packed.push(path) });
    const built = globSync('**/*.ts', { cwd: join(CHECKOUT, 'src') }).map(
      (source) => `dist/${source.replace(/\.ts$/, '.js')}`,
    );
    const expected = [...PAPERS, ...built].map((path) => `package/${path}`);
    expect(packed.toSorted()).toEqual(expected.toSorted());
    expect((await stat(archive)).size).toBeLessThan(MAX_PACKED_BYTES);
  });

  it('is run by npx in an empty directory, and asks a registry', async () => {
    const image = await TestImage.ofTwoPlatforms(registry);
    const digest = await npx('tagpin', 'resolve', image.tagged);
    expect(digest).toContain(await image.digest());
  });

  it('is installed as a command', async () => {
    const options = [`--cache=${join(root, 'cache')}`, '--prefer-offline', '--no-audit'];
    const prefix = join(root, 'global');
    await run(empty, 'npm', ['install', '--global', `--prefix=${prefix}`, ...options, archive]);
    const help = await run(empty, join(prefix, 'bin', 'tagpin'), ['check', '--help']);
    expect(help).toContain('Usage: tagpin check');
  });

  it('has the plugin of kubectl for its second name', async () => {
    const help = await npx('kubectl-tagpin', '--help');
    expect(help).toContain('Usage: kubectl tagpin');
  });
});
