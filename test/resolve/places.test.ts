import { setImmediate } from 'node:timers/promises';

import { describe, expect, it } from '@jest/globals';

import { createPlaces, type Places } from '../../src/resolve/places.ts';
import { Work } from '../support/work.ts';

const IN_ALL = 64;
const PER_REGISTRY = 16;
const STRANGERS = 32;
const PER_STRANGER = 5;

/** So many look-ups at one registry, each named as its namespace. */
function fill(
  places: Places,
  work: Work,
  { registry, namespace, count }: { registry: string; namespace: string; count: number },
): Promise<void>[] {
  const wish = { registry, namespaces: () => [namespace] };
  return Array.from({ length: count }, () => places.hold(wish, work.on(namespace)));
}

/** All places of strangers, of so many namespaces, at a host of its own for each look-up. */
function tarpit(places: Places, work: Work, namespaces: number): Promise<void>[] {
  return Array.from({ length: STRANGERS }, (_, n) => {
    const namespace = `hostile-${n % namespaces}`;
    return fill(places, work, { registry: `invented-${n}`, namespace, count: 1 });
  }).flat();
}

describe('createPlaces()', () => {
  it('gives all hosts that never answered thirty-two places, and five to one of them', async () => {
    const places = createPlaces();
    const work = new Work();
    const all = [
      ...fill(places, work, { registry: 'one', namespace: 'one', count: 10 }),
      ...tarpit(places, work, 8),
      ...fill(places, work, { registry: 'two', namespace: 'two', count: 10 }),
    ];
    await setImmediate();
    expect(work.countOf('one')).toBe(PER_STRANGER);
    expect(work.begun).toHaveLength(STRANGERS);
    expect(work.countOf('two')).toBe(0);
    work.end();
    await Promise.all(all);
    expect(work.begun).toHaveLength(STRANGERS + 20);
  });

  it('gives a registry that has answered sixteen places, and all such together sixty-four', async () => {
    const places = createPlaces();
    const work = new Work();
    const registries = ['a', 'b', 'c', 'd', 'e'];
    for (const registry of registries) places.hasAnswered(registry);
    const all = registries.flatMap((registry) =>
      fill(places, work, { registry, namespace: registry, count: 20 }),
    );
    await setImmediate();
    expect(work.countOf('a')).toBe(PER_REGISTRY);
    expect(work.begun).toHaveLength(IN_ALL);
    work.end();
    await Promise.all(all);
    expect(work.begun).toHaveLength(100);
  });

  it('keeps the places of a registry that answers again', async () => {
    const places = createPlaces();
    const work = new Work();
    places.hasAnswered('a');
    const all = fill(places, work, { registry: 'a', namespace: 'n', count: PER_REGISTRY });
    places.hasAnswered('a');
    const late = fill(places, work, { registry: 'a', namespace: 'n', count: 1 });
    await setImmediate();
    expect(work.begun).toHaveLength(PER_REGISTRY);
    work.end();
    await Promise.all([...all, ...late]);
  });

  it('lets a registry that has answered wait for no stranger', async () => {
    const places = createPlaces();
    const [tar, work] = [new Work(), new Work()];
    const all = tarpit(places, tar, 8);
    places.hasAnswered('known');
    const known = fill(places, work, { registry: 'known', namespace: 'team', count: 20 });
    await setImmediate();
    expect(tar.begun).toHaveLength(STRANGERS);
    expect(work.begun).toHaveLength(PER_REGISTRY);
    tar.end();
    work.end();
    await Promise.all([...all, ...known]);
  });

  it('takes those who wait out of the strangers with the first answer of their registry', async () => {
    const places = createPlaces();
    const work = new Work();
    const all = fill(places, work, { registry: 'new', namespace: 'team', count: 20 });
    await setImmediate();
    expect(work.begun).toHaveLength(PER_STRANGER);
    places.hasAnswered('new');
    await setImmediate();
    expect(work.begun).toHaveLength(PER_REGISTRY);
    work.end();
    await Promise.all(all);
  });

  it('gives the next free place to the namespace that holds none, however long the others have waited', async () => {
    const places = createPlaces();
    const [first, work] = [new Work(), new Work()];
    const registry = 'invented';
    const one = fill(places, first, { registry, namespace: 'hostile-0', count: 1 });
    const all = [
      ...tarpit(places, work, 8),
      ...fill(places, work, { registry: 'another', namespace: 'hostile-1', count: 10 }),
      ...fill(places, work, { registry: 'healthy', namespace: 'team', count: 1 }),
    ];
    await setImmediate();
    expect(work.countOf('team')).toBe(0);
    const before = work.begun.length;
    first.end();
    await Promise.all(one);
    await setImmediate();
    expect(work.begun.slice(before)).toEqual(['team']);
    work.end();
    await Promise.all(all);
  });

  it('counts a look-up that two wait for as that of the one who holds fewer', async () => {
    const places = createPlaces();
    const [first, work] = [new Work(), new Work()];
    const all = fill(places, first, { registry: 'x', namespace: 'hostile-0', count: 1 });
    all.push(...tarpit(places, work, 8));
    all.push(...fill(places, work, { registry: 'y', namespace: 'hostile-1', count: 1 }));
    const wanting = ['hostile-1'];
    const shared = { registry: 'healthy', namespaces: () => wanting };
    all.push(places.hold(shared, work.on('shared')));
    wanting.push('team');
    await setImmediate();
    expect(work.countOf('shared')).toBe(0);
    first.end();
    await setImmediate();
    expect(work.countOf('shared')).toBe(1);
    work.end();
    await Promise.all(all);
  });

  it('gives a place back where the work fails', async () => {
    const places = createPlaces();
    const wish = { registry: 'r', namespaces: () => ['n'] };
    const ended = await Promise.allSettled(
      Array.from({ length: 40 }, () => places.hold(wish, () => Promise.reject(new Error('no')))),
    );
    expect(ended.map(({ status }) => status)).toEqual(Array.from({ length: 40 }, () => 'rejected'));
  });
});
