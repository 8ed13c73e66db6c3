import { beforeEach, describe, expect, it } from '@jest/globals';

import { createShares, type Shares } from '../../src/debug/shares.ts';

const MAX = 80;
const SHARE = 10;

let shares: Shares<string>;
let forgotten: string[];

beforeEach(() => {
  forgotten = [];
  shares = createShares(MAX, (value) => forgotten.push(value));
});

function add(namespace: string, from: number, to: number): void {
  for (let n = from; n < to; n += 1) shares.add(namespace, `${namespace}/${n}`);
}

/** What there is of a namespace, the last used first. */
function of(namespace: string): readonly string[] {
  return shares.lastUsed().filter((value) => value.startsWith(`${namespace}/`));
}

describe('createShares()', () => {
  it('gives one namespace all, while nobody else needs it', () => {
    add('a', 0, 100);
    expect(shares.lastUsed()).toHaveLength(MAX);
    expect(of('a')[0]).toBe('a/99');
    expect(of('a').at(-1)).toBe('a/20');
  });

  it('forgets nothing of others for the sake of one with more than its share', () => {
    add('quiet', 0, SHARE);
    add('loud', 0, 1000);
    expect(of('quiet')).toHaveLength(SHARE);
    expect(of('loud')).toHaveLength(MAX - SHARE);
    expect(of('loud')[0]).toBe('loud/999');
  });

  it('takes from the one that has most, until both have the same', () => {
    add('a', 0, MAX);
    add('b', 0, 1000);
    expect([of('a').length, of('b').length]).toEqual([40, 40]);
    expect(of('a').at(-1)).toBe('a/40');
  });

  it('forgets what is oldest of all where nobody has more than a share', () => {
    for (let n = 0; n < 8; n += 1) add(`ns-${n}`, 0, SHARE);
    add('ninth', 0, 3);
    expect(of('ns-0')).toHaveLength(SHARE - 3);
    expect(of('ninth')).toHaveLength(3);
    expect(shares.lastUsed()).toHaveLength(MAX);
  });

  it('forgets last what was used last', () => {
    const first = shares.add('a', 'a/0');
    add('a', 1, 5);
    for (let n = 0; n < 7; n += 1) add(`ns-${n}`, 0, SHARE);
    add('b', 0, 5);
    shares.use(first);
    expect(shares.lastUsed()[0]).toBe('a/0');
    add('c', 0, 4);
    expect(of('a')).toEqual(['a/0']);
    expect(forgotten).toEqual(['a/1', 'a/2', 'a/3', 'a/4']);
  });

  it('says how much of whom was forgotten for the sake of others', () => {
    add('quiet', 0, 1);
    add('loud', 0, MAX);
    expect(shares.leftOut()).toEqual([{ namespace: 'loud', count: 1 }]);
  });

  it('says nothing of what would be too old without shares, too', () => {
    add('alone', 0, 2 * MAX);
    expect(shares.leftOut()).toEqual([]);
  });

  it('says so no longer when that would be too old by now', () => {
    add('quiet', 0, 1);
    add('a', 0, 2 * SHARE);
    for (let n = 0; n < 6; n += 1) add(`ns-${n}`, 0, SHARE);
    expect(shares.leftOut()).toEqual([{ namespace: 'a', count: 1 }]);
    add('b', 0, SHARE);
    add('c', 0, 1);
    expect(of('quiet')).toEqual([]);
    expect(of('a')).toHaveLength(SHARE - 1);
    expect(shares.leftOut()).toEqual([]);
  });

  it('forgets a namespace of which nothing is left', () => {
    for (let n = 0; n < 1000; n += 1) add(`ns-${n}`, 0, 1);
    expect(shares.lastUsed()).toHaveLength(MAX);
    expect(of('ns-919')).toEqual([]);
    expect(of('ns-920')).toHaveLength(1);
  });
});
