import { describe, expect, it } from '@jest/globals';

import { fitsBeside } from '../../src/workload/annotations-size.ts';

const LIMIT = 256 * 1024;
const NAME = 'a.b/c';

describe('fitsBeside()', () => {
  const left = LIMIT - NAME.length;

  it.each<[string, Readonly<Record<string, unknown>>, string, boolean]>([
    ['nothing', {}, 'x'.repeat(left), true],
    ['nothing, and is one byte too long', {}, 'x'.repeat(left + 1), false],
    ['another', { other: 'y' }, 'x'.repeat(left - 'othery'.length), true],
    ['another, and is one byte too long', { other: 'y' }, 'x'.repeat(left - 5), false],
    ['one of its own name, which gives way', { [NAME]: 'y'.repeat(left) }, 'x'.repeat(left), true],
    ['what is no annotation', { other: 7 }, 'x'.repeat(left), true],
    ['nothing, counted in bytes', {}, 'ä'.repeat(left / 2 + 1), false],
  ])('counts all of them together: beside %s', (...[, present, value, expected]) => {
    expect(fitsBeside(present, NAME, value)).toBe(expected);
  });
});
