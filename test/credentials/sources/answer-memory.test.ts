import { afterEach, describe, expect, it, jest } from '@jest/globals';

import {
  type AnswerMemory,
  createAnswerMemory,
  type Fresh,
} from '../../../src/credentials/sources/answer-memory.ts';
import { PinError } from '../../../src/errors.ts';
import { failureOf } from '../../support/failure-of.ts';

const NOBODY = new AbortController().signal;

/** A memory of texts, a clock moved by hand, and what was observed. */
class Asked {
  nowMs = 1000;
  readonly outcomes: string[] = [];
  fetches = 0;
  readonly memory: AnswerMemory<{ text: string }>;

  constructor(atATime = 10) {
    this.memory = createAnswerMemory<{ text: string }>({
      now: () => this.nowMs,
      atATime,
      observe: (outcome) =>
        this.outcomes.push(outcome instanceof PinError ? outcome.code : outcome.text),
    });
  }

  /** Asks; each fetch answers with its number. */
  ask(
    keys: readonly [string, ...string[]],
    fresh: Partial<Fresh<never>> = {},
    signal: AbortSignal = NOBODY,
  ): Promise<{ text: string }> {
    return this.fetching(
      keys,
      async () => {
        const value = { text: `${keys[0]} ${this.fetches}` };
        return { value, goodUntilMs: this.nowMs + 60_000, ...fresh };
      },
      signal,
    );
  }

  fetching(
    keys: readonly [string, ...string[]],
    fetch: (signal: AbortSignal) => Promise<Fresh<{ text: string }>>,
    signal: AbortSignal = NOBODY,
  ): Promise<{ text: string }> {
    const counted = (stop: AbortSignal): Promise<Fresh<{ text: string }>> => {
      this.fetches += 1;
      return fetch(stop);
    };
    return this.memory.ask({ asked: 'the oracle', keys, fetch: counted }, signal);
  }
}

function failing(error: Error): () => Promise<never> {
  return async () => {
    throw error;
  };
}

function throwing(): never {
  throw new TypeError('at once');
}

function silent(): Promise<never> {
  return new Promise(() => {});
}

afterEach(() => {
  jest.useRealTimers();
});

