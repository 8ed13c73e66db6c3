import { describe, expect, it } from '@jest/globals';

import {
  canonicalJson,
  isJsonObject,
  listOf,
  objectAt,
  parseJson,
  sameJson,
  textOf,
} from '../src/json.ts';

describe('isJsonObject()', () => {
  it.each<[unknown, boolean]>([
    [{}, true],
    [Object.create(null), true],
    [null, false],
    [undefined, false],
    [[], false],
    ['a', false],
    [7, false],
    [true, false],
  ])('says of %j: %s', (value, expected) => {
    expect(isJsonObject(value)).toBe(expected);
  });
});

describe('objectAt()', () => {
  const root = parseJson('{"a":{"b":{"c":7},"list":[{}],"nil":null},"__proto__":{"d":{}}}');

  it.each<[readonly string[], unknown]>([
    [[], root],
    [['a', 'b'], { c: 7 }],
    [['a', 'b', 'c'], undefined],
    [['a', 'b', 'c', 'toString'], undefined],
    [['a', 'list'], undefined],
    [['a', 'list', '0'], undefined],
    [['a', 'nil'], undefined],
    [['a', 'nil', 'x'], undefined],
    [['x', 'y'], undefined],
    [['d'], undefined],
    [['__proto__', 'd'], {}],
  ])('goes by %j', (path, expected) => {
    expect(objectAt(root, path)).toEqual(expected);
  });

  it.each([null, undefined, 'text', 7, []])('finds nothing below %j', (value) => {
    expect(objectAt(value, [])).toBeUndefined();
    expect(objectAt(value, ['length'])).toBeUndefined();
  });
});

describe('listOf()', () => {
  it.each<[string, readonly unknown[]]>([
    ['list', [1, null]],
    ['object', []],
    ['text', []],
    ['missing', []],
  ])('reads %s', (field, expected) => {
    expect(listOf({ list: [1, null], object: { 0: 1, length: 1 }, text: 'ab' }, field)).toEqual(
      expected,
    );
  });
});

describe('textOf()', () => {
  it.each<[string, string | undefined]>([
    ['text', 'ab'],
    ['empty', ''],
    ['number', undefined],
    ['missing', undefined],
    ['constructor', undefined],
  ])('reads %s', (field, expected) => {
    expect(textOf({ text: 'ab', empty: '', number: 7 }, field)).toBe(expected);
  });

  it('reads nothing of no object', () => {
    expect(textOf(undefined, 'text')).toBeUndefined();
  });
});

describe('parseJson()', () => {
  it.each<[string, unknown]>([
    ['{"a":[1]}', { a: [1] }],
    ['null', null],
    ['', undefined],
    ['{', undefined],
    ["{'a':1}", undefined],
    ['{"a":1}x', undefined],
  ])('reads %j', (text, expected) => {
    expect(parseJson(text)).toEqual(expected);
  });
});

describe('canonicalJson()', () => {
  it.each([
    ['{"b":1,"a":[true,null,"x\\"y"]}', '{"a":[true,null,"x\\"y"],"b":1}'],
    ['[[],{},{"a":{}}]', '[[],{},{"a":{}}]'],
    ['{"10":1,"9":2}', '{"10":1,"9":2}'],
    ['"text"', '"text"'],
    ['null', 'null'],
  ])('writes %s with its keys sorted', (text, expected) => {
    expect(canonicalJson(JSON.parse(text))).toBe(expected);
  });

  it('leaves out what is undefined, as JSON does', () => {
    expect(canonicalJson({ a: undefined, b: [undefined], c: 1 })).toBe('{"b":[null],"c":1}');
  });

  it('is not stopped by values that are nested deeper than the stack', () => {
    const deep = '['.repeat(50_000) + ']'.repeat(50_000);
    expect(canonicalJson(JSON.parse(deep))).toBe(deep);
  });
});

describe('sameJson()', () => {
  it.each([
    ['equal', '{"a":[1,{"b":null}]}', '{"a":[1,{"b":null}]}', true],
    ['in another order of keys', '{"a":1,"b":2}', '{"b":2,"a":1}', true],
    ['in another order of a list', '[1,2]', '[2,1]', false],
    ['null and missing', '{"a":null}', '{}', false],
    ['a number and a text', '{"a":1}', '{"a":"1"}', false],
    ['a list and an object', '[]', '{}', false],
    ['__proto__ and nothing', '{"__proto__":{"a":1}}', '{}', false],
    ['deeper', '{"a":{"b":{"c":1}}}', '{"a":{"b":{"c":2}}}', false],
  ])('compares values that are %s', (...[, one, other, expected]) => {
    expect(sameJson(JSON.parse(one), JSON.parse(other))).toBe(expected);
    expect(sameJson(JSON.parse(other), JSON.parse(one))).toBe(expected);
  });
});
