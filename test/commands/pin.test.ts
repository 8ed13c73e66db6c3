import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Command } from 'commander';

import { addPinCommand } from '../../src/commands/pin.ts';
import { PinError } from '../../src/errors.ts';
import { digest } from '../support/admission.ts';
import { recordedStreams } from '../support/streams.ts';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tagpin-command-'));
});
afterAll(() => rm(folder, { recursive: true }));

function digestOf(): Promise<never> {
  return Promise.reject(new PinError('not_found', 'not there'));
}

async function run(...args: string[]): Promise<{ ends: number[]; err: string }> {
  const ends: number[] = [];
  const streams = recordedStreams();
  const program = new Command().exitOverride().configureOutput({ writeErr: () => {} });
  addPinCommand(program, {
    ports: () => Promise.resolve({ streams, digestOf }),
    end: (code) => ends.push(code),
  });
  await program.parseAsync(['pin', ...args], { from: 'user' });
  return { ends, err: streams.written.err };
}

describe('tagpin pin', () => {
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

  it('refuses a flag that it does not know', async () => {
    await expect(run('--reference-form=x', '-')).rejects.toThrow('Allowed choices');
  });
});
