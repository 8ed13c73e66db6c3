import { describe, expect, it } from '@jest/globals';

import { controllerOf } from '../../src/admission/owner.ts';
import { SERVE_SETTINGS } from '../../src/config.ts';
import { readSettings } from '../../src/settings/setting.ts';
import { Admission, digest } from '../support/admission.ts';
import { objectOf, POD, specOf } from '../support/review.ts';

describe('controllerOf()', () => {
  it.each<[string, unknown, unknown]>([
    ['no owners', undefined, undefined],
    ['owners that are no list', {}, undefined],
    ['one that does not control', [{ apiVersion: 'v1', kind: 'Node', uid: 'u' }], undefined],
    [
      'one that says so in text',
      [{ apiVersion: 'v1', kind: 'Node', controller: 'true' }],
      undefined,
    ],
    [
      'the second of two',
      [
        null,
        { kind: 'A' },
        { apiVersion: 'a.b/v1', kind: 'B', name: 'n', uid: 'u', controller: true },
      ],
      { group: 'a.b', kind: 'B', name: 'n', uid: 'u' },
    ],
    [
      'one of the core group',
      [{ apiVersion: 'v1', kind: 'ReplicationController', name: 'n', uid: 'u', controller: true }],
      { group: '', kind: 'ReplicationController', name: 'n', uid: 'u' },
    ],
    [
      'one that says nothing else',
      [{ controller: true }],
      { group: '', kind: '', name: '', uid: '' },
    ],
  ])('reads %s', (_, ownerReferences, expected) => {
    expect(controllerOf({ ownerReferences })).toEqual(expected);
  });
});

describe('--skip-owner', () => {
  const { skipOwner } = readSettings(SERVE_SETTINGS, { flags: {}, environment: {} });

  function outcomeOf(apiVersion: string, kind: string, update = false): string {
    const ownerReferences = [{ apiVersion, kind, name: 'n', uid: 'u', controller: true }];
    const object = objectOf(POD, {
      metadata: { ownerReferences },
      spec: specOf({ web: 'nginx:1' }),
    });
    const request = { object, ...(update && { oldObject: object }) };
    const tags = { 'docker.io/library/nginx:1': digest('a') };
    return new Admission(tags, { skipOwner }).review(POD, request).report.outcome;
  }

  it.each([
    ['postgresql.cnpg.io/v1', 'Cluster', 'foreign_owner'],
    ['postgresql.cnpg.io/v2beta1', 'Cluster', 'foreign_owner'],
    ['operators.coreos.com/v1alpha1', 'CatalogSource', 'foreign_owner'],
    ['nifi.konpyutaika.com/v1', 'NifiCluster', 'foreign_owner'],
    ['cluster.x-k8s.io/v1', 'Cluster', 'pinned'],
    ['postgresql.cnpg.io/v1', 'Backup', 'pinned'],
    ['v1', 'Cluster', 'pinned'],
    ['apps/v1', 'ReplicaSet', 'pinned'],
  ])('by default, decides on a Pod of %s %s', (apiVersion, kind, expected) => {
    expect(outcomeOf(apiVersion, kind)).toBe(expected);
    const updated = expected === 'foreign_owner' ? expected : 'unchanged';
    expect(outcomeOf(apiVersion, kind, true)).toBe(updated);
  });
});
