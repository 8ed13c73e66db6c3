import { describe, expect, it } from '@jest/globals';

import { type Quota, quotaOf } from '../../src/registry/quota.ts';

function read(headers: Readonly<Record<string, string | string[]>>): Quota | undefined {
  return quotaOf((name) => [headers[name] ?? []].flat());
}

describe('quotaOf()', () => {
  it('reads what Docker Hub tells', () => {
    const headers = { 'ratelimit-limit': '100;w=21600', 'ratelimit-remaining': '76;w=21600' };
    expect(read(headers)).toEqual({ remaining: 76, limit: 100, windowS: 21_600 });
  });

  it.each<[string, Readonly<Record<string, string>>, Quota]>([
    [
      'no window',
      { 'ratelimit-limit': '100', 'ratelimit-remaining': '0' },
      { remaining: 0, limit: 100, windowS: undefined },
    ],
    [
      'no limit',
      { 'ratelimit-remaining': '7;w=60' },
      { remaining: 7, limit: undefined, windowS: 60 },
    ],
    [
      'a window of the limit alone',
      { 'ratelimit-limit': '10;w=1', 'ratelimit-remaining': '9' },
      { remaining: 9, limit: 10, windowS: 1 },
    ],
    [
      'policies behind the limit, and other parameters',
      { 'ratelimit-limit': '10;burst=5;w=1, 50;w=60', 'ratelimit-remaining': ' 9 ' },
      { remaining: 9, limit: 10, windowS: 1 },
    ],
    [
      'a limit that is none',
      { 'ratelimit-limit': 'plenty', 'ratelimit-remaining': '9' },
      { remaining: 9, limit: undefined, windowS: undefined },
    ],
  ])('takes %s', (_what, headers, expected) => {
    expect(read(headers)).toEqual(expected);
  });

  it.each<[string, string | string[]]>([
    ['nothing', []],
    ['an empty text', ''],
    ['a negative number', '-1'],
    ['a part of a number', '1.5'],
    ['a number with letters', '7x'],
    ['a number that is too long', '1234567890'],
    ['a window that is none', '7;w=x'],
    ['two of them', ['7', '8']],
    ['a long text', `7;${'x'.repeat(1000)}`],
  ])('takes %s for no quota', (_what, remaining) => {
    expect(read({ 'ratelimit-limit': '100', 'ratelimit-remaining': remaining })).toBeUndefined();
  });
});
