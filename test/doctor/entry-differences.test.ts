import { describe, expect, it } from '@jest/globals';

import { differences } from '../../src/doctor/entry-differences.ts';
import { shippedEntries } from '../../src/doctor/shipped-entries.ts';
import type { JsonObject } from '../../src/json.ts';

const SHIPPED = shippedEntries('tagpin-system').find(
  ({ name }) => name === 'workloads.pin.tagpin.dev',
);
const NAMES = 'kubernetes.io/metadata.name';
const LEVEL = { key: 'tagpin.dev/level', operator: 'NotIn', values: ['pods'] };
const OURS = {
  key: NAMES,
  operator: 'NotIn',
  values: ['kube-system', 'kube-node-lease', 'tagpin-system'],
};
const CI = { key: NAMES, operator: 'NotIn', values: ['ci'] };
const ALL_AND_CI = { ...OURS, values: [...OURS.values, 'ci'] };

const ROLLOUTS = {
  apiGroups: ['argoproj.io'],
  apiVersions: ['v1alpha1'],
  operations: ['CREATE', 'UPDATE'],
  resources: ['rollouts'],
};

/** By field what is wanted of the shipped entry with changes. */
function wanted(changes: JsonObject): JsonObject {
  if (SHIPPED === undefined) throw new Error('There is no such entry');
  const { rules, namespaceSelector, fields } = SHIPPED;
  const found = differences({ ...fields, rules, namespaceSelector, ...changes }, SHIPPED);
  return Object.fromEntries(found.map((one) => [one.field, one.wanted]));
}

function selecting(...matchExpressions: readonly object[]): JsonObject {
  return {
    namespaceSelector: { matchLabels: { 'tagpin.dev/mode': 'pin' }, matchExpressions },
  };
}

describe('differences()', () => {
  it.each([
    ['as shipped', [OURS, LEVEL]],
    ['in another order', [LEVEL, OURS]],
    ['with a namespace more that is left out', [OURS, LEVEL, CI]],
    ['with one more in the same list', [ALL_AND_CI, LEVEL]],
  ])('lets a selector be that is %s', (_how, demands) => {
    expect(wanted(selecting(...demands))).toEqual({});
  });

  it.each([
    ['selects by name', [OURS, LEVEL, { key: NAMES, operator: 'In', values: ['shop'] }]],
    ['demands a name', [OURS, LEVEL, { key: NAMES, operator: 'Exists' }]],
    ['selects by level', [OURS, LEVEL, { ...LEVEL, operator: 'In' }]],
    ['leaves out more levels', [OURS, { ...LEVEL, values: ['pods', 'workloads'] }]],
    ['selects by another label', [OURS, LEVEL, { key: 'team', operator: 'Exists' }]],
    ['forgets a namespace', [{ ...OURS, values: ['kube-system'] }, LEVEL]],
    ['forgets the level', [OURS]],
  ])('tells of a selector that %s, and wants the shipped one', (_how, demands) => {
    expect(wanted(selecting(...demands))).toEqual(selecting(OURS, LEVEL));
  });

  it.each([
    ['of their own', [LEVEL, CI], [OURS, LEVEL, CI]],
    ['in one list', [ALL_AND_CI], [ALL_AND_CI, LEVEL]],
  ])('wants no selector without the namespaces that somebody left out, %s', (_how, is, merged) => {
    expect(wanted(selecting(...is))).toEqual(selecting(...merged));
  });

  it('wants no rules without those for custom resources', () => {
    const rules = SHIPPED?.rules ?? [];
    expect(wanted({ rules: [...rules, ROLLOUTS] })).toEqual({});
    expect(wanted({ rules: rules.slice(1) })).toEqual({ rules });
    expect(wanted({ rules: [ROLLOUTS, ...rules.slice(1)] })).toEqual({
      rules: [...rules, ROLLOUTS],
    });
  });
});
