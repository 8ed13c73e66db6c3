import { describe, expect, it } from '@jest/globals';

import { parseRetryAfterMs } from '../../src/registry/retry-after.ts';

const NOW_MS = Date.UTC(2026, 0, 2, 3, 4, 5);

describe('parseRetryAfterMs()', () => {
  it.each<[string | undefined, number | undefined]>([
    ['0', 0],
    ['1', 1000],
    [' 120 ', 120_000],
    ['3600', 3_600_000],
    ['999999999', 3_600_000],
    ['Fri, 02 Jan 2026 03:04:35 GMT', 30_000],
    ['Fri, 02 Jan 2026 03:04:04 GMT', 0],
    ['Fri, 02 Jan 2099 03:04:05 GMT', 3_600_000],
    [undefined, undefined],
    ['', undefined],
    ['0.5', undefined],
    ['-1', undefined],
    ['1e3', undefined],
    ['812.183µs', undefined],
    ['1, 2', undefined],
    ['12345678901', undefined],
    ['2026-01-02T03:04:35Z', undefined],
    ['Fri, 99 Foo 2026 99:99:99 GMT', undefined],
  ])('reads %j as %j', (text, waitMs) => {
    expect(parseRetryAfterMs(text, NOW_MS)).toBe(waitMs);
  });
});
