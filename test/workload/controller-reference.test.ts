import { describe, expect, it } from '@jest/globals';

import { controllerReference, groupOf } from '../../src/workload/controller-reference.ts';

describe('controllerReference()', () => {
  const controller = { kind: 'ReplicaSet', controller: true };

  it.each<[string, unknown, unknown]>([
    ['no owners', undefined, undefined],
    ['owners that are no list', {}, undefined],
    ['an owner that does not control', [{ kind: 'Node' }, { controller: false }], undefined],
    ['one that says so in text', [{ controller: 'true' }], undefined],
    ['the one that says so', [null, { kind: 'Node' }, controller], controller],
  ])('reads %s', (_, ownerReferences, expected) => {
    expect(controllerReference({ ownerReferences })).toBe(expected);
  });
});

describe('groupOf()', () => {
  it.each([
    ['batch/v1', 'batch'],
    ['a.b/v1', 'a.b'],
    ['v1', ''],
    ['', ''],
  ])('has of "%s" "%s"', (apiVersion, group) => {
    expect(groupOf(apiVersion)).toBe(group);
  });
});
