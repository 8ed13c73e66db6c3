import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';

import { writeYaml } from '../../src/files/yaml.ts';

const UNPRINTABLE = [
  ['a control character', 'a\u001B[2Jb'],
  ['a control character of the second set', 'a\u009B31m'],
  ['a carriage return', 'a\rb'],
  ['a character that turns the text round', 'a\u202Eb'],
  ['one beyond the first plane', 'a\u{E0001}b'],
  ['a line separator', 'a\u2028b'],
  ['several lines', `${'long '.repeat(30)}\n\u0085 and\n  more\n`],
] as const;

describe('writeYaml()', () => {
  it.each(UNPRINTABLE)('escapes %s in values and keys, and says the same', (_, text) => {
    const value = { first: text, list: ['plain', { [text]: text }], count: 1, none: null };
    const written = writeYaml(value);
    expect(written.replaceAll('\n', '')).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u);
    expect(parse(written)).toEqual(value);
  });

  it('quotes nothing else', () => {
    expect(writeYaml({ name: 'Zoë 語', list: ['a b', '1'] })).toBe(
      'name: Zoë 語\nlist:\n  - a b\n  - "1"\n',
    );
  });
});
