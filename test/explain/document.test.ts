import { describe, expect, it } from '@jest/globals';

import { readExplanation, type ToldLookUp, writeExplanation } from '../../src/explain/document.ts';
import type { Step } from '../../src/explain/step.ts';

const WEBHOOK = { version: '1.2.3', replica: 'tagpin-0', mode: 'pin' } as const;
const MISS: Step = { atMs: 1, step: 'cache', result: 'miss' };

function lookUp(more: Partial<ToldLookUp> = {}): ToldLookUp {
  return {
    report: { image: 'a:1', outcome: 'pinned', result: 'a@sha256:0', ageMs: 5, stale: false },
    steps: [MISS],
    pod: { allowed: true, image: 'a@sha256:0', warnings: ['one'] },
    ...more,
  };
}

describe('writeExplanation()', () => {
  it('writes what readExplanation() reads, each step with its words', () => {
    const told = lookUp();
    expect(readExplanation(writeExplanation(WEBHOOK, told))).toEqual({
      webhook: WEBHOOK,
      refused: undefined,
      report: told.report,
      pod: told.pod,
      steps: [
        {
          atMs: 1,
          title: 'cache',
          text: 'nothing is known: this process asks for the first time',
          step: { step: 'cache', result: 'miss' },
        },
      ],
      stepsLeftOut: 0,
    });
  });

  it('writes why there is none', () => {
    const refused = { reason: 'forbidden', message: 'no', advice: 'ask' };
    expect(readExplanation(writeExplanation(WEBHOOK, refused))).toMatchObject({
      refused,
      report: undefined,
      steps: [],
    });
  });

  it('is never long, whatever a tenant has put into it', () => {
    const long = '\u0001'.repeat(100_000);
    const message = `m${long}`;
    const steps = [...Array(500).keys()].map((): Step => ({ atMs: 0, step: 'warning', message }));
    const report = { image: long, outcome: 'failed', reason: long, message, advice: long } as const;
    const warnings = Array<string>(500).fill(long);
    const text = writeExplanation(WEBHOOK, {
      report,
      steps,
      pod: { allowed: false, message, warnings },
    });
    expect(Buffer.byteLength(text)).toBeLessThan(128 * 1024);
    const read = readExplanation(text);
    expect(read?.steps.length).toBeGreaterThan(0);
    expect(read?.stepsLeftOut).toBe(500 - (read?.steps.length ?? 0));
    expect(read?.steps[0]).not.toHaveProperty('step');
  });
});

describe('readExplanation()', () => {
  it.each([
    ['no JSON', '{'],
    ['another thing', '[]'],
    ['another version', JSON.stringify({ version: 2, webhook: {} })],
    ['nobody', JSON.stringify({ version: 1 })],
  ])('takes %s for no explanation', (_, text) => {
    expect(readExplanation(text)).toBeUndefined();
  });

  it('leaves out what is no step', () => {
    const steps = [null, { atMs: 'x' }, { atMs: 1, title: 't', text: 'u' }];
    const text = JSON.stringify({ version: 1, webhook: {}, steps });
    expect(readExplanation(text)?.steps).toEqual([{ atMs: 1, title: 't', text: 'u' }]);
  });
});
