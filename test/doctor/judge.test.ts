import { beforeAll, describe, expect, it } from '@jest/globals';

import type { Facts } from '../../src/doctor/facts.ts';
import { CHECKS, type CheckId, type Finding, type Status } from '../../src/doctor/finding.ts';
import { judge } from '../../src/doctor/judge.ts';
import type { JsonObject } from '../../src/json.ts';
import { type Authority, createAuthority } from '../support/certificate.ts';
import {
  ABSENT,
  configuration,
  deployment,
  FORBIDDEN,
  healthyFacts,
  NOW_MS,
  namespace,
  pod,
  read,
  rights,
} from '../support/doctor-facts.ts';

let authority: Authority;
let healthy: Facts;
let entries: JsonObject;

beforeAll(async () => {
  authority = await createAuthority();
  healthy = await healthyFacts(authority);
  entries = configuration(authority);
});

interface Expected {
  readonly status: Status;
  readonly about?: string | undefined;
  /** A part of what is said. */
  readonly says?: string | undefined;
  readonly command?: string | undefined;
}

interface Row {
  readonly id: CheckId;
  readonly when: string;
  readonly facts: () => Partial<Facts> | Promise<Partial<Facts>>;
  readonly expected: readonly Expected[];
}

/** The configuration with one entry changed, or taken out where `change` gives nothing. */
function changed(
  name: string,
  change: (entry: JsonObject) => JsonObject | undefined,
): Pick<Facts, 'configurations'> {
  const webhooks = entries['webhooks'] as readonly JsonObject[];
  const next = webhooks.flatMap((entry) =>
    entry['name'] === name ? (change(entry) ?? []) : [entry],
  );
  return { configurations: read([{ ...entries, webhooks: next }]) };
}

/** All entries, with other clientConfigs. */
function called(clientConfig: (entry: JsonObject) => JsonObject): Pick<Facts, 'configurations'> {
  const webhooks = (entries['webhooks'] as readonly JsonObject[]).map((entry) => ({
    ...entry,
    clientConfig: clientConfig(entry['clientConfig'] as JsonObject),
  }));
  return { configurations: read([{ ...entries, webhooks }]) };
}

function policy(name: string, facts: object): Pick<Facts, 'policies'> {
  const whole = healthy.policies.get(name);
  if (whole === undefined) throw new Error(`There is no policy ${name}`);
  return { policies: new Map([...healthy.policies, [name, { ...whole, ...facts }]]) };
}

function withFlags(flags: readonly string[], lacking: CheckId | undefined): Partial<Facts> {
  const served = deployment(flags);
  const isAllowed = ({ check }: { check: CheckId }): boolean =>
    check !== 'rights-excess' && check !== lacking;
  return { deployment: read(served), rights: rights(served, isAllowed) };
}

const NOT_CALLED: Facts['trials'] = [
  { namespace: 'shop', mode: 'pin', seen: { by: 'nobody' }, sample: undefined },
];

function tried(sample: object): Pick<Facts, 'trials'> {
  const image = { image: 'a.example/b:1', registry: 'a.example', pinned: false, ...sample };
  return { trials: [{ namespace: 'shop', mode: 'pin', seen: { by: 'tagpin' }, sample: image }] };
}

const DEAD = { reason: 'unavailable', message: 'a.example refuses connections', advice: 'wait' };
const UNREAD: Expected = { status: 'warning', says: 'not looked at: you may not get things' };
const NO_LOOK: Expected = { status: 'warning', says: 'not looked at' };
const DAY_MS = 86_400_000;

