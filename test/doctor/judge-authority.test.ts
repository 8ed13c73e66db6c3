import { describe } from '@jest/globals';

import type { Facts } from '../../src/doctor/facts.ts';
import { createAuthority } from '../support/certificate.ts';
import { called, FORBIDDEN, NOW_MS, read, withFlags } from '../support/doctor-facts.ts';
import { itJudges, type Row, UNREAD, type Well } from './judgement.ts';

const DAY_MS = 86_400_000;

async function secretOf(
  { authority }: Well,
  names: readonly string[],
  notAfter?: Date,
): Promise<Pick<Facts, 'secret'>> {
  const { cert } = await authority.issue(names, notAfter);
  const [leaf, own] = [cert, authority.certificate].map((pem) =>
    Buffer.from(pem).toString('base64'),
  );
  return { secret: read({ data: { 'tls.crt': leaf, 'ca.crt': own } }) };
}

function builtIn(certificate: string): Partial<Facts> {
  const state = JSON.stringify({ generations: [{ certificate, key: 'canary' }] });
  const data = { 'certificates.json': Buffer.from(state).toString('base64') };
  return { ...withFlags(['--certificates=built-in'], undefined), secret: read({ data }) };
}

const ROWS: readonly Row[] = [
  {
    id: 'ca-bundle',
    when: 'it is empty',
    facts: (well) => called(well.configuration, (config) => ({ ...config, caBundle: '' })),
    expected: [{ status: 'failed', says: 'holds no certificate', command: 'caBundle' }],
  },
  {
    id: 'ca-bundle',
    when: 'another authority stands in it',
    facts: async (well) => {
      const other = await createAuthority();
      const caBundle = Buffer.from(other.certificate).toString('base64');
      return called(well.configuration, (config) => ({ ...config, caBundle }));
    },
    expected: [
      {
        status: 'failed',
        about: 'tagpin',
        says: 'did not sign what tagpin shows',
        command: 'caBundle',
      },
    ],
  },
  {
    id: 'ca-bundle',
    when: 'it has expired',
    facts: () => ({ serverMs: NOW_MS + 4000 * DAY_MS, localMs: NOW_MS + 4000 * DAY_MS }),
    expected: [{ status: 'failed', says: 'no certificate that is valid now' }],
  },
  {
    id: 'ca-bundle',
    when: 'the certificate ends tomorrow',
    facts: (well) => secretOf(well, ['tagpin.tagpin-system.svc'], new Date(NOW_MS + DAY_MS)),
    expected: [{ status: 'warning', says: 'ends soon' }],
  },
  {
    id: 'ca-bundle',
    when: 'the certificate has expired',
    facts: async (well) => ({
      ...(await secretOf(well, ['tagpin.tagpin-system.svc'], new Date(NOW_MS + DAY_MS))),
      serverMs: NOW_MS + 2 * DAY_MS,
    }),
    expected: [{ status: 'failed', says: 'has expired' }],
  },
  {
    id: 'ca-bundle',
    when: 'the certificate is for another name',
    facts: (well) => secretOf(well, ['tagpin.elsewhere.svc']),
    expected: [{ status: 'failed', says: 'is not for tagpin.tagpin-system.svc' }],
  },
  {
    id: 'ca-bundle',
    when: 'the Secret may not be read',
    facts: () => ({ secret: FORBIDDEN }),
    expected: [UNREAD],
  },
  {
    id: 'ca-bundle',
    when: 'it is built in, and has the authority of the Secret',
    facts: (well) => builtIn(well.authority.certificate),
    expected: [{ status: 'ok' }],
  },
  {
    id: 'ca-bundle',
    when: 'it is built in, and has not',
    facts: async () => builtIn((await createAuthority()).certificate),
    expected: [
      { status: 'failed', command: 'kubectl logs --namespace tagpin-system deployment/tagpin' },
    ],
  },
];

describe('judgeAuthority()', () => {
  itJudges(ROWS);
});
