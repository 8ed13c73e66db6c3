import { describe, expect, it } from '@jest/globals';

import { createTurns } from '../../src/credentials/turns.ts';

describe('createTurns()', () => {
  it('lets so many act at once, and the others in their order', async () => {
    const inTurn = createTurns(2);
    const started: number[] = [];
    const ends: (() => void)[] = [];
    const acts = [0, 1, 2, 3].map((n) =>
      inTurn(async () => {
        started.push(n);
        await new Promise<void>((resolve) => ends.push(resolve));
        return n;
      }),
    );
    expect(started).toEqual([0, 1]);
    ends[1]?.();
    expect(await acts[1]).toBe(1);
    expect(started).toEqual([0, 1, 2]);
    ends[0]?.();
    await acts[0];
    expect(started).toEqual([0, 1, 2, 3]);
    ends[2]?.();
    ends[3]?.();
    expect(await Promise.all(acts)).toEqual([0, 1, 2, 3]);
  });

  it('passes a place on after a failure', async () => {
    const inTurn = createTurns(1);
    const failed = inTurn(() => Promise.reject(new Error('no')));
    const next = inTurn(async () => 'yes');
    await expect(failed).rejects.toThrow('no');
    expect(await next).toBe('yes');
    expect(await inTurn(async () => 'again')).toBe('again');
  });
});
