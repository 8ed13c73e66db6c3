import { describe, expect, it } from '@jest/globals';

import { createPressure } from '../../src/server/pressure.ts';

/** What it says after each of these turns of the event loop, in milliseconds: `!` is high. */
function after(turnsMs: readonly number[]): string {
  let nowMs = 1000;
  const ticks: (() => void)[] = [];
  const pressure = createPressure(
    () => nowMs,
    (_ms, act) => void ticks.push(act),
  );
  const said = turnsMs.map((turnMs) => {
    nowMs += turnMs;
    for (const tick of ticks) tick();
    return pressure.isHigh() ? '!' : '-';
  });
  return said.join('');
}

describe('createPressure()', () => {
  it.each<[string, number[]]>([
    ['turns as they should be', [100, 101, 120, 100]],
    ['a loop that never rests, and whose turns are short', Array<number>(100).fill(110)],
    ['one pause, however long', [100, 60_000, 100]],
    ['two pauses in a row', [100, 900, 900, 100]],
    ['pauses that come again and again', [900, 100, 900, 900, 100, 900, 100, 900, 900, 100]],
    ['turns that are slow, and not late', Array<number>(100).fill(500)],
  ])('is not high with %s', (_what, turnsMs) => {
    expect(after(turnsMs)).toMatch(/^-+$/);
  });

  it('is high with the third late turn in a row, and until one is well in time', () => {
    expect(after([100, 501, 501, 501, 700, 400, 250, 600, 249, 900])).toBe('---!!!!!--');
  });
});
