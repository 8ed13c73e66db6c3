import { describe, expect, it } from '@jest/globals';

import { createTurns, type TurnsLimits } from '../../src/credentials/turns.ts';

/** Acts by name, each of which goes on until it is ended. */
class Acts {
  readonly started: string[] = [];
  readonly #ends = new Map<string, () => void>();
  readonly #inTurn;

  constructor(limits: TurnsLimits) {
    this.#inTurn = createTurns(limits);
  }

  /** The act `a1` is one of `a`. */
  begin(name: string, givenUp?: () => Error | undefined): Promise<string> {
    const whose = name.slice(0, 1);
    return this.#inTurn({ whose, ...(givenUp && { givenUp }) }, async () => {
      this.started.push(name);
      await new Promise<void>((end) => this.#ends.set(name, end));
      return name;
    });
  }

  /** Who has started when all has come to rest. */
  async end(name: string): Promise<readonly string[]> {
    this.#ends.get(name)?.();
    await new Promise((resolve) => setImmediate(resolve));
    return this.started;
  }
}

describe('createTurns()', () => {
  it('lets so many act at once, and the others in their order', async () => {
    const acts = new Acts({ inAll: 2, each: 2 });
    const ended = ['a0', 'a1', 'a2', 'a3'].map((name) => acts.begin(name));
    expect(acts.started).toEqual(['a0', 'a1']);
    expect(await acts.end('a1')).toEqual(['a0', 'a1', 'a2']);
    expect(await ended[1]).toBe('a1');
    expect(await acts.end('a0')).toEqual(['a0', 'a1', 'a2', 'a3']);
    await acts.end('a2');
    await acts.end('a3');
    expect(await Promise.all(ended)).toEqual(['a0', 'a1', 'a2', 'a3']);
  });

  it('leaves places to the others, however many wait before them', async () => {
    const acts = new Acts({ inAll: 4, each: 2 });
    for (const name of ['a0', 'a1', 'a2', 'a3', 'b0']) void acts.begin(name);
    expect(acts.started).toEqual(['a0', 'a1', 'b0']);
    expect(await acts.end('b0')).toEqual(['a0', 'a1', 'b0']);
    expect(await acts.end('a0')).toEqual(['a0', 'a1', 'b0', 'a2']);
  });

  it('gives the next free place to the one who holds the fewest', async () => {
    const acts = new Acts({ inAll: 3, each: 3 });
    for (const name of ['a0', 'a1', 'b0', 'a2', 'b1', 'c0', 'd0']) void acts.begin(name);
    expect(acts.started).toEqual(['a0', 'a1', 'b0']);
    expect((await acts.end('a0')).at(-1)).toBe('c0');
    expect((await acts.end('a1')).at(-1)).toBe('a2');
    expect((await acts.end('c0')).at(-1)).toBe('d0');
    expect((await acts.end('d0')).at(-1)).toBe('b1');
  });

  it('passes a place on after a failure', async () => {
    const inTurn = createTurns({ inAll: 1, each: 1 });
    const failed = inTurn({ whose: 'a' }, () => Promise.reject(new Error('no')));
    const next = inTurn({ whose: 'b' }, async () => 'yes');
    await expect(failed).rejects.toThrow('no');
    expect(await next).toBe('yes');
    expect(await inTurn({ whose: 'a' }, async () => 'again')).toBe('again');
  });

  it('passes over who has given up', async () => {
    const acts = new Acts({ inAll: 1, each: 1 });
    void acts.begin('a0');
    let gone: Error | undefined;
    const impatient = acts.begin('a1', () => gone).catch((error: unknown) => error);
    void acts.begin('a2');
    gone = new Error('gone');
    expect(await acts.end('a0')).toEqual(['a0', 'a2']);
    expect(await impatient).toBe(gone);
  });

  it('keeps nobody who has given up behind an act that hangs', async () => {
    const acts = new Acts({ inAll: 1, each: 1 });
    void acts.begin('a0');
    let gone: Error | undefined;
    const impatient = acts.begin('a1', () => gone).catch((error: unknown) => error);
    gone = new Error('gone');
    void acts.begin('a2');
    expect(await impatient).toBe(gone);
    expect(acts.started).toEqual(['a0']);
  });
});
