import { describe } from '@jest/globals';

import type { JsonObject } from '../../src/json.ts';
import { ABSENT, called, NOT_CALLED, read } from '../support/doctor-facts.ts';
import { itJudges, type Row } from './judgement.ts';

const ROWS: readonly Row[] = [
  {
    id: 'webhook-target',
    when: 'the Service is gone',
    facts: () => ({ service: ABSENT }),
    expected: [{ status: 'failed', about: 'tagpin-system/tagpin', says: 'no such Service' }],
  },
  {
    id: 'webhook-target',
    when: 'the Service has another port',
    facts: () => ({ service: read({ spec: { ports: [{ port: 8443 }] } }) }),
    expected: [{ status: 'failed', says: 'port 443, which it has not' }],
  },
  {
    id: 'webhook-target',
    when: 'nothing is ready behind it',
    facts: () => ({ endpointSlices: read([{ endpoints: [{ conditions: { ready: false } }] }]) }),
    expected: [
      {
        status: 'failed',
        says: 'of 2 Pods of tagpin none is ready',
        command:
          'kubectl describe pods --namespace tagpin-system --selector app.kubernetes.io/name=tagpin',
      },
    ],
  },
  {
    id: 'webhook-target',
    when: 'an entry calls another Service',
    facts: (well) =>
      called(well.configuration, (config) => ({
        ...config,
        service: { namespace: 'a', name: 'b', path: '/admission/pin' },
      })),
    // Every route of it is the same then.
    expected: [{ status: 'failed', says: 'calls the Service a/b' }],
  },
  {
    id: 'webhook-target',
    when: 'an address answers',
    facts: (well) => ({
      ...called(well.configuration, ({ service, caBundle }) => ({
        caBundle,
        url: `https://10.0.0.1:8443${String((service as JsonObject)['path'])}`,
      })),
      handshakes: new Map([['https://10.0.0.1:8443', { state: 'shown', chain: [] } as const]]),
    }),
    expected: [{ status: 'ok', about: 'https://10.0.0.1:8443' }],
  },
  ...(['failed', 'warning'] as const).map(
    (status): Row => ({
      id: 'webhook-target',
      when: `an address does not answer, and the API server ${status === 'failed' ? 'does not reach it either' : 'reaches it'}`,
      facts: (well) => ({
        ...called(well.configuration, ({ service, caBundle }) => ({
          caBundle,
          url: `https://10.0.0.1:8443${String((service as JsonObject)['path'])}`,
        })),
        handshakes: new Map([
          ['https://10.0.0.1:8443', { state: 'unreachable', why: 'ECONNREFUSED' } as const],
        ]),
        ...(status === 'failed' && { trials: NOT_CALLED }),
      }),
      expected: [{ status, says: 'ECONNREFUSED' }],
    }),
  ),
];

describe('judgeTarget()', () => {
  itJudges(ROWS);
});
