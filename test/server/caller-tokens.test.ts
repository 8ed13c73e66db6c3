import { describe, expect, it } from '@jest/globals';

import { createCallerTokens } from '../../src/server/caller-tokens.ts';

const A = 'a'.repeat(64);
const B = 'b'.repeat(64);

describe('createCallerTokens()', () => {
  it.each<[string, string, boolean]>([
    ['a known token', A, true],
    ['another', B, false],
    ['one that differs in its last place', `${'a'.repeat(63)}b`, false],
    ['a part of it', A.slice(1), false],
    ['more than it', `${A}a`, false],
    ['none', '', false],
    ['as many characters, but more bytes', 'ä'.repeat(32) + 'a'.repeat(32), false],
  ])('judges %s', (_what, token, expected) => {
    const tokens = createCallerTokens({ overlapMs: 0, now: () => 0 });
    tokens.know([A]);
    expect(tokens.accepts(token)).toBe(expected);
  });

  it('accepts nothing before it knows something', () => {
    expect(createCallerTokens({ overlapMs: 0, now: () => 0 }).accepts('')).toBe(false);
  });

  it('accepts what is not known any more for the time of the overlap, and no longer', () => {
    let nowMs = 0;
    const tokens = createCallerTokens({ overlapMs: 1000, now: () => nowMs });
    tokens.know([A]);
    nowMs = 500;
    tokens.know([A]);
    nowMs = 1499;
    tokens.know([B]);
    expect([A, B].map(tokens.accepts)).toEqual([true, true]);
    nowMs = 1500;
    tokens.know([B]);
    expect([A, B].map(tokens.accepts)).toEqual([false, true]);
  });
});
