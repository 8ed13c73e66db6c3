import { setImmediate } from 'node:timers/promises';

import { describe, expect, it } from '@jest/globals';

import { createLimits, type Limits } from '../../src/resolve/limits.ts';

/** Work that goes on until it is told to end, and what of it has begun. */
class Work {
  readonly begun: string[] = [];
  readonly #end = Promise.withResolvers<void>();

  on(name: string): () => Promise<void> {
    return () => {
      this.begun.push(name);
      return this.#end.promise;
    };
  }

  end(): void {
    this.#end.resolve();
  }
}

function fill(limits: Limits, work: Work, registries: readonly string[]): Promise<void>[] {
  return registries.map((registry) => limits.inRegistry(registry, work.on(registry)));
}

describe('createLimits()', () => {
  it('lets eight run in a namespace, the others in their order, and no namespace wait for another', async () => {
    const limits = createLimits();
    const [first, second] = [new Work(), new Work()];
    const all = Array.from({ length: 20 }, (_, n) =>
      limits.inNamespace('one', (n < 8 ? first : second).on(`${n}`)),
    );
    const elsewhere = limits.inNamespace('two', second.on('elsewhere'));
    await setImmediate();
    expect(first.begun).toHaveLength(8);
    expect(second.begun).toEqual(['elsewhere']);
    first.end();
    await setImmediate();
    expect(second.begun).toEqual(['elsewhere', '8', '9', '10', '11', '12', '13', '14', '15']);
    second.end();
    await Promise.all([...all, elsewhere]);
  });

  it('gives hosts that never answered sixteen places together', async () => {
    const limits = createLimits();
    const work = new Work();
    const strangers = Array.from({ length: 30 }, (_, n) => `host-${n}.example.com`);
    const all = fill(limits, work, strangers);
    limits.hasAnswered('known.example.com');
    const known = fill(limits, work, ['known.example.com']);
    await setImmediate();
    expect(work.begun.filter((name) => name.startsWith('host-'))).toHaveLength(16);
    expect(work.begun).toContain('known.example.com');
    work.end();
    await Promise.all([...all, ...known]);
  });

  it('gives a registry that has answered sixteen places, and all together sixty-four', async () => {
    const limits = createLimits();
    const work = new Work();
    const registries = ['a', 'b', 'c', 'd', 'e'];
    for (const registry of registries) limits.hasAnswered(registry);
    const all = registries.flatMap((registry) =>
      fill(
        limits,
        work,
        Array.from({ length: 20 }, () => registry),
      ),
    );
    await setImmediate();
    expect(work.begun.filter((name) => name === 'a')).toHaveLength(16);
    expect(work.begun).toHaveLength(64);
    work.end();
    await Promise.all(all);
    expect(work.begun).toHaveLength(100);
  });

  it('keeps the places of a registry that answers again', async () => {
    const limits = createLimits();
    const work = new Work();
    limits.hasAnswered('a');
    const all = fill(
      limits,
      work,
      Array.from({ length: 16 }, () => 'a'),
    );
    limits.hasAnswered('a');
    const late = fill(limits, work, ['a']);
    await setImmediate();
    expect(work.begun).toHaveLength(16);
    work.end();
    await Promise.all([...all, ...late]);
  });

  it('gives a place back where the work fails', async () => {
    const limits = createLimits();
    const failing = Array.from({ length: 9 }, () =>
      limits.inNamespace('one', () => Promise.reject(new Error('no'))),
    );
    const ended = await Promise.allSettled(failing);
    expect(ended.map(({ status }) => status)).toEqual(Array.from({ length: 9 }, () => 'rejected'));
  });
});
