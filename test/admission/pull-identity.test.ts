import { describe, expect, it } from '@jest/globals';

import { pullIdentityOf } from '../../src/admission/pull-identity.ts';
import type { JsonObject } from '../../src/json.ts';
import { type Location, locationOf, podTemplateOf } from '../../src/workload/locations.ts';

const POD = where('', 'Pod');
const DEPLOYMENT = where('apps', 'Deployment');

function where(group: string, kind: string): Location {
  const found = locationOf(group, kind);
  if (found === undefined) throw new Error(`no ${kind}`);
  return found;
}

function identityOf(location: Location, spec: JsonObject): unknown {
  const object = location.isPod ? { spec } : { spec: { template: { spec } } };
  const template = podTemplateOf(object, location);
  return template && pullIdentityOf('shop', location, template);
}

describe('pullIdentityOf()', () => {
  it.each<[string, Location, JsonObject, { pullSecrets: string[]; account?: string }]>([
    ['a Pod without any', POD, {}, { pullSecrets: [] }],
    ['a Pod with an account', POD, { serviceAccountName: 'web' }, { pullSecrets: [] }],
    ['a Pod with its own', POD, { imagePullSecrets: [{ name: 'a' }] }, { pullSecrets: ['a'] }],
    ['a template without any', DEPLOYMENT, {}, { pullSecrets: [], account: 'default' }],
    [
      'a template with an account',
      DEPLOYMENT,
      { serviceAccountName: 'web' },
      { pullSecrets: [], account: 'web' },
    ],
    [
      'the old field of the account',
      DEPLOYMENT,
      { serviceAccount: 'old' },
      { pullSecrets: [], account: 'old' },
    ],
    [
      'a template with its own',
      DEPLOYMENT,
      { imagePullSecrets: [{ name: 'a' }], serviceAccountName: 'web' },
      { pullSecrets: ['a'] },
    ],
    [
      'items without a name',
      DEPLOYMENT,
      { imagePullSecrets: [{}, { name: '' }, 'a', null, { name: 'b' }] },
      { pullSecrets: ['b'] },
    ],
  ])('of %s', (...[, location, spec, expected]) => {
    const { pullSecrets, account: serviceAccount } = expected;
    expect(identityOf(location, spec)).toEqual({ namespace: 'shop', pullSecrets, serviceAccount });
  });
});
