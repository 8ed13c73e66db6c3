import { describe, expect, it } from '@jest/globals';

import { PinError } from '../../src/errors.ts';
import { createTurns } from '../../src/explain/turns.ts';

function ended(turn: ReturnType<ReturnType<typeof createTurns>['take']>): void {
  if (turn instanceof PinError) throw turn;
  turn.end();
}

describe('createTurns()', () => {
  it('gives two turns at the same time, and the next when one has ended', () => {
    const turns = createTurns(() => 0);
    const first = turns.take('alice');
    const second = turns.take('bob');
    expect(turns.take('carol')).toMatchObject({
      code: 'overloaded',
      message: '2 images are being explained',
    });
    ended(first);
    expect(turns.take('carol')).not.toBeInstanceOf(PinError);
    ended(second);
  });

  it('gives one user one at a time', () => {
    const turns = createTurns(() => 0);
    const first = turns.take('alice');
    expect(turns.take('alice')).toMatchObject({ message: 'an image is being explained to you' });
    ended(first);
    expect(turns.take('alice')).not.toBeInstanceOf(PinError);
  });

  it('gives one user ten within a minute, and others theirs', () => {
    let nowMs = 0;
    const turns = createTurns(() => nowMs);
    for (let count = 0; count < 10; count += 1) ended(turns.take('alice'));
    nowMs = 59_500;
    expect(turns.take('alice')).toMatchObject({
      message: 'you have asked 10 times within a minute: ask in 1 s',
    });
    ended(turns.take('bob'));
    nowMs = 60_000;
    ended(turns.take('alice'));
  });
});
