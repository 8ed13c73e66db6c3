import { describe, expect, it } from '@jest/globals';

import { trendOf } from '../../e2e/bench/trend.ts';

function pointsOf(...values: readonly number[]): (readonly [number, number])[] {
  return values.map((value, time) => [time, value] as const);
}

describe('trendOf()', () => {
  it('finds the slope of points on a line, and is sure of it', () => {
    const { slope, uncertainty } = trendOf(pointsOf(5, 7, 9, 11));
    expect(slope).toBeCloseTo(2);
    expect(uncertainty).toBeCloseTo(0);
  });

  // By hand: the squares of what is left sum to 3.6, and t(0.975, 3) = 3.182: 3.182 × √(3.6 / 3 / 10).
  it('tells how far from it the truth may be', () => {
    const { slope, uncertainty } = trendOf(pointsOf(1, 3, 2, 5, 4));
    expect(slope).toBeCloseTo(0.8);
    expect(uncertainty).toBeCloseTo(1.102, 2);
  });

  it('sees no trend in noise', () => {
    const { slope, uncertainty } = trendOf(pointsOf(1, -1, 1, -1, 1, -1, 1, -1, 1));
    expect(Math.abs(slope)).toBeLessThan(uncertainty);
  });

  it('needs three points', () => {
    expect(() => trendOf(pointsOf(1, 2))).toThrow('A trend needs three points');
  });
});
