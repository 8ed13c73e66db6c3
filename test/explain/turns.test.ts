import { describe, expect, it } from '@jest/globals';

import { createTurns } from '../../src/explain/turns.ts';
import { ended } from '../support/turns.ts';

describe('createTurns()', () => {
  it('gives four turns at the same time, and the next when one has ended', () => {
    const turns = createTurns();
    const [first] = ['a', 'b', 'c', 'd'].map((namespace) => turns.take(namespace));
    expect(turns.take('e')).toMatchObject({
      code: 'overloaded',
      message: '4 images are being explained',
    });
    ended(first);
    ended(turns.take('e'));
  });

  it('gives one namespace one at a time, so that others have theirs', () => {
    const turns = createTurns();
    const first = turns.take('loud');
    expect(turns.take('loud')).toMatchObject({
      code: 'overloaded',
      message: 'another image of this namespace is being explained',
    });
    ended(turns.take('quiet'));
    ended(first);
    ended(turns.take('loud'));
  });
});
