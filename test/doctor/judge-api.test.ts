import { describe } from '@jest/globals';

import { FORBIDDEN, NOW_MS, read } from '../support/doctor-facts.ts';
import { itJudges, NO_LOOK, type Row, UNREAD } from './judgement.ts';

const ROWS: readonly Row[] = [
  {
    id: 'api-server',
    when: 'it is too old',
    facts: () => ({ version: read({ gitVersion: 'v1.29.14' }) }),
    expected: [{ status: 'failed', says: 'v1.29.14 is too old' }],
  },
  {
    id: 'api-server',
    when: 'it is of a cloud',
    facts: () => ({ version: read({ gitVersion: 'v1.30.1-gke.300' }) }),
    expected: [{ status: 'ok' }],
  },
  {
    id: 'policies-available',
    when: 'the API server has them not',
    facts: () => ({ registrationKinds: read({ resources: [] }) }),
    expected: [{ status: 'failed' }],
  },
  {
    id: 'policies-available',
    when: 'it may not be read',
    facts: () => ({ registrationKinds: FORBIDDEN }),
    expected: [UNREAD],
  },
  {
    id: 'clock',
    when: 'this machine is ahead',
    facts: () => ({ localMs: NOW_MS + 90_000 }),
    expected: [{ status: 'warning', says: 'is 90 s ahead of' }],
  },
  {
    id: 'clock',
    when: 'no time is told',
    facts: () => ({ serverMs: undefined }),
    expected: [NO_LOOK],
  },
  {
    id: 'replica-clock',
    when: 'one is behind, one far ahead, one is not reached, and one may not be asked',
    facts: () => ({
      replicas: [
        { pod: 'a', aheadMs: -60_000 },
        { pod: 'b', aheadMs: 600_000 },
        { pod: 'c', aheadMs: undefined },
        { pod: 'd', aheadMs: undefined, right: 'get pods/proxy' },
      ],
    }),
    expected: [
      { status: 'warning', about: 'a', says: '60 s behind' },
      { status: 'failed', about: 'b', says: '600 s ahead of' },
      {
        status: 'warning',
        about: 'c',
        command: 'kubectl port-forward --namespace tagpin-system pod/c 9090',
      },
      { status: 'warning', about: 'd', command: 'kubectl auth can-i get pods/proxy' },
    ],
  },
  {
    id: 'replica-clock',
    when: 'it is this machine that is wrong',
    facts: () => ({ localMs: NOW_MS + 600_000, replicas: [{ pod: 'a', aheadMs: -600_000 }] }),
    expected: [{ status: 'ok', about: 'a' }],
  },
];

describe('judgeApiServer(), judgePolicyKinds(), judgeClock(), judgeReplicaClocks()', () => {
  itJudges(ROWS);
});
