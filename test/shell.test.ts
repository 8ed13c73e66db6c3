import { execFileSync } from 'node:child_process';

import { describe, expect, it } from '@jest/globals';

import { commandOf, quotedWord } from '../src/shell.ts';

const WORDS = [
  ['plain words', ['a', '--b=c/d:1', 'x.y']],
  ['quotes', ["it's", '"so"', '']],
  ['what a shell would run', ['$(id)', '`id`', 'a;b', 'a&&b', '!x', '~', '*']],
  ['lines and blanks', ['a\nb', ' c ', '\\']],
] as const;

describe('commandOf()', () => {
  it.each(WORDS)('gives a shell these words as they are: %s', (_what, words) => {
    const out = execFileSync('sh', ['-c', commandOf('printf', String.raw`%s\0`, ...words)]);
    expect(out.toString().split('\0').slice(0, -1)).toEqual(words);
  });

  it('quotes nothing that needs no quotes', () => {
    expect(commandOf('kubectl', 'get', 'pods/a', "it's")).toBe(`kubectl get pods/a 'it'\\''s'`);
  });
});

describe('quotedWord()', () => {
  it.each(WORDS)('gives a shell each of these as one word: %s', (_what, words) => {
    const script = String.raw`printf '%s\0' ${words.map(quotedWord).join(' ')}`;
    expect(execFileSync('sh', ['-c', script]).toString().split('\0').slice(0, -1)).toEqual(words);
  });
});
