import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';

import {
  counts,
  formatOriginals,
  MAX_RECORD_CHARS,
  type Originals,
  parseOriginals,
} from '../../src/workload/originals.ts';
import { digest } from '../support/admission.ts';

const A = digest('a');
const SHA512 = `sha512:${'b'.repeat(128)}`;

/** A record as plain arrays, as a Map's keys may be called `__proto__`. */
function told(originals: Originals | undefined): unknown {
  if (originals === undefined) return undefined;
  return { entries: [...originals.entries], refreshed: [...originals.refreshed] };
}

describe('parseOriginals()', () => {
  it('reads entries and refresh values', () => {
    const text = `{"@refresh":"1","@restartedAt":"monday","volume/data":"a:1 ${A}","web":"b@c ${SHA512}"}`;
    expect(told(parseOriginals(text))).toEqual({
      entries: [
        ['volume/data', { reference: 'a:1', digest: A }],
        ['web', { reference: 'b@c', digest: SHA512 }],
      ],
      refreshed: [
        ['@refresh', '1'],
        ['@restartedAt', 'monday'],
      ],
    });
  });

  it.each([
    ['nothing', undefined],
    ['null', null],
    ['an object', { web: `a:1 ${A}` }],
    ['an empty text', ''],
    ['no JSON', '{"web":'],
    ['two values', '{}{}'],
    ['a list', `["a:1 ${A}"]`],
    ['JSON that is null', 'null'],
    ['JSON that is a text', '"web"'],
    ['more than fits', JSON.stringify({ web: `a:1 ${A}`, x: 'x'.repeat(MAX_RECORD_CHARS) })],
    ['depth without end', '['.repeat(60_000)],
  ])('counts %s as absent', (_, annotation) => {
    expect(parseOriginals(annotation)).toBeUndefined();
  });

  it.each([
    ['a number', 7],
    ['null', null],
    ['an object', { reference: 'a', digest: A }],
    ['no digest', 'a:1'],
    ['no reference', ` ${A}`],
    ['a digest alone', A],
    ['a short digest', `a:1 ${A.slice(1)}`],
    ['upper-case digits', `a:1 ${A.toUpperCase()}`],
    ['two spaces', `a:1  ${A}`],
    ['something behind', `a:1 ${A} b`],
    ['a line end', `a:1 ${A}\n`],
  ])('leaves out an entry that is %s, and reads the others', (_, value) => {
    const record = parseOriginals(JSON.stringify({ bad: value, web: `a:1 ${A}` }));
    expect([...(record?.entries.keys() ?? [])]).toEqual(['web']);
  });

  it.each(['__proto__', 'constructor', 'toString', ''])(
    'reads an entry of %j as any other',
    (key) => {
      const record = parseOriginals(`{${JSON.stringify(key)}:"a:1 ${A}"}`);
      expect(record?.entries.get(key)).toEqual({ reference: 'a:1', digest: A });
      expect(record?.entries.get('valueOf')).toBeUndefined();
    },
  );
});

describe('formatOriginals()', () => {
  it('sorts keys by their characters, and writes no spaces between them', () => {
    const entry = { reference: 'a:1', digest: A };
    const entries = new Map(['b', 'volume/a', 'a', 'B', '10', '9'].map((key) => [key, entry]));
    const refreshed = new Map([
      ['@restartedAt', 'monday'],
      ['@refresh', '"1"'],
    ]);
    const value = `"a:1 ${A}"`;
    expect(formatOriginals({ entries, refreshed })).toBe(
      `{"10":${value},"9":${value},"@refresh":"\\"1\\"","@restartedAt":"monday",` +
        `"B":${value},"a":${value},"b":${value},"volume/a":${value}}`,
    );
  });

  it('writes what parseOriginals() reads, in bytes that do not depend on the order', () => {
    const key = fc.string({ maxLength: 8, unit: 'binary' }).filter((text) => !text.startsWith('@'));
    const reference = fc
      .string({ minLength: 1, maxLength: 8 })
      .filter((text) => !text.includes(' '));
    const original = fc.record({ reference, digest: fc.constantFrom(A, SHA512) });
    const list = fc.uniqueArray(fc.tuple(key, original), { selector: ([name]) => name });
    fc.assert(
      fc.property(list, fc.string(), (fields, value) => {
        const refreshed = new Map([['@refresh', value]]);
        const text = formatOriginals({ entries: new Map(fields), refreshed });
        expect(parseOriginals(text)).toEqual({ entries: new Map(fields), refreshed });
        const entries = new Map(fields.toReversed());
        expect(formatOriginals({ entries, refreshed })).toBe(text);
      }),
    );
  });
});

describe('counts()', () => {
  it.each([
    ['the digest alone', 'nginx:1', `nginx@${A}`],
    ['tag and digest', 'nginx:1', `nginx:1@${A}`],
    ['another spelling of the repository', 'nginx:1', `docker.io/library/nginx@${A}`],
    ['no tag', 'nginx', `nginx@${A}`],
    ['a host and port', '[::1]:5000/a:1', `[::1]:5000/a@${A}`],
  ])('holds for %s', (_, reference, image) => {
    expect(counts({ reference, digest: A }, image)).toBe(true);
  });

  it.each([
    ['a tag', 'nginx:1', 'nginx:1'],
    ['another digest', 'nginx:1', `nginx@${digest('b')}`],
    ['another repository', 'nginx:1', `httpd@${A}`],
    ['another registry', 'ghcr.io/a/b:1', `quay.io/a/b@${A}`],
    ['another port', 'a.b:1/c', `a.b:2/c@${A}`],
    ['an original that carries a digest', `nginx@${digest('b')}`, `nginx@${A}`],
    ['an original that carries this digest', `nginx@${A}`, `nginx@${A}`],
    ['an original that cannot be read', 'NGINX:1', `nginx@${A}`],
    ['an image that cannot be read', 'nginx:1', `nginx:@${A}`],
    ['two digests', 'nginx:1', `nginx@${A}@${A}`],
    ['no name', 'nginx:1', `@${A}`],
    ['an empty image', 'nginx:1', ''],
    ['a tag in other letters', 'nginx:1', `nginx@${A.toUpperCase()}`],
  ])('does not hold for %s', (_, reference, image) => {
    expect(counts({ reference, digest: A }, image)).toBe(false);
  });

  it('does not hold for no entry', () => {
    expect(counts(undefined, `nginx@${A}`)).toBe(false);
  });
});
