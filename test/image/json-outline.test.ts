import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';

import { outlineJson } from '../../src/image/json-outline.ts';
import { isJsonObject } from '../../src/json.ts';

const WANTED = ['a', 'mediaType', 'mediaTypes'];
const BROKEN = 'broken';

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function outline(text: string): unknown {
  return outlineJson(encode(text), WANTED);
}

function outlineOrBroken(text: string): unknown {
  try {
    return outline(text);
  } catch (caught) {
    if (caught instanceof SyntaxError) return BROKEN;
    throw caught;
  }
}

/** The same by way of the whole tree. */
function expected(text: string): unknown {
  let root: unknown;
  try {
    root = JSON.parse(text);
  } catch {
    return BROKEN;
  }
  if (!isJsonObject(root)) return undefined;
  const members = Object.entries(root).filter(([key]) => WANTED.includes(key));
  return Object.fromEntries(members.map(([key, value]) => [key, emptied(value)]));
}

function emptied(value: unknown): unknown {
  if (Array.isArray(value)) return [];
  return isJsonObject(value) ? {} : value;
}

/** Some of its letters as an escape, in both cases of the digits. */
function escaped(key: string, which: readonly boolean[]): string {
  const letters = key.split('').map((letter, index) => {
    if (which[index % which.length] !== true) return letter;
    const code = letter.charCodeAt(0).toString(16).padStart(4, '0');
    return `\\u${index % 2 === 0 ? code : code.toUpperCase()}`;
  });
  return `"${letters.join('')}"`;
}

describe('outlineJson()', () => {
  it('is what JSON.parse gives, without what lies below, for any members in any spelling', () => {
    const name = fc.constantFrom('a', 'b', 'mediaType', 'mediaTypes', 'mediaTyp', '', '__proto__');
    const key = fc
      .tuple(name, fc.array(fc.boolean(), { minLength: 1, maxLength: 4 }))
      .map(([letters, which]) => escaped(letters, which));
    const space = fc.constantFrom('', ' ', '\n\t');
    const value = fc.oneof(
      fc.json(),
      fc.json({ maxDepth: 0 }),
      fc.constantFrom('1.0e0', '-0', '"\\ud800"', '[}'),
    );
    const member = fc
      .tuple(space, key, space, value, space)
      .map(
        ([before, left, around, right, after]) =>
          before + left + around + ':' + around + right + after,
      );
    const object = fc.array(member, { maxLength: 8 }).map((all) => `{${all.join(',')}}`);
    const cut = fc.tuple(object, fc.nat(200)).map(([text, length]) => text.slice(0, length));
    fc.assert(
      fc.property(fc.oneof(object, cut, fc.json()), (text) => {
        expect(outlineOrBroken(text)).toStrictEqual(expected(text));
      }),
      { numRuns: 3000 },
    );
  });

  it('takes the last of the members with one key', () => {
    expect(outline('{"a":1,"\\u0061":[1],"a":"x"}')).toStrictEqual({ a: 'x' });
  });

  it.each(['[]', '"{}"', '1', 'null'])('is undefined for %s', (text) => {
    expect(outline(text)).toBeUndefined();
  });

  it.each<[string, readonly number[]]>([
    ['a byte that is no UTF-8', [0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]],
    ['half a surrogate in three bytes', [0x22, 0xed, 0xa0, 0x80, 0x22]],
    ['a byte order mark', [0xef, 0xbb, 0xbf, 0x7b, 0x7d]],
    ['more behind the object', [0x7b, 0x7d, 0x7d]],
  ])('throws SyntaxError for %s', (_, bytes) => {
    expect(() => outlineJson(Uint8Array.from(bytes), WANTED)).toThrow(SyntaxError);
  });

  it.each([
    ['letters', 'x'],
    ['escapes', '\\u00e9'],
    ['short escapes', '\\\\'],
    ['characters of three bytes', '€'],
    ['letters and escapes', 'xx\\u00e9\\n'],
  ])('cuts off a long text of %s, behind 255 characters at least', (_, piece) => {
    const whole: unknown = JSON.parse(`"${piece.repeat(5000)}"`);
    const found = outlineJson(encode(`{"a":"${piece.repeat(5000)}"}`), WANTED)?.['a'];
    expect(String(found).length).toBeGreaterThanOrEqual(255);
    expect(String(found).length).toBeLessThan(1600);
    // The last character may be half of one.
    expect(String(whole).startsWith(String(found).slice(0, -1))).toBe(true);
  });
});
