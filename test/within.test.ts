import { describe, expect, it } from '@jest/globals';

import { within } from '../src/within.ts';

const NEVER = new Promise<string>(() => {});

const late = (): string => 'late';

describe('within()', () => {
  it('gives what comes in time, and what fails in time fails', async () => {
    expect(await within(60_000, Promise.resolve('here'), late)).toBe('here');
    const failure = new Error('it failed');
    await expect(within(60_000, Promise.reject(failure), late)).rejects.toBe(failure);
  });

  it.each([0, -1, 1])('gives something else after %d ms, or throws it', async (limitMs) => {
    expect(await within(limitMs, NEVER, late)).toBe('late');
    const error = new Error('too late');
    const thrown = within(limitMs, NEVER, () => {
      throw error;
    });
    await expect(thrown).rejects.toBe(error);
  });

  it('hears nothing of a failure that comes too late', async () => {
    const { promise, reject } = Promise.withResolvers<string>();
    expect(await within(0, promise, late)).toBe('late');
    reject(new Error('nobody waits any more'));
    // A rejection that nobody handles would end this process by the next turn.
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
    await expect(promise).rejects.toThrow('nobody waits any more');
  });
});
