import { describe, expect, it } from '@jest/globals';

import type { CommandShape } from '../../src/completion/shape.ts';
import { zshScript } from '../../src/completion/zsh.ts';

const ANY = { choices: [], wants: undefined };

const PROGRAM: CommandShape = {
  name: 'prog',
  summary: '',
  options: [
    { names: ['-V', '--version'], summary: 'the version', value: undefined, isRepeatable: false },
  ],
  operands: [],
  commands: [
    {
      name: 'do',
      summary: "it's done: now",
      options: [
        {
          names: ['-o', '--format'],
          summary: 'how [to] report. At length. [TAGPIN_FORMAT]',
          value: { ...ANY, name: 'FORMAT', choices: ['text', 'a b'] },
          isRepeatable: false,
        },
        {
          names: ['--from'],
          summary: 'from where',
          value: { ...ANY, name: 'FILE', wants: 'files' },
          isRepeatable: true,
        },
        { names: ['--to'], summary: 'to', value: { ...ANY, name: 'A:B' }, isRepeatable: false },
      ],
      operands: [
        { value: { ...ANY, name: 'FOLDER', wants: 'directories' }, isVariadic: false },
        { value: { ...ANY, name: 'IMAGE' }, isVariadic: true },
      ],
      commands: [],
    },
  ],
};

describe('zshScript()', () => {
  const lines = zshScript(PROGRAM, ['prog', 'other'])
    .split('\n')
    .map((line) => line.trim().replace(/ (?:\\|;;)$/, ''));

  it.each([
    ['the names', '#compdef prog other'],
    ['the registration', 'compdef _tagpin prog other'],
    ['a command, its colon escaped', `'do:it'\\''s done\\: now'`],
    ['an option without a value', `'(-V --version)'{-V,--version}'[the version]'`],
    [
      'what is to be chosen from, and the first sentence alone',
      `'(-o --format)'{-o+,--format=}'[how \\[to\\] report]:FORMAT:(text a\\ b)'`,
    ],
    ['files, several times', `'*--from=[from where]:FILE:_files'`],
    ['a value that may be anything', `'--to=[to]:A\\:B: '`],
    ['an operand that is a folder', `'1:FOLDER:_files -/'`],
    ['operands that may be anything', `'*:IMAGE: '`],
  ])('writes %s', (_, line) => {
    expect(lines).toContain(line);
  });
});
