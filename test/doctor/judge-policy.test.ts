import { describe } from '@jest/globals';

import type { Facts } from '../../src/doctor/facts.ts';
import { ABSENT, read } from '../support/doctor-facts.ts';
import { itJudges, type Row, type Well } from './judgement.ts';

function policy({ facts }: Well, name: string, change: object): Pick<Facts, 'policies'> {
  const whole = facts.policies.get(name);
  if (whole === undefined) throw new Error(`There is no policy ${name}`);
  return { policies: new Map([...facts.policies, [name, { ...whole, ...change }]]) };
}

const ROWS: readonly Row[] = [
  {
    id: 'enforce-policy',
    when: 'it is gone',
    facts: (well) => policy(well, 'tagpin-enforce', { policy: ABSENT }),
    expected: [{ status: 'failed', says: 'no such policy' }],
  },
  {
    id: 'enforce-policy',
    when: 'it is not bound',
    facts: (well) => policy(well, 'tagpin-enforce', { binding: ABSENT }),
    expected: [{ status: 'failed', says: 'has no binding' }],
  },
  {
    id: 'enforce-policy',
    when: 'it only warns',
    facts: (well) => {
      const spec = { policyName: 'tagpin-enforce', validationActions: ['Warn'] };
      return policy(well, 'tagpin-enforce', { binding: read({ spec }) });
    },
    expected: [{ status: 'failed', says: 'does not deny' }],
  },
  {
    id: 'enforce-policy',
    when: 'it cannot be evaluated',
    facts: (well) => {
      const typeChecking = { expressionWarnings: [{ warning: 'undeclared reference\nmore' }] };
      return policy(well, 'tagpin-enforce', { policy: read({ status: { typeChecking } }) });
    },
    expected: [{ status: 'failed', says: 'undeclared reference' }],
  },
  {
    id: 'enforce-policy',
    when: 'its list is gone',
    facts: () => ({ skipList: ABSENT }),
    expected: [{ status: 'failed', says: 'tagpin-skip-list' }],
  },
  {
    id: 'label-policy',
    when: 'it is gone',
    facts: (well) => policy(well, 'tagpin-namespace-labels', { policy: ABSENT }),
    expected: [{ status: 'warning', says: 'no such policy' }],
  },
];

describe('judgeEnforcePolicy(), judgeLabelPolicy()', () => {
  itJudges(ROWS);
});
