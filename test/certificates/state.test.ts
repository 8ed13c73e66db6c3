import { beforeAll, describe, expect, it } from '@jest/globals';

import { createIssuer } from '../../src/certificates/issue.ts';
import type { IssuedPair } from '../../src/certificates/ports.ts';
import { readState, type State, writeState } from '../../src/certificates/state.ts';
import { PinError } from '../../src/errors.ts';

const NOW_MS = Date.parse('2030-01-01T00:00:00Z');
const TOKEN = 'a'.repeat(64);
const WHERE = 'tagpin-system/tagpin-certificates';

let one: IssuedPair;
let other: IssuedPair;
let leaf: IssuedPair;
let state: State;

beforeAll(async () => {
  const issuer = createIssuer();
  const validity = { nowMs: NOW_MS, notAfterMs: NOW_MS + 3_600_000 };
  one = await issuer.authority(validity);
  other = await issuer.authority(validity);
  leaf = await issuer.serving(one, ['a.svc'], validity);
  state = {
    generations: [
      { certificate: one.certificate, key: one.key, token: TOKEN, settled: true },
      { certificate: other.certificate, key: other.key, token: TOKEN, settled: false },
    ],
    leaving: [{ fingerprint: '00:11', untilMs: NOW_MS }],
    formerTokens: [{ token: TOKEN, untilMs: NOW_MS + 1 }],
  };
});

function dataOf(value: unknown): Readonly<Record<string, string>> {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return { 'certificates.json': Buffer.from(text).toString('base64') };
}

function messageOf(data: unknown): string {
  try {
    readState(data, WHERE);
  } catch (caught) {
    if (caught instanceof PinError) return `${caught.code}: ${caught.message}`;
    throw caught;
  }
  return 'none';
}

/** What is written, with one field of the first generation replaced. */
function spoilt(field: string, value: unknown): unknown {
  const text = Buffer.from(writeState(state)['certificates.json'] ?? '', 'base64').toString();
  const written = JSON.parse(text);
  written.generations[0][field] = value;
  return written;
}

describe('readState()', () => {
  it('gives back what writeState() wrote', () => {
    expect(readState(writeState(state), WHERE)).toEqual(state);
  });

  it.each([[undefined], [{}]])('has nothing of %j', (data) => {
    expect(readState(data, WHERE)).toBeUndefined();
  });

  it.each<[string, () => unknown, string]>([
    ['a Secret of something else', () => ({ 'tls.key': 'secret' }), 'it has \\"tls.key\\" where'],
    ['no JSON', () => dataOf('secret'), 'is no JSON object'],
    ['a list', () => dataOf([]), 'is no JSON object'],
    ['another version', () => dataOf({ version: 2 }), 'is of another version than 1'],
    [
      'too many authorities',
      () => dataOf({ version: 1, generations: Array.from({ length: 65 }, () => ({})) }),
      'its generations are not as',
    ],
    [
      'an authority that is none',
      () => dataOf({ version: 1, generations: ['secret'] }),
      'its generations are not as',
    ],
    ['no certificate', () => dataOf(spoilt('certificate', undefined)), 'a certificate is missing'],
    ['half a certificate', () => dataOf(spoilt('certificate', 'secret')), 'cannot be read'],
    [
      'the certificate of a server',
      () => dataOf({ ...Object(spoilt('certificate', leaf.cert)) }),
      'is no authority with its key',
    ],
    ['the key of another', () => dataOf(spoilt('key', other.key)), 'is no authority with its key'],
    ['no key', () => dataOf(spoilt('key', 'secret')), 'is no authority with its key'],
    ['a short token', () => dataOf(spoilt('token', 'secret')), 'a token in it is none'],
    ['a token with a slash', () => dataOf(spoilt('token', `${TOKEN}/`)), 'a token in it is none'],
    [
      'a time that is none',
      () => dataOf({ version: 1, leaving: [{ fingerprint: 'a', until: 'secret' }] }),
      'a time in it is none',
    ],
  ])('refuses %s, without a word of it', (_what, data, expected) => {
    const message = messageOf(data());
    expect(message).toMatch(/^invalid_config: Cannot use the Secret "tagpin-system\//);
    expect(JSON.stringify(message)).toContain(expected);
    expect(message).toContain('tagpin changes nothing in it');
    expect(message.replace('the Secret', '')).not.toMatch(/secret |PRIVATE|BEGIN/);
  });
});
