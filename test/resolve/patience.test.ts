import { describe, expect, it } from '@jest/globals';

import { PinError, toPinError } from '../../src/errors.ts';
import { createPatience, type Patience } from '../../src/resolve/patience.ts';

const MINUTE_MS = 60_000;

/** A patience whose clock is moved by its sleeps. */
class Waits {
  nowMs = 1000;
  readonly slept: number[] = [];
  readonly told: string[] = [];
  readonly patience: Patience = createPatience({
    now: () => this.nowMs,
    sleep: async (ms) => {
      this.slept.push(ms);
      this.nowMs += ms;
    },
    observe: ({ host }, waitMs) => this.told.push(`${host} ${waitMs}`),
  });

  /** What comes of a question that fails with these, one after the other, and then succeeds. */
  async ask(...failures: readonly PinError[]): Promise<unknown> {
    const left = [...failures];
    try {
      return await this.patience(async (notBeforeMs) => {
        const failure = left.shift();
        if (failure !== undefined) throw failure;
        return notBeforeMs;
      });
    } catch (caught) {
      return toPinError(caught);
    }
  }
}

function limited(retryAfterMs?: number, more: { asked?: boolean; host?: string } = {}): PinError {
  const details = { host: 'r.example.com', ...more };
  const wait = retryAfterMs === undefined ? {} : { retryAfterMs };
  return new PinError('rate_limited', 'r.example.com answered 429', { ...details, ...wait });
}

describe('createPatience()', () => {
  it('does not wait where nobody wants it to', async () => {
    const waits = new Waits();
    expect(await waits.ask()).toBeUndefined();
    const failure = new PinError('unavailable', 'r.example.com answered 503');
    expect(await waits.ask(failure)).toBe(failure);
    expect(waits.slept).toEqual([]);
  });

  it('waits as long as it is told, and takes no answer from before', async () => {
    const waits = new Waits();
    expect(await waits.ask(limited(5000), limited(2000))).toBe(1000 + 5001 + 2001);
    expect(waits.slept).toEqual([5001, 2001]);
    expect(waits.told).toEqual(['r.example.com 5001', 'r.example.com 2001']);
  });

  it('waits longer each time where it is not told, up to a minute, and ten in all', async () => {
    const waits = new Waits();
    const error = await waits.ask(...Array.from({ length: 30 }, () => limited()));
    expect(error).toMatchObject({ code: 'rate_limited' });
    expect(waits.slept.slice(0, 8)).toEqual(
      [1, 2, 4, 8, 16, 32, 60, 60].map((seconds) => seconds * 1000 + 1),
    );
    expect(waits.nowMs).toBeLessThanOrEqual(1000 + 10 * MINUTE_MS);
    expect(waits.nowMs).toBeGreaterThan(9 * MINUTE_MS);
  });

  it('waits for a minute, and tells of whoever asks for more', async () => {
    const waits = new Waits();
    await waits.ask(limited(MINUTE_MS));
    expect(await waits.ask(limited(MINUTE_MS + 1000))).toMatchObject({
      code: 'rate_limited',
      message: 'r.example.com answered 429, and asks for 61 s',
      host: 'r.example.com',
    });
    const before = limited(3_600_000, { asked: false });
    expect(await waits.ask(before)).toBe(before);
    expect(waits.slept).toEqual([MINUTE_MS + 1]);
  });

  it('tells once of a host that several wait for', async () => {
    const told: string[] = [];
    const wake = Promise.withResolvers<void>();
    const patience = createPatience({
      now: () => 0,
      sleep: () => wake.promise,
      observe: ({ host }) => told.push(String(host)),
    });
    const asks = ['a', 'a', 'b'].map((host) => {
      let isFirst = true;
      return patience(async () => {
        if (!isFirst) return host;
        isFirst = false;
        throw limited(1000, { host });
      });
    });
    wake.resolve();
    expect(await Promise.all(asks)).toEqual(['a', 'a', 'b']);
    expect(told).toEqual(['a', 'b']);
  });
});
