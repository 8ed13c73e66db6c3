import type { JsonObject } from '../json.ts';
import type { AskApiServer } from './api-server.ts';
import type { Fact } from './fact.ts';
import type { Facts, Installation, PolicyFacts } from './facts.ts';
import type { Features } from './features.ts';
import { type Asked, readList, readObject } from './reader.ts';

const REGISTRATION = '/apis/admissionregistration.k8s.io/v1';
const POLICIES: readonly string[] = ['tagpin-enforce', 'tagpin-namespace-labels'];

/** What is read of an installation, and of the API server. */
export type Read = Pick<
  Facts,
  | 'configurations'
  | 'namespaces'
  | 'service'
  | 'endpointSlices'
  | 'deployment'
  | 'pods'
  | 'budgets'
  | 'ownNamespace'
  | 'registrationKinds'
  | 'skipList'
  | 'policies'
>;

/** Reads everything of which the place is known before anything is read. */
export async function readAll(ask: AskApiServer, { namespace }: Installation): Promise<Read> {
  const within = `--namespace ${namespace}`;
  const object = (path: string, right: string): Promise<Fact<JsonObject>> =>
    readObject(ask, { path, right });
  const list = (path: string, right: string): Promise<Fact<readonly JsonObject[]>> =>
    readList(ask, { path, right });
  const core = `/api/v1/namespaces/${namespace}`;
  const inPlace = `labelSelector=${encodeURIComponent('app.kubernetes.io/name=tagpin')}`;
  const ofService = `labelSelector=${encodeURIComponent('kubernetes.io/service-name=tagpin')}`;
  const slices = `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices?${ofService}`;
  const budgets = `/apis/policy/v1/namespaces/${namespace}/poddisruptionbudgets`;
  const kind = 'mutatingwebhookconfigurations';
  const [configurations, namespaces, service, endpointSlices, deployment, pods] = await Promise.all(
    [
      list(`${REGISTRATION}/${kind}`, `list ${kind}.admissionregistration.k8s.io`),
      list('/api/v1/namespaces', 'list namespaces'),
      object(`${core}/services/tagpin`, `get services ${within}`),
      list(slices, `list endpointslices.discovery.k8s.io ${within}`),
      object(
        `/apis/apps/v1/namespaces/${namespace}/deployments/tagpin`,
        `get deployments.apps ${within}`,
      ),
      list(`${core}/pods?${inPlace}`, `list pods ${within}`),
    ],
  );
  const [budgetList, ownNamespace, registrationKinds, skipList, policies] = await Promise.all([
    list(budgets, `list poddisruptionbudgets.policy ${within}`),
    object(core, `get namespaces/${namespace}`),
    object(REGISTRATION, `get ${REGISTRATION}`),
    object(`${core}/configmaps/tagpin-skip-list`, `get configmaps ${within}`),
    readPolicies(ask),
  ]);
  const first = { configurations, namespaces, service, endpointSlices, deployment, pods };
  return { ...first, budgets: budgetList, ownNamespace, registrationKinds, skipList, policies };
}

async function readPolicies(ask: AskApiServer): Promise<ReadonlyMap<string, PolicyFacts>> {
  const read = (kind: string, name: string): Promise<Fact<JsonObject>> =>
    readObject(ask, {
      path: `${REGISTRATION}/${kind}/${name}`,
      right: `get ${kind}.admissionregistration.k8s.io`,
    });
  const entries = POLICIES.map(async (name): Promise<[string, PolicyFacts]> => {
    const [policy, binding] = await Promise.all([
      read('validatingadmissionpolicies', name),
      read('validatingadmissionpolicybindings', name),
    ]);
    return [name, { policy, binding }];
  });
  return new Map(await Promise.all(entries));
}

/** Reads the Secret with the certificate or the authority, where the Deployment names one. */
export async function readSecret(
  ask: AskApiServer,
  { builtIn, mounted }: Features,
): Promise<Fact<JsonObject>> {
  const { namespace, name } = builtIn ?? mounted ?? { namespace: '', name: '' };
  if (name === '') return { state: 'absent' };
  const asked: Asked = {
    path: `/api/v1/namespaces/${encodeURIComponent(namespace)}/secrets/${encodeURIComponent(name)}`,
    // Whoever wrote the Deployment chose the names: each stays one word.
    right: `get secrets/${encodeURIComponent(name)} --namespace ${encodeURIComponent(namespace)}`,
  };
  return readObject(ask, asked);
}
