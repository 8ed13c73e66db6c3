import { describe, expect, it } from '@jest/globals';
import type { Credential } from '../../src/credentials/credential.ts';
import { createFingerprint } from '../../src/credentials/fingerprint.ts';

function credential(username: string, password: string): Credential {
  return { username, password };
}

describe('createFingerprint()', () => {
  it('gives equal lists equal names, and no credentials a name of their own', () => {
    const fingerprint = createFingerprint();
    expect(fingerprint([credential('a', 'b')])).toBe(fingerprint([credential('a', 'b')]));
    expect(fingerprint([])).toBe('anonymous');
    expect(fingerprint([credential('', '')])).not.toBe('anonymous');
  });

  it.each<[string, readonly Credential[], readonly Credential[]]>([
    ['another password', [credential('a', 'b')], [credential('a', 'c')]],
    ['another user', [credential('a', 'b')], [credential('c', 'b')]],
    ['another border between the two', [credential('a', 'bc')], [credential('ab', 'c')]],
    ['a quote in one', [credential('a","b', 'c')], [credential('a', 'b","c')]],
    [
      'another order',
      [credential('a', 'b'), credential('c', 'd')],
      [credential('c', 'd'), credential('a', 'b')],
    ],
    ['one more', [credential('a', 'b')], [credential('a', 'b'), credential('a', 'b')]],
  ])('tells %s apart', (_what, one, other) => {
    const fingerprint = createFingerprint();
    expect(fingerprint(one)).not.toBe(fingerprint(other));
  });

  it('tells nothing of the credentials, and nothing to another process', () => {
    const canary = [credential('alice', 'canary')];
    const name = createFingerprint()(canary);
    expect(name).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(createFingerprint()(canary)).not.toBe(name);
  });

  it('tells whoever has the same key the same, and nobody else', () => {
    const canary = [credential('alice', 'canary')];
    const key = Buffer.alloc(32, 1);
    const name = createFingerprint(key)(canary);
    expect(createFingerprint(Buffer.alloc(32, 1))(canary)).toBe(name);
    expect(createFingerprint(Buffer.alloc(32, 2))(canary)).not.toBe(name);
  });
});
