import { eventually } from './eventually.ts';
import type { Kubectl } from './kubectl.ts';

/** A kind of somebody else's, as a CustomResourceDefinition has it. */
export interface CustomKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
}

/** Of Argo Rollouts: it has a pod template. */
export const ROLLOUT: CustomKind = {
  group: 'argoproj.io',
  version: 'v1alpha1',
  kind: 'Rollout',
  plural: 'rollouts',
};

/** Of an operator that tagpin knows to compare the images of its Pods. */
export const CLUSTER: CustomKind = {
  group: 'postgresql.cnpg.io',
  version: 'v1',
  kind: 'Cluster',
  plural: 'clusters',
};

/** Of an operator that tagpin does not know. */
export const DATABASE: CustomKind = {
  group: 'db.example.com',
  version: 'v1',
  kind: 'Database',
  plural: 'databases',
};

/** Defines a kind whose objects may hold anything, and waits until the API server serves it. */
export async function defineKind(admin: Kubectl, custom: CustomKind): Promise<void> {
  const { group, version, kind, plural } = custom;
  const anything = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
  const schema = {
    openAPIV3Schema: { type: 'object', properties: { spec: anything, status: anything } },
  };
  await admin.apply({
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      scope: 'Namespaced',
      names: { kind, plural, singular: kind.toLowerCase() },
      versions: [
        { name: version, served: true, storage: true, subresources: { status: {} }, schema },
      ],
    },
  });
  await eventually(() => admin.run(['get', `${plural}.${group}`, '--all-namespaces']));
}

export async function removeKind(admin: Kubectl, { plural, group }: CustomKind): Promise<void> {
  const definition = ['customresourcedefinition', `${plural}.${group}`];
  await admin.run(['delete', '--ignore-not-found', ...definition]);
}
