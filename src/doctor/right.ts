import type { Installation } from './facts.ts';
import type { Features } from './features.ts';
import type { CheckId } from './finding.ts';

/** A right of tagpin's ServiceAccount, by the check that is about it. */
export interface Right {
  readonly check: CheckId;
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
  /** Everywhere, where it is absent. */
  readonly namespace?: string;
  /** Of that object alone. */
  readonly name?: string;
  /** The role of the manifests that has it. */
  readonly role?: string;
}

/** What may be a namespace's own binding of this ClusterRole. */
export const PULL_SECRET_READER = 'tagpin-pull-secret-reader';

/** What is told of what tagpin may, and needs not: any of them would make a stolen token worth more. */
const EXCESS: readonly Pick<Right, 'verb' | 'group' | 'resource'>[] = [
  { verb: 'list', group: '', resource: 'secrets' },
  { verb: 'watch', group: '', resource: 'secrets' },
  { verb: 'create', group: '', resource: 'pods' },
  { verb: 'create', group: '', resource: 'pods/exec' },
  { verb: 'create', group: '', resource: 'serviceaccounts/token' },
  {
    verb: 'delete',
    group: 'admissionregistration.k8s.io',
    resource: 'mutatingwebhookconfigurations',
  },
  { verb: 'escalate', group: 'rbac.authorization.k8s.io', resource: 'clusterroles' },
  { verb: 'impersonate', group: '', resource: 'serviceaccounts' },
];

/** What `--audit-every` lists. */
const AUDITED: readonly (readonly [group: string, resource: string])[] = [
  ['apps', 'deployments'],
  ['apps', 'statefulsets'],
  ['apps', 'daemonsets'],
  ['apps', 'replicasets'],
  ['batch', 'cronjobs'],
  ['batch', 'jobs'],
  ['', 'replicationcontrollers'],
  ['', 'podtemplates'],
  ['', 'pods'],
];

/**
 * The rights to be asked for: those that the features need that are on, and those that nobody needs.
 *
 * @param optedIn the namespaces whose pull secrets are read
 */
export function rightsToAsk(
  features: Features,
  { configuration }: Installation,
  optedIn: readonly string[],
): readonly Right[] {
  const { readsCluster, siblingPins, events, audits, explains } = features;
  return [
    ...EXCESS.map((right): Right => ({ ...right, check: 'rights-excess' })),
    ...(readsCluster ? optedIn.flatMap(pullSecretRights) : []),
    ...(readsCluster && siblingPins ? [LISTS_SIBLINGS] : []),
    ...(events ? [WRITES_EVENTS] : []),
    ...(audits ? AUDITED.map(auditRight) : []),
    ...(explains ? [REVIEWS_ACCESS] : []),
    ...certificateRights(features, configuration),
  ];
}

const LISTS_SIBLINGS: Right = {
  check: 'rights-siblings',
  role: 'tagpin-sibling-reader',
  verb: 'list',
  group: '',
  resource: 'pods',
};

const WRITES_EVENTS: Right = {
  check: 'rights-events',
  role: 'tagpin-event-writer',
  verb: 'create',
  group: '',
  resource: 'events',
};

const REVIEWS_ACCESS: Right = {
  check: 'rights-explanations',
  role: 'tagpin-access-reviewer',
  verb: 'create',
  group: 'authorization.k8s.io',
  resource: 'subjectaccessreviews',
};

function auditRight([group, resource]: (typeof AUDITED)[number]): Right {
  return { check: 'rights-audit', role: 'tagpin-auditor', verb: 'list', group, resource };
}

function pullSecretRights(namespace: string): readonly Right[] {
  return ['secrets', 'serviceaccounts'].map((resource) => ({
    check: 'rights-pull-secrets',
    role: PULL_SECRET_READER,
    verb: 'get',
    group: '',
    resource,
    namespace,
  }));
}

function certificateRights({ builtIn }: Features, configuration: string): readonly Right[] {
  if (builtIn === undefined) return [];
  const { namespace, name } = builtIn;
  const secrets = {
    check: 'rights-certificates',
    role: 'tagpin-certificate-keeper',
    group: '',
    resource: 'secrets',
    namespace,
  } as const;
  const webhooks = {
    check: 'rights-certificates',
    role: 'tagpin-webhook-keeper',
    group: 'admissionregistration.k8s.io',
    resource: 'mutatingwebhookconfigurations',
    name: configuration,
  } as const;
  return [
    { ...secrets, verb: 'get', name },
    { ...secrets, verb: 'patch', name },
    { ...secrets, verb: 'create' },
    { ...webhooks, verb: 'get' },
    { ...webhooks, verb: 'patch' },
  ];
}
