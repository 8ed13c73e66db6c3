import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { readDockerfile, type Stage, textsOf } from '../test/support/dockerfile.ts';
import { type RunningProcess, startProcess } from './support/child-process.ts';
import { readEnvironment } from './support/environment.ts';
import { freePort } from './support/free-port.ts';

// No container engine runs here. What the Dockerfile tells one to do is done by this test instead,
// in a directory for each stage: the same files copied, the same commands run, the same start.
const CHECKOUT = join(import.meta.dirname, '..');
const BUILD_TIMEOUT_MS = 300_000;

const dockerfile = readDockerfile(join(CHECKOUT, 'Dockerfile'));

let root: string;
let app: string;
let server: RunningProcess | undefined;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'tagpin-image-'));
  for (const [index, stage] of dockerfile.stages.entries()) {
    app = join(root, stage.name ?? String(index));
    await buildStage(stage);
  }
}, BUILD_TIMEOUT_MS);

afterAll(async () => {
  await server?.stop();
  await rm(root, { recursive: true, force: true });
});

async function buildStage(stage: Stage): Promise<void> {
  await mkdir(app);
  for (const { keyword, text } of stage.instructions) {
    if (keyword === 'COPY') await copy(text.split(' '));
    if (keyword === 'RUN') await run(text.split(' '));
  }
}

/** `COPY [--from=STAGE] SOURCE… TARGET`, where a folder's contents go into the target. */
async function copy(words: readonly string[]): Promise<void> {
  const from = words.find((word) => word.startsWith('--from='))?.slice('--from='.length);
  const paths = words.filter((word) => !word.startsWith('--'));
  const target = join(app, paths.at(-1) ?? '');
  for (const source of paths.slice(0, -1)) {
    const path =
      from === undefined
        ? join(CHECKOUT, source)
        : join(root, from, source.replace(/^\/app\//, ''));
    const isInto = paths.at(-1)?.endsWith('/') === true;
    await cp(path, isInto ? join(target, basename(source)) : target, { recursive: true });
  }
}

/** Without a shell, and with this Node first: the base image has no other either. */
async function run([command = '', ...args]: readonly string[]): Promise<void> {
  const path = [dirname(process.execPath), process.env['PATH']].join(delimiter);
  await promisify(execFile)(command, args, {
    cwd: app,
    env: { ...process.env, PATH: path, NODE_ENV: undefined },
    maxBuffer: 64 * 1024 * 1024,
  });
}

/** The arguments of the container's `node`, as a Pod without `args` runs it. */
function startCommand(): string[] {
  const stage = dockerfile.stages.at(-1)!;
  const [command, script = '', ...rest] = ['ENTRYPOINT', 'CMD'].flatMap(
    (keyword) => JSON.parse(textsOf(stage, keyword)[0] ?? '[]') as string[],
  );
  expect(command).toBe('node');
  return [join(app, script), ...rest];
}

describe('the image', () => {
  it('holds the built program and what it needs at run time, and nothing else', async () => {
    expect((await readdir(app)).toSorted()).toEqual(['dist', 'node_modules', 'package.json']);
    const modules = await readdir(join(app, 'node_modules'));
    expect(modules).toContain('express');
    expect(modules).not.toContain('typescript');
    expect(modules).not.toContain('jest');
  });

  it('starts with the command that the Dockerfile gives, and becomes ready', async () => {
    const { webhook } = readEnvironment();
    const operationsPort = await freePort();
    server = await startProcess({
      name: 'image',
      directory: root,
      command: process.execPath,
      args: [
        ...startCommand(),
        `--listen=127.0.0.1:${await freePort()}`,
        `--operations-listen=127.0.0.1:${operationsPort}`,
        '--debug-listen=off',
        `--tls-cert=${webhook.certificateFile}`,
        `--tls-key=${webhook.keyFile}`,
        '--no-cluster',
      ],
      env: { NODE_ENV: 'production' },
      ready: async () => {
        const { ok } = await fetch(`http://127.0.0.1:${operationsPort}/readyz`);
        if (!ok) throw new Error('/readyz says no');
      },
    });
    expect(server.pid).toBeGreaterThan(0);
  });
});
