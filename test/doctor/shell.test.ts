import { execFileSync } from 'node:child_process';
import { describe, expect, it } from '@jest/globals';

import { commandOf, patchCommand } from '../../src/doctor/shell.ts';

describe('commandOf()', () => {
  it.each([
    ['plain words', ['a', '--b=c/d:1', 'x.y']],
    ['quotes', ["it's", '"so"', '']],
    ['what a shell would run', ['$(id)', '`id`', 'a;b', 'a&&b', '!x', '~', '*']],
    ['lines and blanks', ['a\nb', ' c ', '\\']],
  ])('gives a shell these words as they are: %s', (_what, words) => {
    const out = execFileSync('sh', ['-c', commandOf('printf', String.raw`%s\0`, ...words)]);
    expect(out.toString().split('\0').slice(0, -1)).toEqual(words);
  });
});

describe('patchCommand()', () => {
  it('brings a patch through the shell whole', () => {
    const patch = [{ op: 'add', path: '/a', value: "'x' in y" }] as const;
    const words = patchCommand('kind', 'name', patch).replace(
      /^kubectl/,
      String.raw`printf '%s\n'`,
    );
    const last = execFileSync('sh', ['-c', words]).toString().trimEnd().split('\n').at(-1);
    expect(last).toBe(`--patch=${JSON.stringify(patch)}`);
  });
});
