import { describe, expect, it } from '@jest/globals';

import { type Askers, createAskers } from '../../src/explain/askers.ts';
import { ended } from '../support/turns.ts';

const ALICE = { username: 'alice', namespace: 'shop' };
const BOB = { username: 'bob', namespace: 'shop' };

function robots(askers: Askers, count: number): ReturnType<Askers['ask']>[] {
  return Array.from({ length: count }, (_, n) =>
    askers.ask({ username: `robot-${n}`, namespace: 'loud' }),
  );
}

describe('createAskers()', () => {
  it('lets one user ask one question at a time, in whatever namespace', () => {
    const askers = createAskers(() => 0);
    const first = askers.ask(ALICE);
    expect(askers.ask({ ...ALICE, namespace: 'billing' })).toMatchObject({
      code: 'overloaded',
      message: 'an image is being explained to you',
    });
    ended(askers.ask(BOB));
    ended(first);
    ended(askers.ask(ALICE));
  });

  it('lets one user ask ten times within a minute, and others as often', () => {
    let nowMs = 0;
    const askers = createAskers(() => nowMs);
    for (let count = 0; count < 10; count += 1) ended(askers.ask(ALICE));
    nowMs = 59_500;
    expect(askers.ask(ALICE)).toMatchObject({
      code: 'overloaded',
      message: 'you have asked 10 times within a minute: ask in 1 s',
    });
    ended(askers.ask(BOB));
    nowMs = 60_000;
    ended(askers.ask(ALICE));
  });

  it('lets four of a namespace ask at the same time, however many accounts it has, and others as well', () => {
    const askers = createAskers(() => 0);
    const [first, , , , fifth] = robots(askers, 5);
    expect(fifth).toMatchObject({
      code: 'overloaded',
      message: '4 others ask in this namespace',
    });
    ended(askers.ask(ALICE));
    ended(first);
    ended(askers.ask({ username: 'robot-4', namespace: 'loud' }));
  });
});
