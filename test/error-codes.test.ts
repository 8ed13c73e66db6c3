import { describe, expect, it } from '@jest/globals';

import { actionIn, ERROR_RULES, type PinErrorCode } from '../src/error-codes.ts';

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
