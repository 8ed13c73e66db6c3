import { execFile } from 'node:child_process';
import { readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { createProgram } from '../../src/commands/program.ts';
import { SUMMARIES } from '../../src/commands/summaries.ts';
import { Files } from '../support/files.ts';
import { idleParts } from '../support/idle-parts.ts';
import { runTagpin } from '../support/process.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const run = promisify(execFile);

let files: Files;
/** `tagpin` as npm and kubectl know it: under the name of a link. */
let plugin: string;

beforeAll(() => {
  files = new Files();
  plugin = files.at('kubectl-tagpin');
  symlinkSync(join(ROOT, 'src', 'main.ts'), plugin);
});
afterAll(() => files[Symbol.asyncDispose]());

async function helpOf(...words: readonly string[]): Promise<string> {
  const { stdout } = await run(process.execPath, [plugin, ...words, '--help']);
  return stdout;
}

describe('the plugin of kubectl', () => {
  it('is a second name of the same program', () => {
    const { bin } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { bin: object };
    expect(bin).toEqual({ tagpin: 'dist/main.js', 'kubectl-tagpin': 'dist/main.js' });
  });

  it('calls itself in its help as it is called', async () => {
    const [program, resolve, explain] = await Promise.all([
      helpOf(),
      helpOf('resolve'),
      helpOf('explain'),
    ]);
    expect(program).toContain('Usage: kubectl tagpin [options] [command]');
    expect(resolve).toContain('Usage: kubectl tagpin resolve [options]');
    expect(resolve).toContain('\n  kubectl tagpin resolve nginx:1.27 ');
    expect(program + resolve + explain).not.toMatch(/(?<!kubectl )tagpin (resolve|explain|pin)\b/);
    // Prose stays as it is.
    expect(explain.replaceAll(/\s+/g, ' ')).toContain('the identity that tagpin has there');
  });

  it('is called so by nothing else', async () => {
    const { stdout } = await runTagpin(['resolve', '--help']);
    expect(stdout).toContain('Usage: tagpin resolve [options]');
    expect(stdout).not.toContain('kubectl tagpin');
  });
});

describe('createProgram()', () => {
  it.each([
    [['resolve', '--none'], "tagpin: unknown option '--none'"],
    [['blob'], "tagpin: missing required argument 'REPO@DIGEST'"],
    [['none'], "tagpin: unknown command 'none'"],
    [['help', 'none'], "tagpin: unknown command 'none'"],
  ])('tells mistakes as all errors are told: %j', async (words, message) => {
    const { code, stderr } = await runTagpin(words);
    expect({ code, line: stderr.split('\n')[0] }).toEqual({ code: 2, line: message });
  });

  it.each(['version', '-v'])('leads from %s to the version', async (word) => {
    const { code, stderr } = await runTagpin([word]);
    expect(stderr).toContain('(Did you mean tagpin --version?)');
    expect(code).toBe(2);
  });

  it('fits 80 columns with its flags and their texts', async () => {
    const { commands } = await createProgram(idleParts());
    for (const command of commands) {
      const lines = command.helpInformation().split('\n');
      // Lists of names, such as those of --skip, have no space to be broken at.
      const wide = lines.filter((line) => line.length > 80 && line.trim().includes(' '));
      expect([command.name(), wide]).toEqual([command.name(), []]);
    }
  });

  it.each([
    ['the one that is called', ['pin', 'deploy.yaml'], ['pin']],
    ['the one that help is asked for', ['help', 'check'], ['check']],
    ['none for the help of the program', ['--help'], []],
    ['none for a word that is no command', ['nope'], []],
  ])('gives options to %s', async (_which, words, expected) => {
    const { commands } = await createProgram(idleParts(), words);
    expect(commands.filter(({ options }) => options.length > 0).map((one) => one.name())).toEqual(
      expected,
    );
    expect(commands.map((one) => one.name())).toEqual(Object.keys(SUMMARIES));
  });

  it('gives options to all where all are wanted', async () => {
    for (const words of [undefined, ['completion', 'bash']]) {
      // oxlint-disable-next-line no-await-in-loop -- one program after the other
      const { commands } = await createProgram(idleParts(), words);
      const bare = commands.filter(({ options }) => options.length === 0);
      expect(bare.map((one) => one.name())).toEqual(['completion']);
    }
  });
});
