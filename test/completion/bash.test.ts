import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { promisify } from 'node:util';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { Files } from '../support/files.ts';
import { runTagpin } from '../support/process.ts';

const run = promisify(execFile);

let files: Files;
let script: string;

beforeAll(async () => {
  files = new Files();
  const { stdout } = await runTagpin(['completion', 'bash']);
  script = files.write('tagpin.bash', stdout);
  files.write('here/pod.yaml', '');
  files.write('here/a name.yaml', '');
  await mkdir(files.at('here/deploy'));
});
afterAll(() => files[Symbol.asyncDispose]());

/** What bash offers for the last of these words, as readline would call it. */
async function offered(...words: readonly string[]): Promise<string[]> {
  const driver = [
    `source ${JSON.stringify(script)}`,
    'COMP_WORDS=("$@")',
    'COMP_CWORD=$(( $# - 1 ))',
    // What the script registered for the first word, not a name that this test knows.
    'spec=$(complete -p "$1")',
    '[[ $spec =~ -F\\ ([^\\ ]+) ]]',
    '"${BASH_REMATCH[1]}" "$1" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"',
    'printf "%s\\n" "${COMPREPLY[@]}"',
  ].join('\n');
  const { stdout, stderr } = await run('bash', ['--norc', '-c', driver, 'bash', ...words], {
    cwd: files.at('here'),
  });
  expect(stderr).toBe('');
  return stdout.split('\n').filter((line) => line !== '');
}

describe('tagpin completion bash', () => {
  it.each([
    ['commands', ['tagpin', 're'], ['resolve']],
    ['commands of the plugin of kubectl', ['kubectl-tagpin', 'comp'], ['completion']],
    ['commands behind help', ['tagpin', 'help', 'che'], ['check']],
    ['help itself', ['tagpin', 'hel'], ['help']],
    ['flags of the program', ['tagpin', '--ver'], ['--version']],
    ['flags of a command', ['tagpin', 'resolve', '--digest'], ['--digest-only']],
    ['flags behind an operand', ['tagpin', 'pin', 'a.yaml', '--dry'], ['--dry-run']],
    ['nothing of another command', ['tagpin', 'resolve', '--dry'], []],
    ['what is to be chosen from', ['tagpin', 'resolve', '-o', ''], ['text', 'json', 'yaml']],
    ['one of them', ['tagpin', 'check', '--format', 's'], ['sarif']],
    ['one behind =', ['tagpin', 'check', '--format', '=', 'j'], ['json']],
    ['all behind =', ['tagpin', 'serve', '--log-level', '='], ['info', 'warn', 'error', 'silent']],
    ['those of a setting', ['tagpin', 'explain', '--short-names', 'r'], ['refuse']],
    ['those of an operand', ['tagpin', 'completion', ''], ['bash', 'zsh']],
    ['files for an operand', ['tagpin', 'check', 'po'], ['pod.yaml']],
    ['folders for it too', ['tagpin', 'pin', 'dep'], ['deploy']],
    ['files for a flag', ['tagpin', 'pin', '--lock', 'p'], ['pod.yaml']],
    ['a name with a space whole', ['tagpin', 'pin', 'a'], ['a name.yaml']],
    ['folders alone where one is wanted', ['tagpin', 'pin', '--output', ''], ['deploy']],
    ['nothing for a value that may be anything', ['tagpin', 'resolve', '--username', 'p'], []],
    ['nothing for an image', ['tagpin', 'resolve', 'p'], []],
  ])('offers %s', async (_, words, wanted) => {
    expect(await offered(...words)).toEqual(wanted);
  });

  it('offers every command that the help lists, and every flag', async () => {
    const { stdout: help } = await runTagpin(['--help']);
    const listed = [...(help.split('Commands:')[1]?.matchAll(/^ {2}([a-z]+)/gm) ?? [])].map(
      ([, name = '']) => name,
    );
    expect(listed.length).toBeGreaterThan(8);
    expect(await offered('tagpin', '')).toEqual(listed);
    const { stdout: ofPin } = await runTagpin(['pin', '--help']);
    const flags = [...ofPin.matchAll(/^ {2}(?:-\w, )?(--[a-z-]+)/gm)].map(([, flag = '']) => flag);
    expect(flags.length).toBeGreaterThan(15);
    expect(await offered('tagpin', 'pin', '--')).toEqual(flags);
  });

  it('refuses another shell', async () => {
    const { code, stderr } = await runTagpin(['completion', 'fish']);
    expect(code).toBe(2);
    expect(stderr).toContain('Allowed choices are bash, zsh');
  });
});
