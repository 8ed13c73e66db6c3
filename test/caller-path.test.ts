import { describe, expect, it } from '@jest/globals';

import { callerPath, isCallerToken, splitCallerPath } from '../src/caller-path.ts';

const TOKEN = '0123456789abcdef'.repeat(4);

describe('splitCallerPath()', () => {
  it.each([
    [callerPath(TOKEN, '/admission/pin?timeout=10s'), TOKEN, '/admission/pin?timeout=10s'],
    ['/caller//admission/pin', '', '/admission/pin'],
    ['/caller/one/caller/two/x', 'one', '/caller/two/x'],
    [`/caller/${TOKEN}`, undefined, `/caller/${TOKEN}`],
    ['/admission/pin', undefined, '/admission/pin'],
    ['/x/caller/one/admission/pin', undefined, '/x/caller/one/admission/pin'],
    ['', undefined, ''],
  ])('of %j', (path, token, route) => {
    expect(splitCallerPath(path)).toEqual({ token, route });
  });
});

describe('isCallerToken()', () => {
  it.each([
    ['a'.repeat(32), true],
    ['0'.repeat(128), true],
    ['a'.repeat(31), false],
    ['a'.repeat(129), false],
    [`${'a'.repeat(32)}\n`, false],
    ['A'.repeat(32), false],
    [`${'a'.repeat(16)}-${'a'.repeat(16)}`, false],
  ])('takes %j: %s', (text, expected) => {
    expect(isCallerToken(text)).toBe(expected);
  });
});
