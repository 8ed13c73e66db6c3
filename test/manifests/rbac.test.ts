import { globSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { parseAllDocuments } from 'yaml';

import { SERVE_SETTINGS } from '../../src/config.ts';
import { EXPLAIN_RIGHT } from '../../src/explain/right.ts';
import { LISTED_RESOURCES } from '../../src/kube/lists.ts';
import { readDocument, readText } from './documents.ts';

const KUSTOMIZE = join(import.meta.dirname, '..', '..', 'manifests', 'kustomize');
const RBAC = 'rbac.authorization.k8s.io';

interface Manifest {
  kind: string;
  metadata?: { name: string };
}

/** Every document of every manifest file that states a permission. */
function permissions(): Manifest[] {
  return globSync('**/*.yaml', { cwd: KUSTOMIZE })
    .flatMap((path) => parseAllDocuments(readText(path)))
    .map((document) => document.toJS() as Manifest)
    .filter(({ kind }) => /^(Cluster)?Role(Binding)?$/.test(kind));
}

function nameOf({ metadata }: Manifest): string {
  return metadata?.name ?? '';
}

/** The ClusterRole of pull secrets is bound namespace by namespace, too. */
function kindBoundBy(binding: Manifest): string {
  return nameOf(binding) === 'tagpin-certificate-keeper' ? 'Role' : 'ClusterRole';
}

describe('the permissions', () => {
  it('are to get Secrets and ServiceAccounts, to list Pods, and nothing else, but for components', () => {
    const ofComponents = [
      'tagpin-access-reviewer',
      'tagpin-auditor',
      'tagpin-certificate-keeper',
      'tagpin-event-writer',
      'tagpin-explain',
      'tagpin-webhook-keeper',
    ];
    const roles = permissions().filter(
      (role) => role.kind.endsWith('Role') && !ofComponents.includes(nameOf(role)),
    );
    expect(roles.toSorted((a, b) => nameOf(a).localeCompare(nameOf(b)))).toEqual([
      {
        apiVersion: `${RBAC}/v1`,
        kind: 'ClusterRole',
        metadata: { name: 'tagpin-pull-secret-reader' },
        rules: [{ apiGroups: [''], resources: ['secrets', 'serviceaccounts'], verbs: ['get'] }],
      },
      {
        apiVersion: `${RBAC}/v1`,
        kind: 'ClusterRole',
        metadata: { name: 'tagpin-sibling-reader' },
        rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['list'] }],
      },
    ]);
  });

  it('are given to the ServiceAccount of the Deployment alone', () => {
    const bindings = permissions().filter(({ kind }) => kind.endsWith('Binding'));
    expect(bindings.map((binding) => `${binding.kind} ${nameOf(binding)}`).toSorted()).toEqual([
      'ClusterRoleBinding tagpin-access-reviewer',
      'ClusterRoleBinding tagpin-auditor',
      'ClusterRoleBinding tagpin-event-writer',
      'ClusterRoleBinding tagpin-pull-secret-reader',
      'ClusterRoleBinding tagpin-sibling-reader',
      'ClusterRoleBinding tagpin-webhook-keeper',
      'RoleBinding tagpin-certificate-keeper',
      'RoleBinding tagpin-pull-secret-reader',
    ]);
    for (const binding of bindings) {
      expect(binding).toMatchObject({
        roleRef: { apiGroup: RBAC, kind: kindBoundBy(binding), name: nameOf(binding) },
        subjects: [{ kind: 'ServiceAccount', name: 'tagpin', namespace: 'tagpin-system' }],
      });
    }
    expect(readDocument('base/service-account.yaml')).toMatchObject({
      metadata: { name: 'tagpin', namespace: 'tagpin-system' },
    });
    expect(readDocument('base/deployment.yaml')).toMatchObject({
      metadata: { namespace: 'tagpin-system' },
      spec: { template: { spec: { serviceAccountName: 'tagpin' } } },
    });
  });

  it('hold for chosen namespaces where the component takes the cluster-wide binding out', () => {
    const component = readDocument('components/namespaced-secrets/kustomization.yaml') as {
      patches: { patch: string }[];
    };
    const binding = readDocument('base/pull-secret-reader-binding.yaml') as Manifest;
    expect(component.patches).toHaveLength(1);
    const [patch] = parseAllDocuments(component.patches[0]!.patch);
    expect(patch?.toJS()).toEqual({
      $patch: 'delete',
      apiVersion: `${RBAC}/v1`,
      kind: 'ClusterRoleBinding',
      metadata: { name: binding.metadata?.name },
    });
  });

  it('to list Pods goes where the component takes siblings out', () => {
    const component = readDocument('components/no-sibling-pins/kustomization.yaml') as {
      patches: { patch: string }[];
    };
    const patches = component.patches.flatMap(({ patch }) =>
      parseAllDocuments(patch).map((document) => document.toJS() as object),
    );
    const names = ['ClusterRole', 'ClusterRoleBinding'].map((kind) => ({
      $patch: 'delete',
      apiVersion: `${RBAC}/v1`,
      kind,
      metadata: { name: 'tagpin-sibling-reader' },
    }));
    expect(patches).toEqual([
      [expect.objectContaining({ value: '--sibling-pins=false' })],
      ...names,
    ]);
  });

  it('to create Events, and to do nothing else with them, come with their component', () => {
    expect(readDocument('components/events/event-writer.yaml')).toEqual({
      apiVersion: `${RBAC}/v1`,
      kind: 'ClusterRole',
      metadata: { name: 'tagpin-event-writer' },
      rules: [{ apiGroups: [''], resources: ['events'], verbs: ['create'] }],
    });
  });

  it('to ask who may have explanations, and the right to have them, come with their component', () => {
    const folder = 'components/explain';
    expect(readDocument(`${folder}/access-reviewer.yaml`)).toMatchObject({
      kind: 'ClusterRole',
      rules: [
        {
          apiGroups: ['authorization.k8s.io'],
          resources: ['subjectaccessreviews'],
          verbs: ['create'],
        },
      ],
    });
    const { verb, group, resource } = EXPLAIN_RIGHT;
    expect(readDocument(`${folder}/explain.yaml`)).toEqual({
      apiVersion: `${RBAC}/v1`,
      kind: 'ClusterRole',
      metadata: {
        name: 'tagpin-explain',
        labels: { [`${RBAC}/aggregate-to-edit`]: 'true' },
      },
      rules: [{ apiGroups: [group], resources: [resource], verbs: [verb] }],
    });
  });

  it('to write come with built-in certificates, for one Secret and the webhook configurations', () => {
    const folder = 'components/built-in-certificates';
    const [secret, webhooks] = ['certificate-keeper', 'webhook-keeper'].map((file) =>
      readDocument(`${folder}/${file}.yaml`),
    );
    const { name } = SERVE_SETTINGS.certificateSecret.parse(
      SERVE_SETTINGS.certificateSecret.fallback ?? '',
    );
    expect(secret).toMatchObject({
      kind: 'Role',
      metadata: { namespace: 'tagpin-system' },
      rules: [
        {
          apiGroups: [''],
          resources: ['secrets'],
          resourceNames: [name],
          verbs: ['get', 'patch'],
        },
        { apiGroups: [''], resources: ['secrets'], verbs: ['create'] },
      ],
    });
    expect(webhooks).toMatchObject({
      kind: 'ClusterRole',
      rules: [
        {
          apiGroups: ['admissionregistration.k8s.io'],
          resources: ['mutatingwebhookconfigurations', 'validatingwebhookconfigurations'],
          resourceNames: [SERVE_SETTINGS.webhookConfiguration.fallback],
          verbs: ['get', 'patch'],
        },
      ],
    });
  });

  it('to write are narrowed for this account alone, by policies that come with them', () => {
    const component = readDocument('components/built-in-certificates/kustomization.yaml') as {
      resources: string[];
    };
    expect(component.resources).toContain('../../../helm/files/own-account');
    const { name } = SERVE_SETTINGS.certificateSecret.parse(
      SERVE_SETTINGS.certificateSecret.fallback ?? '',
    );
    for (const file of ['secrets', 'webhooks']) {
      const policy = readDocument(`../helm/files/own-account/${file}.yaml`) as Manifest;
      expect(policy).toMatchObject({
        spec: {
          failurePolicy: 'Fail',
          matchConditions: [
            {
              name: 'by-tagpin',
              expression:
                "request.userInfo.username == 'system:serviceaccount:tagpin-system:tagpin'",
            },
          ],
        },
      });
      expect(readDocument(`../helm/files/own-account/${file}-binding.yaml`)).toMatchObject({
        metadata: { name: nameOf(policy) },
        spec: { policyName: nameOf(policy), validationActions: ['Deny'] },
      });
    }
    expect(readText('../helm/files/own-account/secrets.yaml')).toContain(`== '${name}'`);
  });

  it('to list workloads comes with the component audit, which has them audited', () => {
    const component = readDocument('components/audit/kustomization.yaml') as {
      resources: string[];
      patches: { patch: string }[];
    };
    expect(component.resources).toEqual(['auditor.yaml', 'auditor-binding.yaml']);
    expect(component.patches[0]?.patch).toContain('value: --audit-every=6h');
    const { rules } = readDocument('components/audit/auditor.yaml') as {
      rules: { verbs: string[]; resources: string[] }[];
    };
    expect(new Set(rules.flatMap(({ verbs }) => verbs))).toEqual(new Set(['list']));
    expect(rules.flatMap(({ resources }) => resources).toSorted()).toEqual(
      ['nodes', ...LISTED_RESOURCES].toSorted(),
    );
  });
});
