import { describe, expect, it } from '@jest/globals';

import { parseSkip } from '../../src/workload/skip.ts';

describe('parseSkip()', () => {
  it.each([
    ['true', ['web', 'volume/data', '']],
    ['  true\n', ['web']],
    ['web', ['web']],
    ['web,db', ['web', 'db']],
    [' db , web ', ['web', 'db']],
    ['volume/data', ['volume/data']],
    ['true,web', ['true', 'web']],
    ['__proto__,web', ['__proto__', 'web']],
    [`${'x,'.repeat(30_000)}web`, ['web']],
  ])('names with %.20j the images of %j', (text, keys) => {
    const skips = parseSkip(text);
    expect(keys.filter((key) => !skips(key))).toEqual([]);
  });

  it.each([
    ['', ['web', '']],
    ['false', ['web']],
    ['TRUE', ['web']],
    ['1', ['web']],
    ['"true"', ['web']],
    ['["web"]', ['web']],
    ['web;db', ['web', 'db']],
    [',,', ['', 'web']],
    ['we', ['web']],
    ['data', ['volume/data']],
    ['constructor', ['web', '__proto__', 'toString']],
    [`${'x,'.repeat(40_000)}web`, ['web']],
    [undefined, ['web']],
    [null, ['web']],
    [true, ['web']],
    [['web'], ['web']],
  ])('names with %.20j none of %j', (text, keys) => {
    const skips = parseSkip(text);
    expect(keys.filter((key) => skips(key))).toEqual([]);
  });
});
