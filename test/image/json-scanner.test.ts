import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';

import { JsonScanner } from '../../src/image/json-scanner.ts';

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function isAccepted(text: string): boolean {
  const scanner = new JsonScanner(encode(text));
  try {
    scanner.skipValue();
    scanner.skipToEnd();
    return true;
  } catch (caught) {
    if (caught instanceof SyntaxError) return false;
    throw caught;
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Pieces of JSON, and of what nearly is: strings of them are broken in every way. */
const PIECES =
  '{ } [ ] , : " "a" "\\ \\u00e9 \\u00g \\" \\x \\/ true false null nul - 0 1 01 .5 1. -0.5 e E+ 1e9 1e \t \u00a0 \ufeff \n \u0001 é 😀';

describe('JsonScanner.skipValue()', () => {
  it.each([
    '',
    ' ',
    '1 2',
    '[1,]',
    '[,1]',
    '[1 2]',
    '{"a":1,}',
    '{"a"}',
    '{"a":}',
    '{a:1}',
    '{1:1}',
    '{]',
    '[}',
    '[{]}',
    '[[]',
    '[]]',
    '"a',
    '"\\',
    '"\\u12"',
    '"\\u12g4"',
    '"\n"',
    '"\u0000"',
    '-',
    '01',
    '1.',
    '.5',
    '1e',
    '1e+',
    '+1',
    'tru',
    'truex',
    'nulll',
    'NaN',
    '\ufeff1',
    '\u00a01',
    '/**/1',
    '[1]\u0000',
  ])('refuses %j, as JSON.parse does', (text) => {
    expect([isAccepted(text), isJson(text)]).toStrictEqual([false, false]);
  });

  it.each([
    '0',
    '-0',
    '-0.5e-7',
    '1E+9',
    ' \t\r\n1 \t\r\n',
    '""',
    '"\\"\\\\\\/\\b\\f\\n\\r\\t\\uD83d\\u00Ff"',
    '"\u007f\u2028é😀"',
    '[]',
    '{}',
    '[[],{},[{}]]',
    '{"a":{"b":[{"c":null},true,false]},"a":[ ] , "" : { } }',
  ])('accepts %j, as JSON.parse does', (text) => {
    expect([isAccepted(text), isJson(text)]).toStrictEqual([true, true]);
  });

  it('accepts what JSON.parse accepts, and nothing else', () => {
    const pieces = fc
      .array(fc.constantFrom(...PIECES.split(' '), ' '), { maxLength: 12 })
      .map((parts) => parts.join(''));
    const spoilt = fc
      .tuple(fc.json(), fc.nat(), fc.nat(2), fc.constantFrom('', ...PIECES.split(' ')))
      .map(([text, place, count, piece]) => {
        const at = place % (text.length + 1);
        return text.slice(0, at) + piece + text.slice(at + count);
      });
    fc.assert(
      fc.property(fc.oneof(fc.json(), spoilt, pieces), (text) => {
        expect(isAccepted(text)).toBe(isJson(text));
      }),
      { numRuns: 5000 },
    );
  });

  it.each([
    ['[', ']'],
    ['{"a":', '}'],
  ])('goes 10,000 %s deep, and no deeper', (open, close) => {
    const nested = (depth: number): string => `${open.repeat(depth)}1${close.repeat(depth)}`;
    expect(isAccepted(nested(10_000))).toBe(true);
    expect(isAccepted(nested(10_001))).toBe(false);
    // What has ended counts no longer.
    expect(isAccepted(`[${nested(9999)},${nested(9999)}]`)).toBe(true);
  });
});

describe('JsonScanner.skipObject()', () => {
  it('tells where each member is', () => {
    const text = ' { "a" : 1 ,"":[2,{"b":3}]\n,"a":"x" } ';
    const told: string[] = [];
    const scanner = new JsonScanner(encode(text));
    scanner.skipObject(({ keyStart, keyEnd, start, end }) => {
      told.push(`${text.slice(keyStart, keyEnd)}=${text.slice(start, end)}`);
    });
    scanner.skipToEnd();
    expect(told).toStrictEqual(['"a"=1', '""=[2,{"b":3}]', '"a"="x"']);
  });
});
