import { describe, expect, it } from '@jest/globals';

import { elapsedMs, type Moment, momentNow } from '../../src/snapshot/moment.ts';

const HOUR_MS = 3_600_000;

/** In one run of the machine, unless another is named. */
function moment(unixMs: number, uptimeMs: number, id = 'boot-1'): Moment {
  return { unixMs, boot: { id, uptimeMs } };
}

describe('elapsedMs()', () => {
  const from = moment(10 * HOUR_MS, 2 * HOUR_MS);

  it.each<[string, Moment, number | undefined]>([
    ['both agree', moment(11 * HOUR_MS, 3 * HOUR_MS), HOUR_MS],
    ['the clock went back', moment(9 * HOUR_MS, 3 * HOUR_MS), HOUR_MS],
    ['the clock went back, less than was waited', moment(10.5 * HOUR_MS, 3 * HOUR_MS), HOUR_MS],
    ['the clock went forward', moment(20 * HOUR_MS, 3 * HOUR_MS), 10 * HOUR_MS],
    ['the machine was started since', moment(11 * HOUR_MS, 60_000, 'boot-2'), HOUR_MS],
    ['it was started since, and its uptime is longer', moment(11 * HOUR_MS, 9e9, 'b'), HOUR_MS],
    ['it was started since, and the clock is behind', moment(9 * HOUR_MS, 1, 'b'), undefined],
    ['a container counts its own uptime', moment(11 * HOUR_MS, 1000), HOUR_MS],
    ['a container counts its own uptime, and the clock is behind', moment(1, 1000), undefined],
    ['no time has passed', from, 0],
    ['no uptime is told now', { unixMs: 11 * HOUR_MS, boot: undefined }, HOUR_MS],
    ['no uptime is told, and the clock is behind', { unixMs: 1, boot: undefined }, undefined],
  ])('is never too short where %s', (_what, to, expected) => {
    expect(elapsedMs(from, to)).toBe(expected);
  });
});

describe('momentNow()', () => {
  it('has the clock, and on Linux which run of the machine this is', () => {
    const before = Date.now();
    const { unixMs, boot } = momentNow();
    expect(unixMs).toBeGreaterThanOrEqual(before);
    expect(boot?.id).toMatch(/^[0-9a-f-]{36}$/);
    expect(boot?.uptimeMs).toBeGreaterThan(0);
    expect(momentNow().boot?.id).toBe(boot?.id);
  });
});
