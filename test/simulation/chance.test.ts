import { describe, expect, it } from '@jest/globals';

import { Agenda } from '../../e2e/simulation/agenda.ts';
import { isInShare } from '../../e2e/simulation/images.ts';
import { createPopularity, createRandom } from '../../e2e/simulation/random.ts';

const HOUR_MS = 3_600_000;

function many<T>(count: number, make: (n: number) => T): T[] {
  return Array.from({ length: count }, (_, n) => make(n));
}

function fiveOf(seed: number, name: string): number[] {
  return many(5, createRandom(seed, name).next);
}

describe('createRandom()', () => {
  it('gives the same numbers for one seed and name, and others for another name', () => {
    expect(fiveOf(1, 'pods')).toEqual(fiveOf(1, 'pods'));
    expect(fiveOf(1, 'pods')).not.toEqual(fiveOf(1, 'jobs'));
    expect(fiveOf(1, 'pods')).not.toEqual(fiveOf(2, 'pods'));
  });

  it('waits as long as the rate says, on average', () => {
    const random = createRandom(1, 'waits');
    const sumMs = many(20_000, () => random.waitMs(60)).reduce((sum, ms) => sum + ms, 0);
    expect(sumMs / 20_000 / (HOUR_MS / 60)).toBeCloseTo(1, 1);
  });
});

describe('createPopularity()', () => {
  it('chooses the n-th as often as one in n of the first, and no other rank', () => {
    const rank = createPopularity(100, createRandom(1, 'ranks'));
    const counts = many(100, () => 0);
    for (const chosen of many(50_000, rank)) counts[chosen] = (counts[chosen] ?? Number.NaN) + 1;
    const [first = 0, second = 0, third = 0] = counts;
    expect(first / second).toBeCloseTo(2, 0);
    expect(first / third).toBeCloseTo(3, 0);
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(50_000);
  });
});

describe('isInShare()', () => {
  it.each([0, 0.25, 0.4, 1])('holds for that share of a row of numbers: %d', (share) => {
    const chosen = many(1000, (n) => isInShare(n, share)).filter(Boolean);
    expect(chosen.length / 1000).toBeCloseTo(share, 2);
  });
});

describe('Agenda', () => {
  it('lets events happen by their time, and by their order where that is the same', async () => {
    const agenda = new Agenda();
    const random = createRandom(1, 'events');
    const entered = many(500, (n) => ({ n, atMs: random.below(50) }));
    const happened: typeof entered = [];
    for (const event of entered) agenda.at(event.atMs, () => happened.push(event));
    await agenda.run(1000);
    expect(happened).toEqual(entered.toSorted((a, b) => a.atMs - b.atMs || a.n - b.n));
    expect(agenda.now()).toBe(1000);
  });

  it('leaves what is later for later', async () => {
    const agenda = new Agenda();
    const happened: number[] = [];
    for (const atMs of [10, 20]) agenda.at(atMs, () => happened.push(atMs));
    await agenda.run(15);
    expect(happened).toEqual([10]);
    await agenda.run(20);
    expect(happened).toEqual([10, 20]);
  });

  it('lets whoever waits go on before the next event', async () => {
    const agenda = new Agenda();
    const happened: string[] = [];
    const late = async (): Promise<void> => {
      await agenda.wait(5);
      happened.push(`waited until ${agenda.now()}`);
    };
    agenda.at(0, late);
    agenda.at(6, () => happened.push('next'));
    await agenda.run(10);
    expect(happened).toEqual(['waited until 5', 'next']);
  });
});
