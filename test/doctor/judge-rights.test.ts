import { describe } from '@jest/globals';

import { deployment, FORBIDDEN, rights, withFlags } from '../support/doctor-facts.ts';
import { itJudges, type Row, UNREAD } from './judgement.ts';

const ROWS: readonly Row[] = [
  {
    id: 'rights-pull-secrets',
    when: 'tagpin may read none',
    facts: () => withFlags([], 'rights-pull-secrets'),
    expected: [
      {
        status: 'failed',
        command:
          'kubectl create clusterrolebinding tagpin-pull-secret-reader --clusterrole=tagpin-pull-secret-reader --serviceaccount=tagpin-system:tagpin',
      },
    ],
  },
  {
    id: 'rights-pull-secrets',
    when: 'tagpin may not read those of one namespace',
    facts: () => ({
      rights: rights(
        deployment(),
        ({ check, namespace: where }) => check !== 'rights-excess' && where !== 'bank',
      ),
    }),
    expected: [
      {
        status: 'failed',
        about: 'bank',
        command:
          'kubectl create rolebinding tagpin-pull-secret-reader --namespace=bank --clusterrole=tagpin-pull-secret-reader --serviceaccount=tagpin-system:tagpin',
      },
    ],
  },
  {
    id: 'rights-pull-secrets',
    when: 'nobody reads any',
    facts: () => withFlags(['--no-cluster'], undefined),
    expected: [{ status: 'ok', says: 'nobody needs them' }],
  },
  {
    id: 'rights-siblings',
    when: 'tagpin may not list Pods',
    facts: () => withFlags([], 'rights-siblings'),
    expected: [
      {
        status: 'failed',
        says: 'may not list pods',
        command:
          'kubectl create clusterrolebinding tagpin-sibling-reader --clusterrole=tagpin-sibling-reader --serviceaccount=tagpin-system:tagpin',
      },
    ],
  },
  {
    id: 'rights-siblings',
    when: 'they are off, by a variable or by a flag in two words',
    facts: () => withFlags(['--sibling-pins', 'false'], undefined),
    expected: [{ status: 'ok', says: 'the feature is off' }],
  },
  {
    id: 'rights-certificates',
    when: 'tagpin may not keep them',
    facts: () => withFlags(['--certificates=built-in'], 'rights-certificates'),
    expected: [
      { status: 'failed', says: 'patch secrets "tagpin-certificates" in "tagpin-system"' },
    ],
  },
  {
    id: 'rights-events',
    when: 'tagpin may not create them',
    facts: () => withFlags(['--events'], 'rights-events'),
    expected: [{ status: 'failed', says: 'may not create events' }],
  },
  {
    id: 'rights-events',
    when: 'the settings are not known',
    facts: () => ({ deployment: FORBIDDEN }),
    expected: [{ status: 'warning', says: 'its Deployment was not seen' }],
  },
  {
    id: 'rights-audit',
    when: 'tagpin may not list workloads',
    facts: () => withFlags(['--audit-every=1h'], 'rights-audit'),
    expected: [{ status: 'failed', says: 'list deployments.apps' }],
  },
  {
    id: 'rights-explanations',
    when: 'tagpin may not ask who may have them',
    facts: () => withFlags(['--explain-in-dry-run'], 'rights-explanations'),
    expected: [{ status: 'failed', says: 'may not create subjectaccessreviews' }],
  },
  {
    id: 'rights-excess',
    when: 'tagpin may list Secrets',
    facts: () => ({
      rights: rights(
        deployment(),
        ({ check, verb, resource }) =>
          check !== 'rights-excess' || (verb === 'list' && resource === 'secrets'),
      ),
    }),
    expected: [{ status: 'warning', says: 'tagpin may list secrets, which it never does' }],
  },
  {
    id: 'rights-excess',
    when: 'nobody may ask',
    facts: (well) => ({
      rights: new Map([...well.facts.rights.keys()].map((right) => [right, FORBIDDEN])),
    }),
    expected: [UNREAD],
  },
];

describe('judgePullSecretRights(), judgeRightsOf(), judgeExcess()', () => {
  itJudges(ROWS);
});
