import { describe, expect, it } from '@jest/globals';

import { actionIn, ERROR_RULES, PinError, type PinErrorCode, toPinError } from '../src/errors.ts';

const CODES = Object.keys(ERROR_RULES) as PinErrorCode[];

/** Codes that speak of one image; the others end the whole review, or the start of the process. */
const WHOLE: readonly PinErrorCode[] = [
  'invalid_config',
  'invalid_review',
  'review_too_large',
  'unsupported_content_type',
  'unknown_caller',
  'overloaded',
  'internal',
];

describe('ERROR_RULES', () => {
  it('holds every code', () => {
    expect(CODES).toHaveLength(28);
  });

  it.each(CODES)('tells for %s what the reader can do, as a clause', (code) => {
    const { action } = ERROR_RULES[code];
    expect(action).toMatch(/^[a-z].+[^.!: ]$/);
  });

  it.each(CODES)('answers a review about an image with 200: %s', (code) => {
    expect(ERROR_RULES[code].httpStatus === 200).toBe(!WHOLE.includes(code));
  });

  it('serves stale digests for silence, never after an answer', () => {
    expect(CODES.filter((code) => ERROR_RULES[code].servesStale)).toEqual([
      'rate_limited',
      'unavailable',
      'dns_failed',
      'tls_failed',
      'deadline_exceeded',
    ]);
  });

  it('remembers nothing of Secrets and ServiceAccounts, which appear a moment later', () => {
    const secrets = CODES.filter((code) => code.includes('secret'));
    expect(secrets.map((code) => ERROR_RULES[code].caching)).toEqual(secrets.map(() => 'never'));
    expect(secrets).toHaveLength(5);
  });

  it('tries again, and another credential, where that can help', () => {
    expect(CODES.filter((code) => ERROR_RULES[code].retry)).toEqual(['unavailable', 'dns_failed']);
    expect(CODES.filter((code) => ERROR_RULES[code].nextCredential)).toEqual([
      'not_found',
      'unauthorized',
    ]);
  });
});

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

describe('actionIn()', () => {
  it('has the command that lets tagpin read the pull secrets of a namespace', () => {
    expect(actionIn('shop', 'forbidden_secret')).toContain(
      ': kubectl create rolebinding tagpin-pull-secret-reader --namespace shop ' +
        '--clusterrole tagpin-pull-secret-reader --serviceaccount tagpin-system:tagpin',
    );
  });

  it('is the action of the code where that names no namespace', () => {
    expect(actionIn('shop', 'not_found')).toBe(ERROR_RULES.not_found.action);
  });
});
