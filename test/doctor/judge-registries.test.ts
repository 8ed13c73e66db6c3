import { describe } from '@jest/globals';

import { DEAD, FORBIDDEN } from '../support/doctor-facts.ts';
import { itJudges, type Row, UNREAD } from './judgement.ts';

const ROWS: readonly Row[] = [
  {
    id: 'registry',
    when: 'it does not answer, and a mirror of another one does not',
    facts: () => ({
      registries: [
        { registry: 'a.example', places: [{ origin: 'https://a.example', problem: DEAD }] },
        {
          registry: 'b.example',
          places: [
            { origin: 'https://mirror.example', problem: DEAD },
            { origin: 'https://b.example', problem: undefined },
          ],
        },
      ],
    }),
    expected: [
      { status: 'failed', about: 'a.example', says: '[unavailable], as seen from where this runs' },
      { status: 'warning', about: 'b.example' },
    ],
  },
  {
    id: 'registry',
    when: 'Pods may not be listed',
    facts: () => ({
      registries: [],
      searched: [{ namespace: 'shop', mode: 'pin', pods: FORBIDDEN }],
    }),
    expected: [{ ...UNREAD, about: 'of namespace shop' }],
  },
];

describe('judgeRegistries()', () => {
  itJudges(ROWS);
});
