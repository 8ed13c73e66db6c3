import { describe, expect, it } from '@jest/globals';

import { createInterruption } from '../../src/commands/interruption.ts';

describe('createInterruption()', () => {
  it('waits for what is under way, whether it succeeds or not, and begins nothing any more', async () => {
    const { uninterrupted, interrupt } = createInterruption(() => {});
    const [one, other] = [Promise.withResolvers<string>(), Promise.withResolvers<string>()];
    const results = [uninterrupted(() => one.promise), uninterrupted(() => other.promise)];
    const settled = Promise.allSettled(results);
    let hasEnded = false;
    const end = interrupt().then(() => (hasEnded = true));
    let hasBegun = false;
    void uninterrupted(async () => (hasBegun = true));

    one.resolve('done');
    await results[0];
    expect(hasEnded).toBe(false);
    other.reject(new Error('failed'));
    await end;
    expect(await settled).toMatchObject([{ value: 'done' }, { reason: new Error('failed') }]);
    expect(hasBegun).toBe(false);
  });

  it('tells of the first work, and of no other', async () => {
    let told = 0;
    const { uninterrupted, interrupt } = createInterruption(() => (told += 1));
    expect(told).toBe(0);
    await uninterrupted(() => Promise.resolve());
    await uninterrupted(() => Promise.resolve());
    expect(told).toBe(1);
    await interrupt();
  });
});
