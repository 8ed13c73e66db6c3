import { describe, expect, it } from '@jest/globals';

import { MODES } from '../../src/admission/policy.ts';
import { LABEL_PREFIX, MIRROR_ANNOTATION } from '../../src/workload/annotations.ts';
import { locationOf } from '../../src/workload/locations.ts';
import { readDocument } from './documents.ts';

interface Rule {
  apiGroups: string[];
  operations: string[];
  resources: string[];
  scope: string;
}

interface Entry {
  name: string;
  clientConfig: { service: object; url?: string };
  namespaceSelector: {
    matchLabels: Record<string, string>;
    matchExpressions: { key: string; operator: string; values: string[] }[];
  };
  rules: Rule[];
  matchConditions: { name: string; expression: string }[];
}

interface Configuration {
  webhooks: Entry[];
}

const { webhooks } = readDocument('../helm/files/webhooks/webhooks.yaml') as Configuration;

const KINDS: Readonly<Record<string, string>> = {
  pods: '/Pod',
  podtemplates: '/PodTemplate',
  replicationcontrollers: '/ReplicationController',
  deployments: 'apps/Deployment',
  statefulsets: 'apps/StatefulSet',
  daemonsets: 'apps/DaemonSet',
  replicasets: 'apps/ReplicaSet',
  jobs: 'batch/Job',
  cronjobs: 'batch/CronJob',
};

/** The entry of this name; the first test below says that all of them are there. */
function entryOf(level: string, mode: string): Entry {
  return webhooks.find(({ name }) => name === `${level}.${mode}.tagpin.dev`)!;
}

/** `group/resource operation` of every rule, sorted. */
function callsOf({ rules }: Entry): string[] {
  return rules
    .flatMap(({ apiGroups, resources, operations }) =>
      apiGroups.flatMap((group) =>
        resources.flatMap((resource) =>
          operations.map((operation) => `${group}/${resource} ${operation}`),
        ),
      ),
    )
    .toSorted();
}

describe('the MutatingWebhookConfiguration', () => {
  it('has two entries for each mode of the code, and no other', () => {
    expect(webhooks.map(({ name }) => name).toSorted()).toEqual(
      MODES.flatMap((mode) => [
        `pods.${mode}.tagpin.dev`,
        `workloads.${mode}.tagpin.dev`,
      ]).toSorted(),
    );
  });

  it.each(webhooks.map((entry) => [entry.name, entry] as const))(
    'gives %s the fields on which the guarantees rest',
    (_, entry) => {
      expect(entry).toMatchObject({
        failurePolicy: 'Ignore',
        reinvocationPolicy: 'IfNeeded',
        timeoutSeconds: 10,
        sideEffects: 'None',
        matchPolicy: 'Equivalent',
        admissionReviewVersions: ['v1'],
      });
      expect(entry.rules.map(({ scope }) => scope)).not.toContain('*');
      expect(entry.namespaceSelector.matchExpressions).toContainEqual({
        key: 'kubernetes.io/metadata.name',
        operator: 'NotIn',
        values: ['kube-system', 'kube-node-lease', 'tagpin-system'],
      });
    },
  );

  it.each(MODES)('sends %s to its own path, by the label of the namespace', (mode) => {
    for (const entry of [entryOf('pods', mode), entryOf('workloads', mode)]) {
      expect(entry.clientConfig).toEqual({
        service: { namespace: 'tagpin-system', name: 'tagpin', path: `/admission/${mode}` },
      });
      expect(entry.namespaceSelector.matchLabels).toEqual({ [`${LABEL_PREFIX}mode`]: mode });
    }
  });

  it.each(MODES)('lets a namespace of mode %s keep its templates to itself', (mode) => {
    const level = { key: `${LABEL_PREFIX}level`, operator: 'NotIn', values: ['pods'] };
    expect(entryOf('workloads', mode).namespaceSelector.matchExpressions).toContainEqual(level);
    expect(entryOf('pods', mode).namespaceSelector.matchExpressions).not.toContainEqual(level);
  });

  it.each(MODES)('calls for Pods and their ephemeral containers in mode %s', (mode) => {
    expect(callsOf(entryOf('pods', mode))).toEqual([
      '/pods CREATE',
      '/pods UPDATE',
      '/pods/ephemeralcontainers UPDATE',
    ]);
  });

  it.each(MODES)('calls for every kind that makes Pods in mode %s', (mode) => {
    const resources = [
      '/podtemplates',
      '/replicationcontrollers',
      'apps/daemonsets',
      'apps/deployments',
      'apps/replicasets',
      'apps/statefulsets',
      'batch/cronjobs',
      'batch/jobs',
    ];
    expect(callsOf(entryOf('workloads', mode))).toEqual(
      resources.flatMap((resource) => [`${resource} CREATE`, `${resource} UPDATE`]),
    );
  });

  it('calls for no resource whose pod template the code cannot find', () => {
    const resources = new Set(webhooks.flatMap(callsOf).map((call) => call.replace(/ .*/, '')));
    resources.delete('/pods/ephemeralcontainers');
    expect(resources.size).toBe(Object.keys(KINDS).length);
    for (const resource of resources) {
      const [group = '', kind = ''] = (KINDS[resource.replace(/.*\//, '')] ?? '').split('/');
      expect(resource.split('/')[0]).toBe(group);
      expect(locationOf(group, kind)).toBeDefined();
    }
  });

  it.each(MODES)('never asks a condition of one kind of the other in mode %s', (mode) => {
    const names = (level: string): string[] =>
      entryOf(level, mode).matchConditions.map(({ name }) => name);
    expect(names('pods')).toEqual(['not-a-mirror-pod', 'not-being-deleted']);
    expect(names('workloads')).toEqual([
      'not-owned-by-a-controller',
      'not-being-deleted',
      'template-or-misplaced-annotation-changes',
    ]);
    expect(entryOf('pods', mode).matchConditions[0]?.expression).toContain(MIRROR_ANNOTATION);
  });
});
