import { describe } from '@jest/globals';

import type { Facts } from '../../src/doctor/facts.ts';
import { ABSENT, DEAD, FORBIDDEN, NOT_CALLED, read } from '../support/doctor-facts.ts';
import { itJudges, NO_LOOK, type Row, UNREAD } from './judgement.ts';

function tried(sample: object): Pick<Facts, 'trials'> {
  const image = { image: 'a.example/b:1', registry: 'a.example', pinned: false, ...sample };
  return { trials: [{ namespace: 'shop', mode: 'pin', seen: { by: 'tagpin' }, sample: image }] };
}

const ROWS: readonly Row[] = [
  {
    id: 'called',
    when: 'nobody sees the Pod, and no cause is known',
    facts: () => ({ trials: NOT_CALLED }),
    expected: [{ status: 'failed', about: 'shop (pin)', says: 'comes back with its tag' }],
  },
  {
    id: 'called',
    when: 'nobody sees the Pod, and calls fail',
    facts: () => ({ trials: NOT_CALLED, failedOpen: read({ inAll: 4, meanwhile: 1 }) }),
    expected: [{ status: 'failed', says: 'the API server calls tagpin, and the call fails' }],
  },
  {
    id: 'called',
    when: 'nobody sees the Pod, and nothing is ready',
    facts: () => ({ trials: NOT_CALLED, endpointSlices: read([]) }),
    expected: [{ status: 'warning', says: 'not looked at, because webhook-target failed' }],
  },
  {
    id: 'called',
    when: 'something else refuses the Pod',
    facts: () => {
      const seen = { by: 'unknown', why: 'the API server answered 403: quota' } as const;
      return { trials: [{ namespace: 'shop', mode: 'pin', seen, sample: undefined }] };
    },
    expected: [{ status: 'warning', says: 'not looked at: the API server answered 403: quota' }],
  },
  {
    id: 'called',
    when: 'there is nowhere to try',
    facts: () => ({ trials: [], namespaces: read([]) }),
    expected: [{ status: 'warning', says: 'no namespace is opted in' }],
  },
  {
    id: 'pinned',
    when: 'tagpin may not read the pull secret',
    facts: () => tried({ reason: 'forbidden_secret' }),
    expected: [
      {
        status: 'failed',
        says: 'a.example/b:1 keeps its tag [forbidden_secret]',
        command:
          'kubectl create rolebinding tagpin-pull-secret-reader --namespace shop --clusterrole tagpin-pull-secret-reader --serviceaccount tagpin-system:tagpin',
      },
    ],
  },
  {
    id: 'pinned',
    when: 'its registry does not answer here either',
    facts: () => ({
      ...tried({ reason: 'unavailable' }),
      registries: [
        { registry: 'a.example', places: [{ origin: 'https://a.example', problem: DEAD }] },
      ],
    }),
    expected: [{ status: 'warning', says: 'not looked at, because registry failed' }],
  },
  {
    id: 'pinned',
    when: 'nothing runs there',
    facts: () => ({
      trials: [{ namespace: 'shop', mode: 'pin', seen: { by: 'tagpin' }, sample: undefined }],
    }),
    expected: [NO_LOOK],
  },
  {
    id: 'fail-open',
    when: 'calls fail, though the Pod was seen',
    facts: () => ({ failedOpen: read({ inAll: 5, meanwhile: 2 }) }),
    expected: [{ status: 'failed', says: '2 calls failed meanwhile' }],
  },
  {
    id: 'fail-open',
    when: 'calls fail of a known cause',
    facts: () => ({ service: ABSENT, failedOpen: read({ inAll: 5, meanwhile: 2 }) }),
    expected: [{ status: 'warning', says: 'which follows from webhook-target' }],
  },
  {
    id: 'fail-open',
    when: 'the metrics may not be read',
    facts: () => ({ failedOpen: FORBIDDEN }),
    expected: [UNREAD],
  },
];

describe('judgeCalled(), judgePinned(), judgeFailOpen()', () => {
  itJudges(ROWS);
});
