import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { computeDigest, isDigest } from '../../src/image/digest.ts';

const HEX = '0123456789abcdef'.repeat(8);

function golden(name: string): Uint8Array {
  return readFileSync(new URL(`../golden/${name}`, import.meta.url));
}

describe('isDigest()', () => {
  it.each([
    ['sha256', `sha256:${HEX.slice(0, 64)}`],
    ['sha512', `sha512:${HEX}`],
  ])('accepts %s', (_, text) => {
    expect(isDigest(text)).toBe(true);
  });

  it.each([
    ['no algorithm', HEX.slice(0, 64)],
    ['upper-case digits', `sha256:${HEX.slice(0, 64).toUpperCase()}`],
    ['an upper-case algorithm', `SHA256:${HEX.slice(0, 64)}`],
    ['63 digits', `sha256:${HEX.slice(0, 63)}`],
    ['65 digits', `sha256:${HEX.slice(0, 65)}`],
    ['the length of another algorithm', `sha512:${HEX.slice(0, 64)}`],
    ['an algorithm tagpin cannot verify', `blake3:${HEX.slice(0, 64)}`],
    ['white space behind', `sha256:${HEX.slice(0, 64)} `],
    ['a line end behind', `sha256:${HEX.slice(0, 64)}\n`],
    ['text before', `xsha256:${HEX.slice(0, 64)}`],
    ['nothing', ''],
  ])('refuses %s', (_, text) => {
    expect(isDigest(text)).toBe(false);
  });
});

describe('computeDigest()', () => {
  // The digests under which a public registry serves these very bytes; the files have no extension,
  // so that no formatter touches them.
  it.each([
    ['pause-3.2.index', 'sha256:927d98197ec1141a368550822d18fa1c60bdae27b78b0c004f705f548c07814f'],
    [
      'pause-amd64-3.2.manifest',
      'sha256:4a1c4b21597c1b4415bdbecb28a3296c6b5e23ca4f9feeb599860a1dac6a0108',
    ],
    [
      'pause-amd64-3.2.config',
      'sha256:80d28bedfe5dec59da9ebf8e6260224ac9008ab5c11dbbe16ee3ba3e4439ac2c',
    ],
  ])('gives %s the digest it is served under', (name, digest) => {
    expect(computeDigest(golden(name))).toBe(digest);
  });

  // FIPS 180-4, the example of one block.
  it('computes sha512 when asked', () => {
    expect(computeDigest(new TextEncoder().encode('abc'), 'sha512')).toBe(
      'sha512:ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a' +
        '2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f',
    );
  });

  it('gives what isDigest() accepts', () => {
    expect(isDigest(computeDigest(new Uint8Array()))).toBe(true);
    expect(isDigest(computeDigest(new Uint8Array(), 'sha512'))).toBe(true);
  });
});
