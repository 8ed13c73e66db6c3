import { describe, expect, it } from '@jest/globals';

import { changingHostsOf, hostsOf } from '../../src/registry/host-globs.ts';

describe('hostsOf()', () => {
  it.each([
    ['r.example.com', 'https://r.example.com/', true],
    ['R.Example.com', 'https://r.example.com/', true],
    ['r.example.com', 'https://r.example.com:5000/', false],
    ['r.example.com:*', 'https://r.example.com:5000/', true],
    ['r.example.com:80', 'http://r.example.com/', true],
    ['*', 'https://10.1.2.3/', true],
    ['*.example.com', 'https://a.b.example.com/', true],
    ['*.example.com', 'https://a.example.com.evil.io/', false],
    ['10.1.2.3', 'https://10.1.2.3/', true],
    ['10.1.2.*', 'https://10.1.2.3/', true],
    ['10.1.*.*:*', 'https://10.1.2.3:5000/', true],
    ['10.*', 'https://10.1.2.3/', true],
    ['10.*', 'https://10.1.2.3:5000/', false],
    ['10.1.2.*', 'https://10.1.3.3/', false],
    ['10.1.2.*', 'https://10.1.2.evil.com/', false],
    ['10.1.2.*:*', 'https://10.1.2.evil.com:5000/', false],
    ['10.*', 'https://10.evil.com/', false],
    ['1*', 'https://1password.evil.com/', false],
    ['*.2.3', 'https://10.1.2.3/', true],
    ['[fd00::*]', 'https://[fd00::1]/', true],
    ['[fd00::*]:5000', 'https://[fd00::1]:5000/', true],
    // Not an address, whatever the star is.
    ['10*.example.com', 'https://10-a.example.com/', true],
    ['10.*.example.com', 'https://10.a.example.com/', true],
  ])('%s names %s: %s', (glob, url, expected) => {
    expect(hostsOf(['other.example.com', glob], 443)(new URL(url))).toBe(expected);
  });
});

describe('changingHostsOf()', () => {
  it('matches by the list that there is now', () => {
    let globs: readonly string[] = ['r.example.com'];
    const matches = changingHostsOf(() => globs, 443);
    const [first, second] = [new URL('https://r.example.com/'), new URL('https://s.example.com/')];
    expect([matches(first), matches(second)]).toEqual([true, false]);
    globs = ['s.example.com'];
    expect([matches(first), matches(second)]).toEqual([false, true]);
  });
});
