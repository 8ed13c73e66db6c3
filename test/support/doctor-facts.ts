import { MODES } from '../../src/admission/policy.ts';
import type { Facts } from '../../src/doctor/facts.ts';
import { featuresOf } from '../../src/doctor/features.ts';
import type { CheckId } from '../../src/doctor/finding.ts';
import { type Right, rightsToAsk } from '../../src/doctor/right.ts';
import { shippedEntries } from '../../src/doctor/shipped-entries.ts';
import type { JsonObject } from '../../src/json.ts';
import { readDocument } from '../manifests/documents.ts';
import type { Authority } from './certificate.ts';

/** When all of it is looked at: an hour later than certificates are made in a test. */
export const NOW_MS: number = Date.now() + 3_600_000;

export function read<T>(value: T): { readonly state: 'read'; readonly value: T } {
  return { state: 'read', value };
}

/** Not to be looked at, for want of a right. */
export const FORBIDDEN = {
  state: 'unread',
  why: 'you may not get things',
  right: 'get things',
} as const;

export const ABSENT = { state: 'absent' } as const;

/** What comes of a registry that is not there. */
export const DEAD = {
  reason: 'unavailable',
  message: 'a.example refuses connections',
  advice: 'wait',
} as const;

/** A Pod was tried, and nobody saw it. */
export const NOT_CALLED: Facts['trials'] = [
  { namespace: 'shop', mode: 'pin', seen: { by: 'nobody' }, sample: undefined },
];

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

/** The webhook configuration of the manifests, as a cluster has it with a certificate. */
export function configuration(authority: Pick<Authority, 'certificate'>): JsonObject {
  const webhooks = shippedEntries('tagpin-system').map(
    ({ name, mode, rules, namespaceSelector, fields }) => ({
      name,
      rules,
      namespaceSelector,
      objectSelector: {},
      ...fields,
      clientConfig: {
        service: {
          namespace: 'tagpin-system',
          name: 'tagpin',
          path: `/admission/${mode}`,
          port: 443,
        },
        caBundle: base64(authority.certificate),
      },
    }),
  );
  return { metadata: { name: 'tagpin' }, webhooks };
}

/** All entries of a configuration, with other clientConfigs. */
export function called(
  entries: JsonObject,
  clientConfig: (entry: JsonObject) => JsonObject,
): Pick<Facts, 'configurations'> {
  const webhooks = (entries['webhooks'] as readonly JsonObject[]).map((entry) => ({
    ...entry,
    clientConfig: clientConfig(entry['clientConfig'] as JsonObject),
  }));
  return { configurations: read([{ ...entries, webhooks }]) };
}

export function namespace(name: string, labels: Readonly<Record<string, string>> = {}): JsonObject {
  return { metadata: { name, labels } };
}

/** The Deployment of the manifests, with more flags, and with what its controller says of it. */
export function deployment(flags: readonly string[] = [], ready = 2, replicas = 2): JsonObject {
  const shipped = readDocument('base/deployment.yaml') as {
    spec: { template: { spec: { containers: [{ args: string[] }] } } };
  };
  const [container] = shipped.spec.template.spec.containers;
  const containers = [{ ...container, args: [...container.args, ...flags] }];
  const template = { spec: { ...shipped.spec.template.spec, containers } };
  return {
    ...shipped,
    metadata: { name: 'tagpin' },
    spec: { ...shipped.spec, replicas, template },
    status: { readyReplicas: ready },
  };
}

export function pod(name: string, image: string, ready: 'True' | 'False' = 'True'): JsonObject {
  const status = { conditions: [{ type: 'Ready', status: ready }] };
  return {
    metadata: { name, namespace: 'tagpin-system' },
    spec: { containers: [{ image }] },
    status,
  };
}

function bound(name: string): Facts['policies'] {
  const binding = { spec: { policyName: name, validationActions: ['Deny'] } };
  return new Map([[name, { policy: read({}), binding: read(binding) }]]);
}

/** What tagpin may with all that a Deployment turns on, and nothing more. */
export function rights(
  served: JsonObject,
  isAllowed: (right: Right) => boolean = ({ check }) => check !== 'rights-excess',
): Facts['rights'] {
  const features = featuresOf(served, 'tagpin-system');
  const installation = { namespace: 'tagpin-system', configuration: 'tagpin' };
  const asked = rightsToAsk(features, installation, ['shop', 'bank']);
  return new Map(asked.map((right) => [right, read(isAllowed(right))]));
}

/** A Deployment with more flags, and tagpin's rights but for those of the check that it lacks. */
export function withFlags(
  flags: readonly string[],
  lacking: CheckId | undefined,
): Pick<Facts, 'deployment' | 'rights'> {
  const served = deployment(flags);
  const isAllowed = ({ check }: { check: CheckId }): boolean =>
    check !== 'rights-excess' && check !== lacking;
  return { deployment: read(served), rights: rights(served, isAllowed) };
}

/** Facts of an installation with nothing wrong, with files for certificates. */
export async function healthyFacts(authority: Authority): Promise<Facts> {
  const { cert } = await authority.issue(['tagpin.tagpin-system.svc']);
  const data = { 'tls.crt': base64(cert), 'ca.crt': base64(authority.certificate) };
  const served = deployment();
  const image = 'registry.example.com/tagpin:0.1.0';
  const modes = [...MODES, 'pin'];
  return {
    installation: { namespace: 'tagpin-system', configuration: 'tagpin' },
    chosen: [],
    localMs: NOW_MS,
    serverMs: NOW_MS,
    version: read({ gitVersion: 'v1.36.3' }),
    registrationKinds: read({ resources: [{ name: 'validatingadmissionpolicies' }] }),
    configurations: read([configuration(authority)]),
    namespaces: read(modes.map((mode, at) => namespace(`n${at}`, { 'tagpin.dev/mode': mode }))),
    service: read({ spec: { ports: [{ port: 443 }] } }),
    endpointSlices: read([{ endpoints: [{ conditions: { ready: true } }, { conditions: {} }] }]),
    deployment: read(served),
    pods: read([pod('tagpin-a', image), pod('tagpin-b', image)]),
    budgets: read([readDocument('base/pod-disruption-budget.yaml') as JsonObject]),
    ownNamespace: read(readDocument('base/namespace.yaml') as JsonObject),
    secret: read({ data }),
    policies: new Map([...bound('tagpin-enforce'), ...bound('tagpin-namespace-labels')]),
    skipList: read({}),
    handshakes: new Map(),
    rights: rights(served),
    trials: MODES.map((mode) => ({
      namespace: mode,
      mode,
      seen: { by: 'tagpin' },
      sample: { image: 'a.example/b:1', registry: 'a.example', pinned: true },
    })),
    failedOpen: read({ inAll: 3, meanwhile: 0 }),
    replicas: [{ pod: 'tagpin-a', aheadMs: 0 }],
    registries: [
      { registry: 'a.example', places: [{ origin: 'https://a.example', problem: undefined }] },
    ],
    searched: [],
  };
}