const ROWS: readonly Row[] = [
  {
    id: 'api-server',
    when: 'it is too old',
    facts: () => ({ version: read({ gitVersion: 'v1.29.14' }) }),
    expected: [{ status: 'failed', says: 'v1.29.14 is too old' }],
  },
  {
    id: 'api-server',
    when: 'it is of a cloud',
    facts: () => ({ version: read({ gitVersion: 'v1.30.1-gke.300' }) }),
    expected: [{ status: 'ok' }],
  },
  {
    id: 'policies-available',
    when: 'the API server has them not',
    facts: () => ({ registrationKinds: read({ resources: [] }) }),
    expected: [{ status: 'failed' }],
  },
  {
    id: 'policies-available',
    when: 'it may not be read',
    facts: () => ({ registrationKinds: FORBIDDEN }),
    expected: [UNREAD],
  },
  {
    id: 'clock',
    when: 'this machine is ahead',
    facts: () => ({ localMs: NOW_MS + 90_000 }),
    expected: [{ status: 'warning', says: 'is 90 s ahead of' }],
  },
  {
    id: 'clock',
    when: 'no time is told',
    facts: () => ({ serverMs: undefined }),
    expected: [NO_LOOK],
  },
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
    facts: () => ({ configurations: read([{ ...entries, webhooks: [] }]) }),
    expected: [{ status: 'failed', about: 'tagpin', says: 'no entry of it calls tagpin' }],
  },
  {
    id: 'webhook-configuration',
    when: 'there is another',
    facts: () => ({ configurations: read([{ ...entries, metadata: { name: 'old' } }, entries]) }),
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
  {
    id: 'webhook-entries',
    when: 'one is missing',
    facts: () => changed('workloads.warn.tagpin.dev', () => undefined),
    expected: [
      { status: 'failed', about: 'workloads.warn.tagpin.dev', says: 'of 6; 5 call tagpin' },
    ],
  },
  {
    id: 'webhook-entries',
    when: 'one fails closed',
    facts: () => changed('pods.pin.tagpin.dev', (entry) => ({ ...entry, failurePolicy: 'Fail' })),
    expected: [
      {
        status: 'failed',
        about: 'pods.pin.tagpin.dev',
        says: 'failurePolicy is "Fail"',
        command: `kubectl patch mutatingwebhookconfiguration tagpin --type=json '--patch=${JSON.stringify(
          [
            { op: 'test', path: '/webhooks/0/name', value: 'pods.pin.tagpin.dev' },
            { op: 'add', path: '/webhooks/0/failurePolicy', value: 'Ignore' },
          ],
        )}'`,
      },
    ],
  },
  {
    id: 'webhook-entries',
    when: 'one has another timeout, and passes over what it should see',
    facts: () =>
      changed('pods.pin.tagpin.dev', (entry) => ({
        ...entry,
        timeoutSeconds: 1,
        matchConditions: [],
      })),
    expected: [
      { status: 'warning', says: 'its matchConditions are not as shipped' },
      { status: 'warning', says: 'timeoutSeconds is 1' },
    ],
  },
  {
    id: 'webhook-entries',
    when: 'one is called for less, in other namespaces, and by labels of objects',
    facts: () =>
      changed('workloads.pin.tagpin.dev', (entry) => ({
        ...entry,
        rules: (entry['rules'] as readonly unknown[]).slice(1),
        namespaceSelector: { matchLabels: { 'tagpin.dev/mode': 'pin' } },
        objectSelector: { matchLabels: { pinned: 'yes' } },
      })),
    expected: [
      { status: 'failed', says: 'its rules are not as shipped' },
      { status: 'failed', says: 'its namespaceSelector is not as shipped' },
      { status: 'warning', says: 'its objectSelector is not as shipped' },
    ],
  },
  {
    id: 'webhook-entries',
    when: 'one has more: custom resources, Events, and a namespace that is left out',
    facts: () =>
      changed('workloads.pin.tagpin.dev', (entry) => {
        const more = {
          apiGroups: ['argoproj.io'],
          apiVersions: ['v1alpha1'],
          resources: ['rollouts'],
        };
        const selector = entry['namespaceSelector'] as { matchExpressions: readonly JsonObject[] };
        const others = { key: 'kubernetes.io/metadata.name', operator: 'NotIn', values: ['ci'] };
        return {
          ...entry,
          sideEffects: 'NoneOnDryRun',
          rules: [...(entry['rules'] as readonly unknown[]), { ...more, operations: ['*'] }],
          namespaceSelector: {
            ...selector,
            matchExpressions: [...selector.matchExpressions, others],
          },
        };
      }),
    expected: [{ status: 'ok' }],
  },
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
    facts: () =>
      called((config) => ({
        ...config,
        service: { namespace: 'a', name: 'b', path: '/admission/pin' },
      })),
    // Every route of it is the same then.
    expected: [{ status: 'failed', says: 'calls the Service a/b' }],
  },
  {
    id: 'webhook-target',
    when: 'an address answers',
    facts: () => ({
      ...called(({ service, caBundle }) => ({
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
      facts: () => ({
        ...called(({ service, caBundle }) => ({
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
  {
    id: 'ca-bundle',
    when: 'it is empty',
    facts: () => called((config) => ({ ...config, caBundle: '' })),
    expected: [{ status: 'failed', says: 'holds no certificate', command: 'caBundle' }],
  },
  {
    id: 'ca-bundle',
    when: 'another authority stands in it',
    facts: async () => {
      const other = await createAuthority();
      const caBundle = Buffer.from(other.certificate).toString('base64');
      return called((config) => ({ ...config, caBundle }));
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
    facts: () => secretOf(['tagpin.tagpin-system.svc'], new Date(NOW_MS + DAY_MS)),
    expected: [{ status: 'warning', says: 'ends soon' }],
  },
  {
    id: 'ca-bundle',
    when: 'the certificate has expired',
    facts: async () => ({
      ...(await secretOf(['tagpin.tagpin-system.svc'], new Date(NOW_MS + DAY_MS))),
      serverMs: NOW_MS + 2 * DAY_MS,
    }),
    expected: [{ status: 'failed', says: 'has expired' }],
  },
  {
    id: 'ca-bundle',
    when: 'the certificate is for another name',
    facts: () => secretOf(['tagpin.elsewhere.svc']),
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
    facts: () => builtIn(authority.certificate),
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
  {
    id: 'enforce-policy',
    when: 'it is gone',
    facts: () => policy('tagpin-enforce', { policy: ABSENT }),
    expected: [{ status: 'failed', says: 'no such policy' }],
  },
  {
    id: 'enforce-policy',
    when: 'it is not bound',
    facts: () => policy('tagpin-enforce', { binding: ABSENT }),
    expected: [{ status: 'failed', says: 'has no binding' }],
  },
  {
    id: 'enforce-policy',
    when: 'it only warns',
    facts: () => {
      const spec = { policyName: 'tagpin-enforce', validationActions: ['Warn'] };
      return policy('tagpin-enforce', { binding: read({ spec }) });
    },
    expected: [{ status: 'failed', says: 'does not deny' }],
  },
  {
    id: 'enforce-policy',
    when: 'it cannot be evaluated',
    facts: () => {
      const typeChecking = { expressionWarnings: [{ warning: 'undeclared reference\nmore' }] };
      return policy('tagpin-enforce', { policy: read({ status: { typeChecking } }) });
    },
    expected: [{ status: 'failed', says: 'undeclared reference' }],
  },
  {
    id: 'enforce-policy',
    when: 'its list is gone',
    facts: () => ({ skipList: ABSENT }),
    expected: [{ status: 'failed', says: 'tagpin-skip-list' }],
  },
  {
    id: 'label-policy',
    when: 'it is gone',
    facts: () => policy('tagpin-namespace-labels', { policy: ABSENT }),
    expected: [{ status: 'warning', says: 'no such policy' }],
  },
  {
    id: 'namespaces',
    when: 'none is opted in',
    facts: () => ({ namespaces: read([namespace('shop')]) }),
    expected: [{ status: 'failed', says: 'none is opted in' }],
  },
  {
    id: 'namespaces',
    when: 'one that somebody names is not',
    facts: () => ({
      namespaces: read([namespace('shop'), namespace('other', { 'tagpin.dev/mode': 'x' })]),
      chosen: ['shop', 'gone'],
    }),
    expected: [
      {
        status: 'failed',
        about: 'shop',
        command: 'kubectl label namespace shop tagpin.dev/mode=pin',
      },
      { status: 'failed', about: 'gone', says: 'no such namespace' },
    ],
  },
  {
    id: 'namespaces',
    when: 'labels are misspelt',
    facts: () => ({
      namespaces: read([
        namespace('a', { 'tagpin.dev/mode': 'Enforced' }),
        namespace('b', { 'tagpin.dev/modes': 'pin' }),
        namespace('c', { 'tagpin.dev/mode': 'warn', 'tagpin.dev/level': 'pod' }),
      ]),
    }),
    expected: [
      {
        status: 'failed',
        about: 'a',
        command: 'kubectl label namespace a --overwrite tagpin.dev/mode=enforce',
      },
      { status: 'failed', about: 'b', command: 'kubectl label namespace b tagpin.dev/modes-' },
      {
        status: 'failed',
        about: 'c',
        command: 'kubectl label namespace c --overwrite tagpin.dev/level=pods',
      },
      { status: 'ok', says: '1 opted in' },
    ],
  },
  {
    id: 'namespaces',
    when: 'one is labelled that is never called for',
    facts: () => ({
      namespaces: read([
        namespace('shop', { 'tagpin.dev/mode': 'pin' }),
        namespace('kube-system', { 'tagpin.dev/mode': 'pin' }),
      ]),
    }),
    expected: [
      {
        status: 'warning',
        about: 'kube-system',
        command: 'kubectl label namespace kube-system tagpin.dev/mode-',
      },
      { status: 'ok', says: '1 opted in' },
    ],
  },
  {
    id: 'own-namespace',
    when: 'it enforces nothing',
    facts: () => ({ ownNamespace: read(namespace('tagpin-system')) }),
    expected: [
      {
        status: 'warning',
        command:
          'kubectl label namespace tagpin-system --overwrite pod-security.kubernetes.io/enforce=restricted',
      },
    ],
  },
  {
    id: 'own-namespace',
    when: 'there is none',
    facts: () => ({ ownNamespace: ABSENT }),
    expected: [{ status: 'failed', says: 'no such namespace' }],
  },
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
  {
    id: 'replicas',
    when: 'none is ready',
    facts: () => ({ deployment: read(deployment([], 0)) }),
    expected: [{ status: 'failed', says: '0 of 2 replicas are ready' }],
  },
  {
    id: 'replicas',
    when: 'one of two is ready',
    facts: () => ({ deployment: read(deployment([], 1)) }),
    expected: [{ status: 'warning', says: '1 of 2 replicas are ready' }],
  },
  {
    id: 'replicas',
    when: 'one is all that there is to be',
    facts: () => ({ deployment: read(deployment([], 1, 1)) }),
    expected: [
      {
        status: 'warning',
        command: 'kubectl scale deployment tagpin --namespace tagpin-system --replicas=2',
      },
    ],
  },
  {
    id: 'replicas',
    when: 'they are of different images',
    facts: () => ({
      pods: read([pod('a', 'tagpin:1'), pod('b', 'tagpin:2'), pod('c', 'tagpin:3', 'False')]),
    }),
    expected: [{ status: 'warning', says: 'different images: tagpin:1, tagpin:2' }],
  },
  {
    id: 'replicas',
    when: 'there is no Deployment',
    facts: () => ({ deployment: ABSENT }),
    expected: [{ status: 'failed', says: 'no such Deployment' }],
  },
  {
    id: 'disruption-budget',
    when: 'there is none',
    facts: () => ({ budgets: read([]) }),
    expected: [
      {
        status: 'warning',
        command:
          'kubectl create poddisruptionbudget tagpin --namespace=tagpin-system --selector=app.kubernetes.io/name=tagpin --max-unavailable=1',
      },
    ],
  },
  {
    id: 'rights-pull-secrets',
    when: 'tagpin may read none',
    facts: () => withFlags([], 'rights-pull-secrets'),
    expected: [
      {
        status: 'failed',
        command:
          'kubectl create clusterrolebinding tagpin-pull-secret-reader --clusterrole=tagpin-pull-secret-reader --serviceaccount=tagpin-system:tagpin',
      },
    ],
  },
  {
    id: 'rights-pull-secrets',
    when: 'tagpin may not read those of one namespace',
    facts: () => ({
      rights: rights(
        deployment(),
        ({ check, namespace: where }) => check !== 'rights-excess' && where !== 'bank',
      ),
    }),
    expected: [
      {
        status: 'failed',
        about: 'bank',
        command:
          'kubectl create rolebinding tagpin-pull-secret-reader --namespace=bank --clusterrole=tagpin-pull-secret-reader --serviceaccount=tagpin-system:tagpin',
      },
    ],
  },
  {
    id: 'rights-pull-secrets',
    when: 'nobody reads any',
    facts: () => withFlags(['--no-cluster'], undefined),
    expected: [{ status: 'ok', says: 'nobody needs them' }],
  },
  {
    id: 'rights-siblings',
    when: 'tagpin may not list Pods',
    facts: () => withFlags([], 'rights-siblings'),
    expected: [
      {
        status: 'failed',
        says: 'may not list pods',
        command:
          'kubectl create clusterrolebinding tagpin-sibling-reader --clusterrole=tagpin-sibling-reader --serviceaccount=tagpin-system:tagpin',
      },
    ],
  },
  {
    id: 'rights-siblings',
    when: 'they are off, by a variable or by a flag in two words',
    facts: () => withFlags(['--sibling-pins', 'false'], undefined),
    expected: [{ status: 'ok', says: 'the feature is off' }],
  },
  {
    id: 'rights-certificates',
    when: 'tagpin may not keep them',
    facts: () => withFlags(['--certificates=built-in'], 'rights-certificates'),
    expected: [
      { status: 'failed', says: 'patch secrets "tagpin-certificates" in "tagpin-system"' },
    ],
  },
  {
    id: 'rights-events',
    when: 'tagpin may not create them',
    facts: () => withFlags(['--events'], 'rights-events'),
    expected: [{ status: 'failed', says: 'may not create events' }],
  },
  {
    id: 'rights-events',
    when: 'the settings are not known',
    facts: () => ({ deployment: FORBIDDEN }),
    expected: [{ status: 'warning', says: 'its Deployment was not seen' }],
  },
  {
    id: 'rights-audit',
    when: 'tagpin may not list workloads',
    facts: () => withFlags(['--audit-every=1h'], 'rights-audit'),
    expected: [{ status: 'failed', says: 'list deployments.apps' }],
  },
  {
    id: 'rights-explanations',
    when: 'tagpin may not ask who may have them',
    facts: () => withFlags(['--explain-in-dry-run'], 'rights-explanations'),
    expected: [{ status: 'failed', says: 'may not create subjectaccessreviews' }],
  },
  {
    id: 'rights-excess',
    when: 'tagpin may list Secrets',
    facts: () => ({
      rights: rights(
        deployment(),
        ({ check, verb, resource }) =>
          check !== 'rights-excess' || (verb === 'list' && resource === 'secrets'),
      ),
    }),
    expected: [{ status: 'warning', says: 'tagpin may list secrets, which it never does' }],
  },
  {
    id: 'rights-excess',
    when: 'nobody may ask',
    facts: () => ({
      rights: new Map([...healthy.rights.keys()].map((right) => [right, FORBIDDEN])),
    }),
    expected: [UNREAD],
  },
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
  {
    id: 'replica-clock',
    when: 'one is behind, one far ahead, one is not reached, and one may not be asked',
    facts: () => ({
      replicas: [
        { pod: 'a', aheadMs: -60_000 },
        { pod: 'b', aheadMs: 600_000 },
        { pod: 'c', aheadMs: undefined },
        { pod: 'd', aheadMs: undefined, right: 'get pods/proxy' },
      ],
    }),
    expected: [
      { status: 'warning', about: 'a', says: '60 s behind' },
      { status: 'failed', about: 'b', says: '600 s ahead of' },
      {
        status: 'warning',
        about: 'c',
        command: 'kubectl port-forward --namespace tagpin-system pod/c 9090',
      },
      { status: 'warning', about: 'd', command: 'kubectl auth can-i get pods/proxy' },
    ],
  },
  {
    id: 'replica-clock',
    when: 'it is this machine that is wrong',
    facts: () => ({ localMs: NOW_MS + 600_000, replicas: [{ pod: 'a', aheadMs: -600_000 }] }),
    expected: [{ status: 'ok', about: 'a' }],
  },
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

async function secretOf(names: readonly string[], notAfter?: Date): Promise<Partial<Facts>> {
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

function partOf(text: string | undefined, wanted: string): string | undefined {
  return text?.includes(wanted) === true ? wanted : text;
}

/** A finding by what is expected of it: of texts a part will do. */
function seenAs(finding: Finding, { about, says, command }: Expected): Expected {
  return {
    status: finding.status,
    about: about && finding.about,
    says: says && partOf(finding.says, says),
    command: command && partOf(finding.command, command),
  };
}

const NOTHING: Expected = { status: 'ok' };

describe('judge()', () => {
  it('calls everything well of an installation that is', () => {
    const findings = judge(healthy);
    expect(findings.filter(({ status }) => status !== 'ok')).toEqual([]);
    expect(new Set(findings.map(({ id }) => id))).toEqual(new Set(Object.keys(CHECKS)));
  });

  it.each(ROWS.map((row) => [row.id, row.when, row] as const))(
    'judges %s where %s',
    async (id, _when, { facts, expected }) => {
      const findings = judge({ ...healthy, ...(await facts()) });
      const told = findings.filter((finding) => finding.id === id);
      expect(told.map((one, at) => seenAs(one, expected[at] ?? NOTHING))).toEqual(expected);
      expect(JSON.stringify(findings)).not.toContain('canary');
    },
  );

  it('is tried on each check with something that is wrong', () => {
    const wrong = ROWS.filter(({ expected }) => expected.some(({ status }) => status !== 'ok'));
    expect(new Set(wrong.map(({ id }) => id))).toEqual(new Set(Object.keys(CHECKS)));
  });

  it('says what to do wherever something failed', () => {
    const broken = {
      ...healthy,
      configurations: read([]),
      deployment: ABSENT,
      ownNamespace: ABSENT,
    };
    const failed = judge(broken).filter(({ status }) => status === 'failed');
    expect(failed.length).toBeGreaterThan(2);
    expect(failed.filter(({ advice }) => advice === undefined)).toEqual([]);
  });
});
