import { describe } from '@jest/globals';

import { ABSENT, deployment, pod, read } from '../support/doctor-facts.ts';
import { itJudges, type Row } from './judgement.ts';

const ROWS: readonly Row[] = [
  {
    id: 'replicas',
    when: 'none is ready',
    facts: () => ({ deployment: read(deployment([], 0)) }),
    expected: [{ status: 'failed', says: '0 of 2 replicas are ready' }],
  },
  {
    id: 'replicas',
    when: 'one of two is ready',
    facts: () => ({ deployment: read(deployment([], 1)) }),
    expected: [{ status: 'warning', says: '1 of 2 replicas are ready' }],
  },
  {
    id: 'replicas',
    when: 'one is all that there is to be',
    facts: () => ({ deployment: read(deployment([], 1, 1)) }),
    expected: [
      {
        status: 'warning',
        command: 'kubectl scale deployment tagpin --namespace tagpin-system --replicas=2',
      },
    ],
  },
  {
    id: 'replicas',
    when: 'they are of different images',
    facts: () => ({
      pods: read([pod('a', 'tagpin:1'), pod('b', 'tagpin:2'), pod('c', 'tagpin:3', 'False')]),
    }),
    expected: [{ status: 'warning', says: 'different images: tagpin:1, tagpin:2' }],
  },
  {
    id: 'replicas',
    when: 'there is no Deployment',
    facts: () => ({ deployment: ABSENT }),
    expected: [{ status: 'failed', says: 'no such Deployment' }],
  },
  {
    id: 'disruption-budget',
    when: 'there is none',
    facts: () => ({ budgets: read([]) }),
    expected: [
      {
        status: 'warning',
        command:
          'kubectl create poddisruptionbudget tagpin --namespace=tagpin-system --selector=app.kubernetes.io/name=tagpin --max-unavailable=1',
      },
    ],
  },
];

describe('judgeReplicas(), judgeBudget()', () => {
  itJudges(ROWS);
});
