import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';

import { PinError } from '../../src/errors.ts';
import { type Fields, readDocument } from '../../src/image/document.ts';

function read(text: string): Fields {
  return readDocument(new TextEncoder().encode(text), 'the index');
}

function refusal(code: string, message: string): unknown {
  return expect.objectContaining({ name: 'PinError', code, message });
}

function thrownBy(act: () => unknown): unknown {
  try {
    act();
  } catch (caught) {
    return caught;
  }
  return undefined;
}

describe('readDocument()', () => {
  it.each<[string, Uint8Array, string]>([
    ['nothing', new Uint8Array(), 'it is not JSON'],
    ['HTML', new TextEncoder().encode('<html>secret'), 'it is not JSON'],
    ['a text without end', new TextEncoder().encode('{"a":"b\\"'), 'it is not JSON'],
    ['bytes that are not UTF-8', new Uint8Array([0x22, 0xff, 0x22]), 'it is not JSON'],
    ['a byte order mark', new TextEncoder().encode('\ufeff{}'), 'it is not JSON'],
    ['a list', new TextEncoder().encode('[]'), 'it is no JSON object'],
    ['null', new TextEncoder().encode('null'), 'it is no JSON object'],
  ])('refuses %s', (_, bytes, reason) => {
    expect(() => readDocument(bytes, 'the index')).toThrow(
      refusal('invalid_response', `Cannot read the index: ${reason}`),
    );
  });

  it.each([
    ['objects', (count: number) => `{"a":[${Array(count).fill('{}').join()}]}`, 49_998],
    ['numbers', (count: number) => `{"a":[${Array(count).fill('1').join()}]}`, 99_998],
    ['lists in lists', (count: number) => `{"a":${'['.repeat(count)}${']'.repeat(count)}}`, 99_999],
  ])('refuses more than 100,000 values, in %s', (_, write, most) => {
    const tooMany = refusal(
      'unsupported_manifest',
      'Cannot read the index: it has too many values',
    );
    expect(() => read(write(most + 2))).toThrow(tooMany);
    expect(() => read(write(most))).not.toThrow();
  });

  it('does not count what stands in a text', () => {
    const text = '"\\,[{'.repeat(200_000);
    expect(read(JSON.stringify({ text })).text('text')).toBe(text);
  });
});

describe('Fields', () => {
  const fields = read(
    JSON.stringify({
      text: 'a',
      count: 3,
      yes: true,
      object: { text: 'b' },
      objects: [{ text: 'c' }, { text: 'd' }],
      texts: ['e', 'f'],
      map: { x: 'y', constructor: 'z' },
      nothing: null,
      big: 2 ** 60,
      negative: -1,
    }).replace('{"x"', '{"__proto__":"p","x"'),
  );

  it('gives each in its type', () => {
    expect(fields.text('text')).toBe('a');
    expect(fields.count('count')).toBe(3);
    expect(fields.isTrue('yes')).toBe(true);
    expect(fields.object('object')?.text('text')).toBe('b');
    expect(fields.section('object').text('text')).toBe('b');
    expect(fields.objects('objects').map((one) => one.text('text'))).toEqual(['c', 'd']);
    expect(fields.texts('texts')).toEqual(['e', 'f']);
    expect([...fields.textMap('map')]).toEqual([
      ['__proto__', 'p'],
      ['x', 'y'],
      ['constructor', 'z'],
    ]);
    expect(fields.keys('map')).toEqual(['__proto__', 'x', 'constructor']);
  });

  it.each(['nothing', 'missing', 'toString', '__proto__'])('takes %s for missing', (name) => {
    expect(fields.text(name)).toBeUndefined();
    expect(fields.count(name)).toBeUndefined();
    expect(fields.isTrue(name)).toBe(false);
    expect(fields.object(name)).toBeUndefined();
    expect(fields.section(name).text('text')).toBeUndefined();
    expect(fields.objects(name)).toEqual([]);
    expect(fields.texts(name)).toEqual([]);
    expect(fields.textMap(name).size).toBe(0);
    expect(fields.keys(name)).toEqual([]);
  });

  it.each<[string, () => unknown, string]>([
    ['a number for a text', () => fields.text('count'), 'its count is no text'],
    ['a text for a count', () => fields.count('text'), 'its text is no count'],
    ['less than nothing', () => fields.count('negative'), 'its negative is no count'],
    ['what a number cannot count', () => fields.count('big'), 'its big is no count'],
    ['a text for a truth', () => fields.isTrue('text'), 'its text is neither true nor false'],
    ['a list for an object', () => fields.object('texts'), 'its texts is no object'],
    ['an object for a list', () => fields.texts('object'), 'its object is no list'],
    ['texts for objects', () => fields.objects('texts'), 'its texts[0] is no object'],
    ['objects for texts', () => fields.texts('objects'), 'its objects[0] is no text'],
  ])('refuses %s', (_, act, reason) => {
    expect(act).toThrow(refusal('unsupported_manifest', `Cannot read the index: ${reason}`));
  });

  it('says where, below the document', () => {
    expect(() => fields.objects('objects')[1]?.count('text')).toThrow(
      refusal('unsupported_manifest', 'Cannot read the index, objects[1]: its text is no count'),
    );
  });

  it('throws nothing but PinError', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.constantFrom('a', 'b', '__proto__'), fc.jsonValue()),
        (value) => {
          const document = read(JSON.stringify(value));
          const reads = [
            () => document.text('a'),
            () => document.objects('a').map((one) => one.texts('b')),
            () => document.textMap('b'),
            () => document.section('__proto__').keys('a'),
          ];
          const thrown = reads.map(thrownBy).filter((error) => error !== undefined);
          expect(thrown.filter((error) => !(error instanceof PinError))).toEqual([]);
        },
      ),
    );
  });
});
