import { describe, expect, it } from '@jest/globals';

import { printable, printableJson, printableLines, quoted } from '../../src/image/printable.ts';

const HOSTILE = 'a"\u001B[2J\u009B\u202E\n\u2028\u{E0001}\u{D800}é語';

describe('printable()', () => {
  it('writes what a terminal obeys, or shows as nothing, by its number', () => {
    expect(printable(HOSTILE)).toBe(
      'a"\\u{1b}[2J\\u{9b}\\u{202e}\\u{a}\\u{2028}\\u{e0001}\\u{d800}é語',
    );
  });
});

describe('printableLines()', () => {
  it('leaves lines and tabs', () => {
    expect(printableLines('{\n\t"a": "\u001B[2J\u009B\u202E"\r\n}')).toBe(
      '{\n\t"a": "\\u{1b}[2J\\u{9b}\\u{202e}"\\u{d}\n}',
    );
  });
});

describe('quoted()', () => {
  it('escapes quotes and backslashes too, and shortens', () => {
    expect(quoted('a"\\\u0007', 10)).toBe('"a\\"\\\\\\u{7}"');
    expect(quoted('abcdef', 3)).toBe('"abc…"');
  });
});

describe('printableJson()', () => {
  it.each([0, 2])('means the same, indented by %d', (indent) => {
    const value = { [HOSTILE]: [HOSTILE, 1, null] };
    const text = printableJson(value, indent);
    expect(text.replaceAll('\n', '')).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u);
    expect(JSON.parse(text)).toEqual(value);
    expect(text.split('\n')).toHaveLength(indent === 0 ? 1 : 7);
  });
});
