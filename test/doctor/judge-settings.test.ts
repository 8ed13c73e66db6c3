import { describe } from '@jest/globals';

import { ABSENT, FORBIDDEN, withFlags } from '../support/doctor-facts.ts';
import { itJudges, type Row, UNREAD } from './judgement.ts';

const ROWS: readonly Row[] = [
  {
    id: 'settings',
    when: 'a flag cannot be read',
    facts: () => withFlags(['--allow-address=bogus', '--plain-http=a.example'], undefined),
    expected: [
      {
        status: 'failed',
        about: 'tagpin-system/tagpin',
        says: '--allow-address (TAGPIN_ALLOW_ADDRESS): expected addresses such as 10.0.0.0/8, got "bogus"',
      },
    ],
  },
  {
    id: 'settings',
    when: 'they may not be read',
    facts: () => ({ deployment: FORBIDDEN }),
    expected: [UNREAD],
  },
  {
    id: 'settings',
    when: 'there is no Deployment',
    facts: () => ({ deployment: ABSENT }),
    expected: [{ status: 'warning', says: 'because replicas failed' }],
  },
];

describe('judgeSettings()', () => {
  itJudges(ROWS);
});
