import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';

import { compileGlobNames, compileGlobs, compileNameGlobs } from '../../src/image/glob.ts';

describe('compileGlobs()', () => {
  it.each([
    ['docker.io/library/nginx', 'docker.io/library/nginx'],
    ['kind.local/*', 'kind.local/app'],
    ['kind.local/*', 'kind.local/team/app'],
    ['localhost:*/*', 'localhost:5000/a/b'],
    ['*', 'anything/at/all'],
    ['*', ''],
    ['**', 'a'],
    ['*/app', 'ghcr.io/team/app'],
    ['a*a', 'aa'],
    ['a*b*a', 'aba'],
    ['a*ab*b', 'aabb'],
    ['*.example.com:5000/*', 'r.example.com:5000/a'],
    ['registry.example.com:5000/team/*', 'registry.example.com:5000/team/a/b'],
    ['a?[b](c)+.$', 'a?[b](c)+.$'],
  ])('matches %s with %s', (pattern, text) => {
    expect(compileGlobs([pattern])(text)).toBe(true);
  });

  it.each([
    ['kind.local/*', 'kind.local'],
    ['kind.local/*', 'xkind.local/app'],
    ['kind.local/*', 'kindxlocal/app'],
    ['kind.local', 'kind.local/app'],
    ['KIND.local/*', 'kind.local/a'],
    ['a*a', 'a'],
    ['a*b*a', 'aa'],
    ['a*ab*b', 'aab'],
    ['*b*b', 'b'],
    ['a.c', 'abc'],
    ['', 'a'],
    ['*/a', 'a'],
  ])('does not match %s with %s', (pattern, text) => {
    expect(compileGlobs([pattern])(text)).toBe(false);
  });

  it('matches any of several, and nothing with none', () => {
    const matches = compileGlobs(['a/*', 'b/*']);
    expect(['a/1', 'b/1', 'c/1'].map(matches)).toEqual([true, true, false]);
    expect(compileGlobs([])('a')).toBe(false);
  });

  it('agrees with a regular expression', () => {
    const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '*', '/'), maxLength: 8 });
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '/'), maxLength: 10 });
    fc.assert(
      fc.property(pattern, text, (glob, candidate) => {
        const oracle = new RegExp(`^${glob.replaceAll('*', '.*')}$`);
        expect(compileGlobs([glob])(candidate)).toBe(oracle.test(candidate));
      }),
      { numRuns: 2000 },
    );
  });
});

describe('compileGlobNames()', () => {
  it('tells the first that fits, and undefined where none does', () => {
    const fits = compileGlobNames(['a/*', 'localhost:*/*', '*']);
    expect(fits('localhost:5000/x')).toBe('localhost:*/*');
    expect(fits('a/b')).toBe('a/*');
    expect(compileGlobNames(['a/*'])('b/a')).toBeUndefined();
  });
});

describe('compileNameGlobs()', () => {
  it.each([
    ['*', 'docker.io/library/nginx', true],
    ['*/*', 'docker.io/library/nginx', true],
    ['*.corp.example/base/*', 'a.corp.example/base/x', true],
    ['*.corp.example/base/*', 'a.corp.example/base/x/y', true],
    ['*.corp.example/*/x', 'a.corp.example/b/c/x', true],
    ['*.corp.example:*/base/*', 'a.corp.example:5000/base/x', true],
    ['docker.io/library/nginx', 'docker.io/library/nginx', true],
    ['docker.io/library/*', 'docker.io/library/', true],
    ['*.corp.example/base/*', 'evil.io/x.corp.example/base/y', false],
    ['*.corp.example/base/*', 'a.corp.example/basement/y', false],
    ['*base/*', 'evil.io/base/y', false],
    ['docker.io*/library/*', 'docker.io/x/library/y', false],
    // Without a slash there is no name of an image.
    ['*.corp.example', 'a.corp.example/x', false],
    ['docker.io*', 'docker.io/x', false],
    ['**', 'docker.io/x', false],
    ['', 'docker.io/x', false],
  ])('of %s says of %s: %s', (pattern, name, expected) => {
    expect(compileNameGlobs(['other.example/x', pattern])(name)).toBe(expected);
  });

  it('names nothing with none', () => {
    expect(compileNameGlobs([])('docker.io/x')).toBe(false);
  });
});
