import { describe, expect, it } from '@jest/globals';

import { PinError } from '../src/errors.ts';
import { createOutageLog, describeError, type Logger } from '../src/log.ts';

describe('describeError()', () => {
  it('tells the chain of causes with their codes', () => {
    const refused = Object.assign(new Error('connect refused'), { code: 'ECONNREFUSED' });
    const cause = new TypeError('fetch failed', { cause: refused });
    const error = new PinError('unavailable', 'registry.example.com refuses connections', {
      cause,
    });
    expect(describeError(error)).toEqual({
      error:
        'PinError: registry.example.com refuses connections [unavailable] <- TypeError: fetch failed <- Error: connect refused [ECONNREFUSED]',
    });
  });

  it('tells at most five of them, so that a circle has an end', () => {
    const circle = new Error('round');
    circle.cause = circle;
    expect(describeError(circle)).toEqual({
      error: Array.from({ length: 5 }, () => 'Error: round').join(' <- '),
    });
  });

  it.each([
    ['a text', 'a text'],
    [undefined, 'undefined'],
    [42, '42'],
  ])('tells %p, which is no error, as text', (thrown, text) => {
    expect(describeError(thrown)).toEqual({ error: text });
  });
});

describe('createOutageLog()', () => {
  it('tells of the first failure, and of the end of them', () => {
    const lines: unknown[] = [];
    const noting =
      (level: string): Logger['info'] =>
      (fields, message) =>
        lines.push([level, fields, message]);
    const log = { info: noting('info'), warn: noting('warn'), error: noting('error') };
    const tell = createOutageLog(log, 'snapshot', { file: '/data/a' });
    for (const failure of [undefined, new Error('full'), new Error('full'), undefined, undefined]) {
      tell(failure);
    }
    expect(lines).toEqual([
      ['warn', { file: '/data/a', error: 'Error: full' }, 'snapshot not written'],
      ['info', { file: '/data/a' }, 'snapshot written again'],
    ]);
  });
});