describe('createAnswerMemory()', () => {
  it('fetches once for all who wait', async () => {
    const asked = new Asked();
    const answers = await Promise.all([asked.ask(['a']), asked.ask(['a']), asked.ask(['b'])]);
    expect(answers.map(({ text }) => text)).toEqual(['a 1', 'a 1', 'b 2']);
    expect(asked.outcomes).toEqual(['a 1', 'b 2']);
  });

  it('leaves a fetch to the others when one gives up', async () => {
    const asked = new Asked();
    const stop = new AbortController();
    const { promise: held, resolve: answer } = Promise.withResolvers<string>();
    const fetch = async (): Promise<Fresh<{ text: string }>> => ({
      value: { text: await held },
      goodUntilMs: asked.nowMs,
    });
    const impatient = failureOf(asked.fetching(['a'], fetch, stop.signal));
    const patient = asked.fetching(['a'], fetch);
    stop.abort();
    expect(await impatient).toMatchObject({
      code: 'credential_source_failed',
      message: 'the oracle did not answer within the time of the look-up',
    });
    answer('late');
    expect(await patient).toEqual({ text: 'late' });
    expect(asked.fetches).toBe(1);
  });

  it('answers from memory until the answer ends', async () => {
    const asked = new Asked();
    await asked.ask(['a']);
    asked.nowMs += 59_999;
    expect(await asked.ask(['a'])).toEqual({ text: 'a 1' });
    asked.nowMs += 1;
    expect(await asked.ask(['a'])).toEqual({ text: 'a 2' });
  });

  it.each([1000, 999, -5])('keeps nothing that is good until %d at 1000', async (goodUntilMs) => {
    const asked = new Asked();
    await asked.ask(['a'], { goodUntilMs });
    expect(await asked.ask(['a'])).toEqual({ text: 'a 2' });
  });

  it('keeps an answer by the key that it names', async () => {
    const asked = new Asked();
    await asked.ask(['image 1', 'registry'], { key: 'registry' });
    expect(await asked.ask(['image 2', 'registry'])).toEqual({ text: 'image 1 1' });
    expect(await asked.ask(['image 1', 'other'])).toEqual({ text: 'image 1 2' });
  });

  it('remembers a failure for 3 s', async () => {
    const asked = new Asked();
    const error = new PinError('credential_source_failed', 'broken');
    const first = await failureOf(asked.fetching(['a'], failing(error)));
    asked.nowMs += 2999;
    expect(await failureOf(asked.ask(['a']))).toBe(first);
    asked.nowMs += 1;
    expect(await asked.ask(['a'])).toEqual({ text: 'a 2' });
    expect(asked.outcomes).toEqual(['credential_source_failed', 'a 2']);
  });

  it('has its own code for every failure, and the text of a stranger in the cause alone', async () => {
    const asked = new Asked();
    const [stranger, ours] = [new Error('s3cret'), new PinError('unauthorized', 'no access')];
    const failures = await Promise.all(
      [stranger, ours].map((error) => failureOf(asked.fetching([error.message], failing(error)))),
    );
    expect(failures.map(({ code, message, cause }) => [code, message, cause])).toEqual([
      ['credential_source_failed', 'the oracle failed', stranger],
      ['credential_source_failed', 'no access', ours],
    ]);
  });

  it('takes what is thrown at once for a failure like any other', async () => {
    const asked = new Asked();
    expect(await failureOf(asked.fetching(['a'], throwing))).toMatchObject({
      message: 'the oracle failed',
    });
    asked.nowMs += 3000;
    expect(await asked.ask(['a'])).toEqual({ text: 'a 2' });
  });

  it('ends a fetch after 5 s, whether it listens or not', async () => {
    jest.useFakeTimers();
    const asked = new Asked();
    let told: AbortSignal | undefined;
    const failure = failureOf(
      asked.fetching(['a'], (signal) => {
        told = signal;
        return new Promise(() => {});
      }),
    );
    await jest.advanceTimersByTimeAsync(4999);
    expect(told?.aborted).toBe(false);
    await jest.advanceTimersByTimeAsync(1);
    expect(told?.aborted).toBe(true);
    expect((await failure).message).toBe('the oracle did not answer within 5 s');
    expect(jest.getTimerCount()).toBe(0);
  });

  it('counts the 5 s of a fetch from its turn', async () => {
    jest.useFakeTimers();
    const asked = new Asked(1);
    const first = failureOf(asked.fetching(['a'], silent));
    const second = failureOf(asked.fetching(['b'], silent));
    await jest.advanceTimersByTimeAsync(5000);
    expect((await first).message).toBe('the oracle did not answer within 5 s');
    expect(asked.fetches).toBe(2);
    await jest.advanceTimersByTimeAsync(4999);
    expect(asked.outcomes).toHaveLength(1);
    await jest.advanceTimersByTimeAsync(1);
    expect((await second).message).toBe('the oracle did not answer within 5 s');
  });

  it('does not begin what nobody waits for any more, and begins it for whoever asks again', async () => {
    const asked = new Asked(1);
    const { promise: held, resolve: answer } = Promise.withResolvers<Fresh<{ text: string }>>();
    const [stopB, stopC] = [new AbortController(), new AbortController()];
    const first = asked.fetching(['a'], () => held);
    const [b, c] = [
      failureOf(asked.ask(['b'], {}, stopB.signal)),
      failureOf(asked.ask(['c'], {}, stopC.signal)),
    ];
    stopB.abort();
    stopC.abort();
    expect((await b).message).toBe('the oracle did not answer within the time of the look-up');
    await c;
    const again = asked.ask(['c']);
    answer({ value: { text: 'held' }, goodUntilMs: asked.nowMs });
    expect(await first).toEqual({ text: 'held' });
    expect(await again).toEqual({ text: 'c 2' });
    expect(asked.outcomes).toEqual(['held', 'c 2']);
    expect(await asked.ask(['b'])).toEqual({ text: 'b 3' });
  });

  it('forgets what it learnt 5 s ago, and nothing younger: the second to forget makes no stampede', async () => {
    const asked = new Asked();
    await asked.ask(['a']);
    asked.nowMs += 4999;
    asked.memory.forget(['a']);
    expect(await asked.ask(['a'])).toEqual({ text: 'a 1' });
    asked.nowMs += 1;
    asked.memory.forget(['a']);
    expect(await asked.ask(['a'])).toEqual({ text: 'a 2' });
    asked.memory.forget(['a']);
    expect(await asked.ask(['a'])).toEqual({ text: 'a 2' });
  });

  it('forgets no failure', async () => {
    const asked = new Asked();
    await failureOf(asked.fetching(['a'], failing(new Error('broken'))));
    asked.memory.forget(['a']);
    await failureOf(asked.ask(['a']));
    expect(asked.fetches).toBe(1);
  });

  it('remembers no more than 1000 answers', async () => {
    const asked = new Asked();
    for (let n = 0; n <= 1000; n += 1) await asked.ask([`key ${n}`]);
    expect(await asked.ask(['key 1'])).toEqual({ text: 'key 1 2' });
    expect(await asked.ask(['key 0'])).toEqual({ text: 'key 0 1002' });
  });
});
