import { describe, expect, it } from '@jest/globals';

import { isBounded, memoryOf } from '../../e2e/soak/figures.ts';
import type { Sample } from '../../e2e/soak/replicas.ts';

const MIB = 1024 * 1024;

/** Looked at every 2 s, from a first figure on. */
function lifeOf(
  pid: number,
  { seconds, first, growth }: Readonly<Record<'seconds' | 'first' | 'growth', number>>,
): Sample[] {
  return Array.from({ length: seconds / 2 }, (_, n) => ({
    atMs: n * 2000,
    pid,
    rssBytes: (first + (growth * n) / 30) * MIB,
    lagMs: 1,
  }));
}

describe('memoryOf', () => {
  it('gives the trend of the replica that lived longest, after its first minutes', () => {
    const long = lifeOf(1, { seconds: 600, first: 150, growth: 2 });
    const short = lifeOf(2, { seconds: 40, first: 90, growth: 300 });
    const { trendMiBPerMinute, mostMiB } = memoryOf([...short, ...long]);
    expect(trendMiBPerMinute?.slope).toBeCloseTo(2);
    expect(mostMiB).toBeCloseTo(280);
  });

  it('gives no trend of one that has just been started', () => {
    const short = lifeOf(2, { seconds: 150, first: 90, growth: 60 });
    expect(memoryOf(short).trendMiBPerMinute).toBeUndefined();
  });

  it('gives no trend of nothing', () => {
    expect(memoryOf([])).toEqual({ mostMiB: 0, trendMiBPerMinute: undefined });
  });
});

describe('isBounded', () => {
  it.each([
    [399, true],
    [401, false],
  ])('of %i MiB is %s', (mostMiB, bounded) => {
    expect(isBounded({ mostMiB, trendMiBPerMinute: undefined })).toBe(bounded);
  });
});
