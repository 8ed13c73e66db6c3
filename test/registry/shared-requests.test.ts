import { describe, expect, it } from '@jest/globals';

import { createSharedRequests } from '../../src/registry/shared-requests.ts';

const never = new AbortController().signal;

/** A request that is answered by hand. */
function byHand(): {
  readonly start: (signal: AbortSignal) => Promise<string>;
  readonly started: AbortSignal[];
  readonly answer: PromiseWithResolvers<string>;
} {
  const started: AbortSignal[] = [];
  const answer = Promise.withResolvers<string>();
  const start = (signal: AbortSignal): Promise<string> => {
    started.push(signal);
    return answer.promise;
  };
  return { start, started, answer };
}

describe('createSharedRequests()', () => {
  it('asks once for all who want the same, and again for who comes later', async () => {
    const shared = createSharedRequests<string>();
    const { start, started, answer } = byHand();
    const both = [shared.join('a', never, start), shared.join('a', never, start)];
    answer.resolve('token');
    expect(await Promise.all(both)).toEqual(['token', 'token']);
    expect(started).toHaveLength(1);
    await shared.join('a', never, start);
    expect(started).toHaveLength(2);
  });

  it('keeps apart what has different keys', async () => {
    const shared = createSharedRequests<string>();
    const { start, started, answer } = byHand();
    const both = [shared.join('a', never, start), shared.join('b', never, start)];
    answer.resolve('token');
    await Promise.all(both);
    expect(started).toHaveLength(2);
  });

  it('gives a failure to all, and keeps none', async () => {
    const shared = createSharedRequests<string>();
    const { start, answer } = byHand();
    const both = [shared.join('a', never, start), shared.join('a', never, start)];
    answer.reject(new Error('refused'));
    for (const one of both) await expect(one).rejects.toThrow('refused');
    await expect(shared.join('a', never, async () => 'token')).resolves.toBe('token');
  });

  it('goes on for the others when one gives up, be it the first', async () => {
    const shared = createSharedRequests<string>();
    const { start, started, answer } = byHand();
    const first = new AbortController();
    const leader = shared.join('a', first.signal, start);
    const follower = shared.join('a', never, start);
    first.abort(new Error('too late'));
    await expect(leader).rejects.toThrow('too late');
    expect(started[0]?.aborted).toBe(false);
    answer.resolve('token');
    await expect(follower).resolves.toBe('token');
  });

  it('ends the request when the last has given up', async () => {
    const shared = createSharedRequests<string>();
    const { start, started } = byHand();
    const last = new AbortController();
    const waiting = shared.join('a', last.signal, start);
    last.abort(new Error('too late'));
    await expect(waiting).rejects.toThrow('too late');
    expect(started[0]?.aborted).toBe(true);
    await expect(shared.join('a', never, async () => 'another')).resolves.toBe('another');
  });

  it('starts nothing for who has given up before', async () => {
    const shared = createSharedRequests<string>();
    const { start, started } = byHand();
    const signal = AbortSignal.abort(new Error('too late'));
    await expect(shared.join('a', signal, start)).rejects.toThrow('too late');
    expect(started).toHaveLength(0);
  });
});
