import { setImmediate } from 'node:timers/promises';

import { describe, expect, it } from '@jest/globals';

import { createLimits, type Limits } from '../../src/resolve/limits.ts';
import { Work } from '../support/work.ts';

const KNOWN = 'known.example.com';
const STRANGER = 'stranger.example.com';

function limitsWhoKnow(registry: string): Limits {
  const limits = createLimits();
  limits.hasAnswered(registry);
  return limits;
}

describe('createLimits()', () => {
  it('lets eight run in a namespace, the others in their order, and no namespace wait for another', async () => {
    const limits = limitsWhoKnow(KNOWN);
    const [first, second] = [new Work(), new Work()];
    const one = { namespace: 'one', registry: KNOWN };
    const all = Array.from({ length: 20 }, (_, n) =>
      limits.inNamespace(one, (n < 8 ? first : second).on(`${n}`)),
    );
    const elsewhere = limits.inNamespace(
      { namespace: 'two', registry: KNOWN },
      second.on('elsewhere'),
    );
    await setImmediate();
    expect(first.begun).toHaveLength(8);
    expect(second.begun).toEqual(['elsewhere']);
    first.end();
    await setImmediate();
    expect(second.begun).toEqual(['elsewhere', '8', '9', '10', '11', '12', '13', '14', '15']);
    second.end();
    await Promise.all([...all, elsewhere]);
  });

  it('lets as many run in a namespace as it is told to', async () => {
    const limits = createLimits(16);
    limits.hasAnswered(KNOWN);
    const work = new Work();
    const all = Array.from({ length: 20 }, (_, n) =>
      limits.inNamespace({ namespace: 'one', registry: KNOWN }, work.on(`${n}`)),
    );
    await setImmediate();
    expect(work.begun).toHaveLength(16);
    work.end();
    await Promise.all(all);
  });

  it('leaves half of the eight to registries that have answered', async () => {
    const limits = limitsWhoKnow(KNOWN);
    const work = new Work();
    const fill = (registry: string): Promise<void>[] =>
      Array.from({ length: 20 }, () =>
        limits.inNamespace({ namespace: 'one', registry }, work.on(registry)),
      );
    const strangers = [...fill(STRANGER), ...fill('b.example.com'), ...fill('c.example.com')];
    await setImmediate();
    const all = [...strangers, ...fill(KNOWN)];
    await setImmediate();
    expect(work.countOf(KNOWN)).toBe(4);
    expect(work.begun).toHaveLength(8);
    work.end();
    await Promise.all(all);
    expect(work.begun).toHaveLength(80);
  });

  it('leaves half of those four to other hosts than the one that takes them', async () => {
    const limits = createLimits();
    const work = new Work();
    const ask = (registry: string): Promise<void> =>
      limits.inNamespace({ namespace: 'one', registry }, work.on(registry));
    const all = Array.from({ length: 20 }, () => ask('hangs.example.com'));
    await setImmediate();
    expect(work.begun).toHaveLength(2);
    all.push(ask(STRANGER));
    await setImmediate();
    expect(work.countOf(STRANGER)).toBe(1);
    work.end();
    await Promise.all(all);
  });

  it('gives a place back where the work fails', async () => {
    const limits = createLimits();
    const failing = Array.from({ length: 9 }, () =>
      limits.inNamespace({ namespace: 'one', registry: STRANGER }, () =>
        Promise.reject(new Error('no')),
      ),
    );
    const ended = await Promise.allSettled(failing);
    expect(ended.map(({ status }) => status)).toEqual(Array.from({ length: 9 }, () => 'rejected'));
  });
});
