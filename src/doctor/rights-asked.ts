import { objectAt } from '../json.ts';
import type { AskApiServer } from './api-server.ts';
import type { Fact } from './fact.ts';
import type { Installation } from './facts.ts';
import type { Features } from './features.ts';
import { notRead } from './reader.ts';
import type { Right } from './right.ts';

/** Who is asked of whose rights. */
interface RightsParts {
  readonly ask: AskApiServer;
  readonly installation: Installation;
  readonly isTagpin: boolean;
}

const REVIEWS = '/apis/authorization.k8s.io/v1';
const RIGHT = 'create subjectaccessreviews.authorization.k8s.io';

/** Asks the API server what tagpin's ServiceAccount may (SubjectAccessReview), or what oneself may. */
export async function askRights(
  { ask, installation, isTagpin }: RightsParts,
  { serviceAccount }: Features,
  rights: readonly Right[],
): Promise<ReadonlyMap<Right, Fact<boolean>>> {
  const { namespace } = installation;
  const user = {
    user: `system:serviceaccount:${namespace}:${serviceAccount}`,
    groups: [
      'system:serviceaccounts',
      `system:serviceaccounts:${namespace}`,
      'system:authenticated',
    ],
  };
  const path = `${REVIEWS}/${isTagpin ? 'self' : ''}subjectaccessreviews`;
  const facts = rights.map(async (right): Promise<[Right, Fact<boolean>]> => {
    const spec = { resourceAttributes: attributesOf(right), ...(!isTagpin && user) };
    const answer = await ask({ method: 'POST', path, body: { spec } });
    if (answer.status !== 201) return [right, notRead({ right: RIGHT }, answer)];
    const isAllowed = objectAt(answer.value, ['status'])?.['allowed'] === true;
    return [right, { state: 'read', value: isAllowed }];
  });
  return new Map(await Promise.all(facts));
}

function attributesOf({ verb, group, resource, namespace, name }: Right): object {
  const [plural, subresource] = resource.split('/');
  return { verb, group, resource: plural, subresource, namespace, name };
}
