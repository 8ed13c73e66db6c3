import { describe } from '@jest/globals';

import { deployment, FORBIDDEN, read } from '../support/doctor-facts.ts';
import { itJudges, type Row, UNREAD } from './judgement.ts';

const ROWS: readonly Row[] = [
  {
    id: 'webhook-configuration',
    when: 'there is none',
    facts: () => ({ configurations: read([]) }),
    expected: [{ status: 'failed', says: 'there is none' }],
  },
  {
    id: 'webhook-configuration',
    when: 'there is none, and Helm installed it',
    facts: () => {
      const annotations = { 'meta.helm.sh/release-name': 'pins' };
      const served = { ...deployment(), metadata: { annotations } };
      return { configurations: read([]), deployment: read(served) };
    },
    expected: [
      {
        status: 'failed',
        command: 'helm get manifest pins --namespace tagpin-system | kubectl apply --filename -',
      },
    ],
  },
  {
    id: 'webhook-configuration',
    when: 'it has no entries',
    facts: (well) => ({ configurations: read([{ ...well.configuration, webhooks: [] }]) }),
    expected: [{ status: 'failed', about: 'tagpin', says: 'no entry of it calls tagpin' }],
  },
  {
    id: 'webhook-configuration',
    when: 'there is another',
    facts: (well) => ({
      configurations: read([
        { ...well.configuration, metadata: { name: 'old' } },
        well.configuration,
      ]),
    }),
    expected: [
      { status: 'ok', about: 'tagpin' },
      {
        status: 'warning',
        about: 'old',
        command: 'kubectl delete mutatingwebhookconfiguration old',
      },
    ],
  },
  {
    id: 'webhook-configuration',
    when: 'it may not be read',
    facts: () => ({ configurations: FORBIDDEN }),
    expected: [UNREAD],
  },
];

describe('judgeConfiguration()', () => {
  itJudges(ROWS);
});
