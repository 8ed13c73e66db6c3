import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';

import { computeDigest } from '../../src/image/digest.ts';
import {
  digestLine,
  headLine,
  type Remembered,
  readSnapshot,
} from '../../src/snapshot/document.ts';
import type { Moment } from '../../src/snapshot/moment.ts';

const WRITTEN_AT: Moment = { unixMs: 1000, boot: { id: 'boot', uptimeMs: 5 } };
const ONE: Remembered = {
  key: 'registry.example.com/app:1.0 anonymous',
  lookup: {
    digest: computeDigest(Buffer.from('1')),
    mediaType: 'application/vnd.oci.image.index.v1+json',
    source: 'header',
    host: 'registry.example.com',
    attempts: 1,
  },
  ageMs: 12,
};

function read(text: string, maxDigests = 10): ReturnType<typeof readSnapshot> {
  return readSnapshot(Buffer.from(text), maxDigests);
}

const remembered: fc.Arbitrary<Remembered> = fc.record({
  key: fc.string({ unit: 'binary' }),
  lookup: fc.record({
    digest: fc
      .tuple(fc.string(), fc.constantFrom('sha256', 'sha512'))
      .map(([text, algorithm]) => computeDigest(Buffer.from(text), algorithm)),
    mediaType: fc.option(fc.string({ unit: 'binary' }), { nil: undefined }),
    source: fc.constantFrom('header', 'body', 'shared'),
    host: fc.string({ unit: 'binary' }),
    attempts: fc.nat(),
  }),
  ageMs: fc.nat(),
});

const moment: fc.Arbitrary<Moment> = fc.record({
  unixMs: fc.nat(),
  boot: fc.option(fc.record({ id: fc.string(), uptimeMs: fc.nat() }), { nil: undefined }),
});

describe('readSnapshot()', () => {
  it('gives what was written, whatever characters are in it', () => {
    fc.assert(
      fc.property(moment, fc.array(remembered), (writtenAt, digests) => {
        const text = headLine(writtenAt) + digests.map(digestLine).join('');
        expect(read(text, digests.length)).toEqual({ writtenAt, digests });
      }),
    );
  });

  it('makes no digest younger: parts of milliseconds count as whole ones', () => {
    const text = headLine(WRITTEN_AT) + digestLine({ ...ONE, ageMs: 0.1 });
    expect(read(text)?.digests).toEqual([{ ...ONE, ageMs: 1 }]);
  });

  it('takes the first digests, as many as are wanted', () => {
    const digests = ['a', 'b', 'c'].map((key) => ({ ...ONE, key }));
    const text = headLine(WRITTEN_AT) + digests.map(digestLine).join('');
    expect(read(text, 2)?.digests.map(({ key }) => key)).toEqual(['a', 'b']);
  });

  it.each<[string, string]>([
    ['nothing', ''],
    ['no head', digestLine(ONE)],
    ['a head without a time', '{"boot":{"id":"b","uptimeMs":1}}\n'],
    ['a time before 1970', '{"unixMs":-1}\n'],
    ['a time that is no number', '{"unixMs":"1"}\n'],
  ])('refuses %s', (_what, text) => {
    expect(read(text)).toBeUndefined();
  });

  it.each<[string, (fields: unknown[]) => unknown]>([
    ['that is an object', (fields) => ({ fields })],
    ['without a key', (fields) => fields.with(0, null)],
    ['with a negative age', (fields) => fields.with(1, -1)],
    ['without an age', (fields) => fields.with(1, null)],
    ['with a tag for a digest', (fields) => fields.with(2, 'latest')],
    ['with a short digest', (fields) => fields.with(2, 'sha256:12')],
    ['with a number for a media type', (fields) => fields.with(3, 1)],
    ['with a source that is none', (fields) => fields.with(4, 'rumour')],
    ['without a host', (fields) => fields.with(5, null)],
    ['without attempts', (fields) => fields.slice(0, 6)],
  ])('refuses a line %s, and all with it', (_what, change) => {
    const fields: unknown = JSON.parse(digestLine(ONE));
    if (!Array.isArray(fields)) throw new Error('the line is no list');
    const text = `${headLine(WRITTEN_AT)}${digestLine(ONE)}${JSON.stringify(change(fields))}\n`;
    expect(read(text)).toBeUndefined();
  });

  it('takes no text for a part of it', () => {
    const text = headLine(WRITTEN_AT) + digestLine(ONE) + digestLine(ONE);
    const lastLine = text.length - digestLine(ONE).length;
    for (let length = 0; length < text.length - 1; length += 1) {
      const digests = read(text.slice(0, length))?.digests ?? [];
      expect(digests).toEqual(length === lastLine || length === lastLine - 1 ? [ONE] : []);
    }
  });
});
