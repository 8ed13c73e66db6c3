import { describe, expect, it } from '@jest/globals';

import type { ApiAnswer, ApiRequest } from '../../src/doctor/api-server.ts';
import { featuresOf } from '../../src/doctor/features.ts';
import type { Right } from '../../src/doctor/right.ts';
import { askRights } from '../../src/doctor/rights-asked.ts';

const EXEC: Right = {
  check: 'rights-excess',
  verb: 'create',
  group: '',
  resource: 'pods/exec',
  namespace: 'shop',
};
const PATCH: Right = {
  check: 'rights-certificates',
  verb: 'patch',
  group: 'admissionregistration.k8s.io',
  resource: 'mutatingwebhookconfigurations',
  name: 'tagpin',
};
const REVIEWS = '/apis/authorization.k8s.io/v1';

/** What was asked of an API server that answers this, and what came of it. */
async function asked(
  answer: Partial<ApiAnswer>,
  rights: readonly Right[],
  isTagpin = false,
): Promise<{ readonly requests: readonly ApiRequest[]; readonly facts: readonly unknown[] }> {
  const requests: ApiRequest[] = [];
  const parts = {
    ask: (request: ApiRequest) => {
      requests.push(request);
      return Promise.resolve({ ...SILENT, ...answer });
    },
    installation: { namespace: 'pins', configuration: 'tagpin' },
    isTagpin,
  };
  const facts = await askRights(parts, featuresOf(undefined, 'pins'), rights);
  return { requests, facts: rights.map((right) => facts.get(right)) };
}

const SILENT: ApiAnswer = {
  status: 201,
  message: undefined,
  value: undefined,
  text: '',
  warnings: [],
  dateMs: undefined,
};

describe('askRights()', () => {
  it('asks of the ServiceAccount, with the groups that it is in', async () => {
    const { requests } = await asked({}, [EXEC, PATCH]);
    const account = {
      user: 'system:serviceaccount:pins:tagpin',
      groups: ['system:serviceaccounts', 'system:serviceaccounts:pins', 'system:authenticated'],
    };
    const attributes = [
      { verb: 'create', group: '', resource: 'pods', subresource: 'exec', namespace: 'shop' },
      {
        verb: 'patch',
        group: 'admissionregistration.k8s.io',
        resource: 'mutatingwebhookconfigurations',
        name: 'tagpin',
      },
    ];
    expect(requests).toEqual(
      attributes.map((resourceAttributes) => ({
        method: 'POST',
        path: `${REVIEWS}/subjectaccessreviews`,
        body: { spec: { resourceAttributes, ...account } },
      })),
    );
  });

  it('asks of itself in the Pod of tagpin, and names nobody', async () => {
    const { requests } = await asked({}, [EXEC], true);
    expect(requests).toMatchObject([{ path: `${REVIEWS}/selfsubjectaccessreviews` }]);
    const specs = requests.map(({ body }) => (body as { spec: object }).spec);
    expect(specs.map((spec) => Object.keys(spec))).toEqual([['resourceAttributes']]);
  });

  it.each([
    ['yes', { value: { status: { allowed: true } } }, { state: 'read', value: true }],
    ['no', { value: { status: { allowed: false } } }, { state: 'read', value: false }],
    ['nothing of use', { value: { status: 'x' } }, { state: 'read', value: false }],
    [
      'that nobody may ask',
      { status: 403 },
      {
        state: 'unread',
        why: 'you may not create subjectaccessreviews.authorization.k8s.io',
        right: 'create subjectaccessreviews.authorization.k8s.io',
      },
    ],
    ['with an error', { status: 500 }, { state: 'unread', why: expect.stringContaining('500') }],
  ])('knows what to make of an API server that says %s', async (_what, answer, fact) => {
    expect((await asked(answer, [PATCH])).facts).toEqual([fact]);
  });
});
