import { describe, expect, it } from '@jest/globals';

import { ago, milliseconds, span } from '../../src/debug/span.ts';

describe('span()', () => {
  it.each([
    [0, '0 s'],
    [59_999, '59 s'],
    [60_000, '1 min'],
    [3_600_000, '1 h 0 min'],
    [47.9 * 3_600_000, '47 h 54 min'],
    [48 * 3_600_000, '2 days'],
  ])('writes %i ms as %j', (ms, text) => {
    expect(span(ms)).toBe(text);
  });
});

describe('ago()', () => {
  it.each([
    [-5, 'just now'],
    [999, 'just now'],
    [1000, '1 s ago'],
  ])('writes %i ms as %j', (ms, text) => {
    expect(ago(ms)).toBe(text);
  });
});

describe('milliseconds()', () => {
  it.each([
    [0.314, '0.31 ms'],
    [12.34, '12.3 ms'],
    [1234.5, '1235 ms'],
  ])('writes %d as %j', (ms, text) => {
    expect(milliseconds(ms)).toBe(text);
  });
});
