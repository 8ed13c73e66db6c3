import { describe, expect, it } from '@jest/globals';

import { imagePlacesOf, labelOf, locationOf, podTemplateOf } from '../../src/workload/locations.ts';
import {
  CONTAINERS,
  EPHEMERAL,
  INIT_CONTAINERS,
  JOB,
  type Json,
  KINDS,
  objectOf,
  POD,
  VOLUMES,
} from '../support/review.ts';

describe('locationOf()', () => {
  it.each(KINDS)('knows where a $kind keeps its pod template', (kind) => {
    expect(locationOf(kind.group, kind.kind)).toEqual({
      kind: kind.kind,
      template: kind.template,
      isPod: kind === POD,
      immutable: kind === JOB,
    });
  });

  it.each([
    ['', 'Deployment'],
    ['apps', 'Pod'],
    ['apps', 'deployment'],
    ['extensions', 'Deployment'],
    ['', 'constructor'],
    ['', '__proto__'],
    ['', ''],
  ])('knows no %s/%s', (group, kind) => {
    expect(locationOf(group, kind)).toBeUndefined();
  });
});

describe.each(KINDS)('podTemplateOf() of a $kind', (kind) => {
  const where = locationOf(kind.group, kind.kind);
  if (where === undefined) throw new Error(`no location of ${kind.kind}`);

  it('finds spec, annotations and the pointer to them', () => {
    const object = objectOf(kind, { spec: { a: 1 }, annotations: { b: 'c' } });
    expect(podTemplateOf(object, where)).toMatchObject({
      spec: { a: 1 },
      annotations: { b: 'c' },
      pointer: kind.template.map((step) => `/${step}`).join(''),
    });
  });

  it.each([
    ['nothing', undefined],
    ['a list', []],
    ['an empty object', {}],
    ['a spec that is a list', objectOf(kind, { spec: [] as unknown as Json })],
    ['a spec that is null', objectOf(kind, { spec: null as unknown as Json })],
  ])('finds none in %s', (_, object) => {
    expect(podTemplateOf(object, where)).toBeUndefined();
  });
});

function empty(length: number): Json[] {
  return Array.from({ length }, () => ({}));
}

/** Items of a list that each hold an image, as small as they can be. */
function images(list: string, length: number): Json[] {
  return list === 'volumes'
    ? Array.from({ length }, () => ({ image: { reference: 'm:1' } }))
    : empty(length);
}

describe('imagePlacesOf()', () => {
  const where = locationOf('', 'Pod');
  if (where === undefined) throw new Error('no location of Pod');
  const lists = [CONTAINERS, INIT_CONTAINERS, EPHEMERAL, VOLUMES];

  function placesIn(spec: Json): unknown[] {
    const template = where && podTemplateOf({ spec }, where);
    return template === undefined ? [] : imagePlacesOf(template);
  }

  it.each(lists)('tells all there is to know of an image of $list', (list) => {
    const item = list.item('web', 'nginx:1', { imagePullPolicy: 'Never' });
    const holder = list === VOLUMES ? '/image/reference' : '/image';
    expect(placesIn({ [list.list]: [{}, item] }).at(-1)).toEqual({
      key: `${list.keyPrefix}web`,
      list: list.list,
      image: 'nginx:1',
      pullPolicy: 'Never',
      pointer: `/spec/${list.list}/1${holder}`,
      recorded: list !== EPHEMERAL,
      immutableInPod: list === EPHEMERAL || list === VOLUMES,
    });
  });

  it('goes through the lists in one order, whatever the order of the object', () => {
    const spec = Object.fromEntries(
      lists.toReversed().map((list) => [list.list, [list.item(list.list, 'a')]]),
    );
    expect(placesIn(spec)).toMatchObject(lists.map(({ list }) => ({ list })));
  });

  it.each<[string, unknown]>([
    ['undefined', undefined],
    ['null', null],
    ['a number', 7],
    ['an object', {}],
    ['a list', ['nginx']],
  ])('takes an image that is %s for an empty one', (_, image) => {
    expect(placesIn({ containers: [{ name: 7, image }] })).toMatchObject([
      { key: '', image: '', pullPolicy: undefined },
    ]);
  });

  it.each<[string, unknown]>([
    ['null', null],
    ['a text', 'web'],
    ['a list', [[]]],
    ['an emptyDir', { name: 'data', emptyDir: {} }],
    ['an image that is a text', { name: 'data', image: 'nginx' }],
  ])('finds no image volume in %s', (_, volume) => {
    expect(placesIn({ volumes: [volume] })).toEqual([]);
  });

  it('counts no volume without an image', () => {
    const volumes = Array.from({ length: 5001 }, () => ({ name: 'data', emptyDir: {} }));
    expect(placesIn({ containers: [{ name: 'web' }], volumes })).toHaveLength(1);
  });

  it.each([
    ['5,000 in one list', 5000, 0, 5000],
    ['5,000 in two lists', 2500, 2500, 5000],
  ])('reads %s', (...[, containers, initContainers, expected]) => {
    const spec = {
      containers: empty(containers),
      initContainers: empty(initContainers),
    };
    expect(placesIn(spec)).toHaveLength(expected);
  });

  it.each(['containers', 'initContainers', 'ephemeralContainers', 'volumes'])(
    'refuses one more, in %s',
    (last) => {
      const first = last === 'containers' ? 'volumes' : 'containers';
      const spec = { [first]: images(first, 5000), [last]: images(last, 1) };
      expect(() => placesIn(spec)).toThrow(
        expect.objectContaining({
          code: 'review_too_large',
          message: 'The pod spec has 5001 images, of which at most 5000 are read',
        }),
      );
    },
  );
});

describe('labelOf()', () => {
  it.each([CONTAINERS, INIT_CONTAINERS, EPHEMERAL, VOLUMES])('names an image of $list', (list) => {
    const place = { list: list.list, key: `${list.keyPrefix}web` };
    expect(labelOf(place)).toBe(`${list.noun} "web"`);
  });

  it.each([
    ['quotes', 'a"b\\', 'a\\"b\\\\'],
    ['what moves a cursor', '\n\u001b[2J', '\\n\\u001b[2J'],
    ['what turns text round', 'a\u202eb', 'a\\u202eb'],
  ])('escapes %s', (_, key, shown) => {
    expect(labelOf({ list: 'containers', key })).toBe(`container "${shown}"`);
  });
});
