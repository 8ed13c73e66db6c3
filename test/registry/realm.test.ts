import { describe, expect, it } from '@jest/globals';

import { mayHaveCredentials, mayVouchFor, realmOf } from '../../src/registry/realm.ts';

describe('mayHaveCredentials()', () => {
  it.each<[string, string, boolean]>([
    ['https://r.example.com', 'https://r.example.com/token', true],
    ['https://r.example.com', 'https://r.example.com:8443/token', true],
    ['https://r.example.com', 'https://auth.example.com/token', true],
    ['https://r.example.com', 'https://evil.test/token', false],
    ['https://r.example.com', 'https://example.com.evil.test/token', false],
    // From TLS to none: never.
    ['https://r.example.com', 'http://r.example.com/token', false],
    ['http://r.example.com', 'http://r.example.com:5001/token', true],
    ['http://r.example.com', 'https://r.example.com/token', true],
    ['http://r.example.com', 'https://auth.example.com/token', true],
    // Without TLS a name proves nothing of its neighbours.
    ['http://r.example.com', 'http://auth.example.com/token', false],
    // Addresses and single labels have no domain that they could share.
    ['https://10.0.0.1', 'https://10.0.0.2/token', false],
    ['http://registry:5000', 'http://registry:5001/token', true],
    ['https://registry:5000', 'https://auth:5001/token', false],
    ['https://one.co.uk', 'https://two.co.uk/token', false],
    ['https://one.github.io', 'https://two.github.io/token', false],
  ])('of %s says of %s: %s', (registry, realm, expected) => {
    expect(mayHaveCredentials(new URL(registry), new URL(realm))).toBe(expected);
  });
});

describe('mayVouchFor()', () => {
  it.each<[string, string, boolean]>([
    ['https://r.example.com', 'https://r.example.com:5000', true],
    ['https://r.example.com', 'https://auth.example.com', true],
    ['https://10.0.0.1', 'https://10.0.0.1:5000', true],
    ['https://10.0.0.1', 'https://10.0.0.2', false],
    ['https://registry', 'https://auth', false],
    ['https://evil.test', 'https://r.example.com', false],
    ['https://example.com.evil.test', 'https://r.example.com', false],
    ['https://one.github.io', 'https://two.github.io', false],
  ])('of %s says of %s: %s', (from, to, expected) => {
    expect(mayVouchFor(new URL(from), new URL(to))).toBe(expected);
  });
});

describe('realmOf()', () => {
  const registry = new URL('https://r.example.com:5000');

  it.each([
    ['/token', 'https://r.example.com:5000/token'],
    ['token?tenant=7', 'https://r.example.com:5000/token?tenant=7'],
    ['//auth.example.com/token', 'https://auth.example.com/token'],
    ['https://auth.example.com/token', 'https://auth.example.com/token'],
  ])('reads %s as %s', (realm, expected) => {
    expect(realmOf(registry, { params: { realm } }).href).toBe(expected);
  });

  it.each([{}, { realm: 'http://[' }])('throws at %j', (params) => {
    expect(() => realmOf(registry, { params })).toThrow(
      expect.objectContaining({ code: 'unauthorized', host: 'r.example.com' }),
    );
  });
});
