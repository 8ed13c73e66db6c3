import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { watch, writeFileSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Command } from 'commander';

import { addPinCommand } from '../../src/commands/pin.ts';
import { PinError } from '../../src/errors.ts';
import { digest } from '../support/admission.ts';
import { runTagpin } from '../support/process.ts';
import { registriesOf } from '../support/registries.ts';
import { startRegistry } from '../support/scripted-registry.ts';
import { recordedStreams } from '../support/streams.ts';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tagpin-command-'));
});
afterAll(() => rm(folder, { recursive: true }));

function resolve(): Promise<never> {
  return Promise.reject(new PinError('not_found', 'not there'));
}

async function run(...args: string[]): Promise<{ ends: number[]; err: string }> {
  const ends: number[] = [];
  const streams = recordedStreams();
  const program = new Command().exitOverride().configureOutput({ writeErr: () => {} });
  addPinCommand(program, {
    streams,
    environment: {},
    openRegistries: () => Promise.resolve(registriesOf({ resolve })),
    uninterrupted: (work) => work(),
    end: (code) => ends.push(code),
  });
  await program.parseAsync(['pin', ...args], { from: 'user' });
  return { ends, err: streams.written.err };
}

function podOf(images: readonly string[]): string {
  const containers = images.map((image) => `{image: "${image}"}`).join(', ');
  return `kind: Pod\napiVersion: v1\nspec: {containers: [${containers}]}\n`;
}

const MAIN = join(import.meta.dirname, '..', '..', 'src', 'main.ts');
const MANY = 2000;

describe('tagpin pin', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)(
    'leaves every file whole, and nothing beside it, at %s',
    async (signal) => {
      const many = await mkdtemp(join(folder, 'many-'));
      const text = 'kind: Pod\napiVersion: v1\nspec: {containers: [{image: a}]}\n';
      const names = Array.from({ length: MANY }, (_, index) => `f${index}.yaml`);
      for (const name of names) writeFileSync(join(many, name), text);
      const changed = Promise.withResolvers<void>();
      const watcher = watch(many, (event, name) => {
        // The first file that has come into its place; those beside begin with a dot.
        if (event === 'rename' && name?.startsWith('f') === true) changed.resolve();
      });
      const args = [MAIN, 'pin', `--set=a=${digest('a')}`, many];
      const child = spawn(process.execPath, args, { stdio: 'ignore' });
      const ended = once(child, 'close');
      await changed.promise;
      child.kill(signal);
      expect((await ended)[1]).toBe(signal);
      watcher.close();

      const pinned = text.replace('image: a', `image: a@${digest('a')}`);
      const texts = await Promise.all(names.map((name) => readFile(join(many, name), 'utf8')));
      expect(texts.filter((now) => now !== text && now !== pinned)).toEqual([]);
      expect(texts).toContain(pinned);
      expect(texts).toContain(text);
      expect((await readdir(many)).toSorted()).toEqual(names.toSorted());
    },
    30_000,
  );

  it('passes its flags on, and ends with 0 where all went well, else with 1', async () => {
    const file = join(folder, 'a.yaml');
    const text = 'kind: Pod\napiVersion: v1\nspec: {containers: [{image: a/b:1}]}\n';
    await writeFile(file, text);
    expect(await run(file)).toMatchObject({ ends: [1], err: expect.stringContaining('not there') });

    const set = [`--set=a/b=${digest('a')}`, `--set=c=${digest('b')}`];
    const { ends, err } = await run(
      ...set,
      '--from-any-tag',
      '--reference-form=tag-and-digest',
      file,
    );
    expect(ends).toEqual([0]);
    expect(err).toContain('unused: docker.io/library/c@');
    expect(await readFile(file, 'utf8')).toBe(text.replace('b:1', `b:1@${digest('a')}`));
  });

  it('asks the registries of the images once for each tag, but for those that are skipped', async () => {
    const headers = { 'docker-content-digest': digest('d') };
    await using registry = await startRegistry([{ when: { method: 'HEAD' }, headers }]);
    const { host, port } = registry;
    const file = join(folder, 'real.yaml');
    const images = [`${host}/a:1`, `${host}/a:1`, `localhost:${port}/b:1`, 'kind.local/c'];
    await writeFile(file, podOf(images));
    const { code, stderr } = await runTagpin(['pin', file], { HOME: folder });
    const pinned = `${host}/a@${digest('d')}`;
    expect(await readFile(file, 'utf8')).toBe(podOf([pinned, pinned, ...images.slice(2)]));
    expect(code).toBe(0);
    expect(stderr).toContain(
      "left alone by localhost:*/* of --skip, which has defaults: --skip '' asks",
    );
    expect(stderr).toContain('2 pinned, 2 skipped');
    expect(registry.requests.map(({ path }) => path)).toEqual(['/v2/a/manifests/1']);
    const all = await runTagpin(['pin', '--skip=kind.local/*', file], { HOME: folder });
    expect(all.stderr).toContain('1 pinned, 2 already pinned, 1 skipped');
    expect(all.stderr).toContain('left alone by kind.local/* of --skip');
    await writeFile(file, podOf([`localhost:${port}/b:1`]));
    const none = await runTagpin(['pin', '--skip', '', file], { HOME: folder });
    expect(none.stderr).toContain('1 image in 1 file: 1 pinned');
  });

  it('opens no registry where digests are given, and ends with 2 where it cannot be opened', async () => {
    const file = join(folder, 'offline.yaml');
    await writeFile(file, 'kind: Pod\napiVersion: v1\nspec: {containers: [{image: a/b:1}]}\n');
    const broken = { HOME: folder, TAGPIN_DOCKER_CONFIG: '/nowhere' };
    const [asked, given] = await Promise.all([
      runTagpin(['pin', '--dry-run', file], broken),
      runTagpin(['pin', '--dry-run', `--set=a/b:1=${digest('a')}`, file], broken),
    ]);
    expect(asked).toMatchObject({ code: 2, stderr: expect.stringContaining('/nowhere') });
    expect(given).toMatchObject({ code: 0, stdout: expect.stringContaining(`a/b@${digest('a')}`) });
  });

  it('refuses a flag that it does not know', async () => {
    await expect(run('--reference-form=x', '-')).rejects.toThrow('Allowed choices');
  });
});
