import { describe, expect, it } from '@jest/globals';

import { ERROR_RULES } from '../src/error-codes.ts';
import { PinError, toPinError } from '../src/errors.ts';

describe('PinError', () => {
  it('carries its code, its rule and what is known', () => {
    const cause = new Error('below');
    const error = new PinError('rate_limited', 'message', { cause, host: 'a', retryAfterMs: 7 });
    expect(error).toMatchObject({
      name: 'PinError',
      code: 'rate_limited',
      message: 'message',
      cause,
      host: 'a',
      retryAfterMs: 7,
    });
    expect(error.rule).toBe(ERROR_RULES.rate_limited);
    expect(Error.isError(error)).toBe(true);
  });

  it('has no cause that nobody gave', () => {
    expect(new PinError('internal', 'message')).not.toHaveProperty('cause');
  });
});

describe('toPinError()', () => {
  it('lets a PinError pass', () => {
    const error = new PinError('not_found', 'message');
    expect(toPinError(error)).toBe(error);
  });

  it.each<[string, unknown, string]>([
    ['an error', new TypeError('odd'), 'Unexpected failure: odd'],
    ['a text', 'odd', 'Unexpected failure: odd'],
    ['undefined', undefined, 'Unexpected failure: undefined was thrown'],
    ['null', null, 'Unexpected failure: null was thrown'],
    ['a symbol', Symbol('odd'), 'Unexpected failure: symbol was thrown'],
    ['what cannot be told', Object.create(null), 'Unexpected failure: object was thrown'],
  ])('takes %s for a bug, and keeps it as the cause', (_, caught, message) => {
    const error = toPinError(caught);
    expect(error).toMatchObject({ code: 'internal', message });
    expect(error.cause).toBe(caught);
  });

  it('knows errors of another realm, such as those of Node itself', () => {
    const caught = errorOf(() => new URL('http://['));
    expect(toPinError(caught).message).toBe('Unexpected failure: Invalid URL');
  });
});

function errorOf(run: () => unknown): unknown {
  try {
    return run();
  } catch (caught) {
    return caught;
  }
}
