import { describe, expect, it } from '@jest/globals';

import { createAccessReviews } from '../../src/kube/access-reviews.ts';
import { describeError } from '../../src/log.ts';
import { createAuthority } from '../support/certificate.ts';
import { Files } from '../support/files.ts';
import { kubeconfigText } from '../support/kubeconfig.ts';
import { type Rule, type ScriptedRegistry, startRegistry } from '../support/scripted-registry.ts';

const ALICE = {
  username: 'alice',
  uid: '7',
  groups: ['dev', 'system:authenticated'],
  extra: { 'example.com/team': ['a'] },
};

const RIGHT = { verb: 'read', group: 'example.com', resource: 'things' } as const;

/** An API server that answers so, asked whether somebody may. */
async function asked(
  answer: Rule,
  run: (may: ReturnType<typeof createAccessReviews>, server: ScriptedRegistry) => Promise<void>,
): Promise<void> {
  await using files = new Files();
  const authority = await createAuthority();
  const pair = await authority.issue(['127.0.0.1']);
  const headers = { 'content-type': 'application/json' };
  await using server = await startRegistry([{ ...answer, headers }], pair);
  const file = files.write('kubeconfig', kubeconfigText(server.origin, authority.certificate));
  await run(createAccessReviews({ files: [file] }, RIGHT), server);
}

function answering(status: unknown): Rule {
  return { status: 201, body: JSON.stringify({ kind: 'SubjectAccessReview', status }) };
}

describe('createAccessReviews()', () => {
  it('asks for the right of this very user, with all that is known of them', async () => {
    await asked(answering({ allowed: true }), async (may, server) => {
      expect(await may(ALICE, 'shop')).toBe(true);
      const [request] = server.requests;
      expect(request).toMatchObject({
        method: 'POST',
        path: '/apis/authorization.k8s.io/v1/subjectaccessreviews',
      });
      expect(JSON.parse(request?.body ?? '')).toEqual({
        apiVersion: 'authorization.k8s.io/v1',
        kind: 'SubjectAccessReview',
        spec: {
          user: 'alice',
          uid: '7',
          groups: ALICE.groups,
          extra: ALICE.extra,
          resourceAttributes: {
            namespace: 'shop',
            ...RIGHT,
          },
        },
      });
    });
  });

  it.each<readonly [string, unknown]>([
    ['who may not', { allowed: false }],
    ['who is denied besides', { allowed: true, denied: true }],
    ['of whom nothing is said', {}],
    ['of whom something else is said', { allowed: 'true' }],
    ['where there is no answer in it', undefined],
  ])('takes somebody %s for one who may not', async (_, status) => {
    await asked(answering(status), async (may) => {
      expect(await may(ALICE, 'shop')).toBe(false);
    });
  });

  it('asks anew each time', async () => {
    await asked(answering({ allowed: true }), async (may, server) => {
      await may(ALICE, 'shop');
      await may(ALICE, 'shop');
      expect(server.requests).toHaveLength(2);
    });
  });

  it('rejects where the API server refuses, and repeats nothing that stands there', async () => {
    const status = { kind: 'Status', apiVersion: 'v1', code: 403, message: 'canary' };
    await asked({ status: 403, body: JSON.stringify(status) }, async (may) => {
      const refused = await may(ALICE, 'shop').catch((caught: unknown) => caught);
      expect(refused).toMatchObject({
        code: 'cluster_unreadable',
        message: 'the API server answered 403 when asked who may read things.example.com',
      });
      expect(JSON.stringify(describeError(refused))).not.toContain('canary');
    });
  });
});
