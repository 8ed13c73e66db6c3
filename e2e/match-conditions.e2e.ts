import { describe, expect, it } from '@jest/globals';

import { readEnvironment } from './support/environment.ts';
import { eventually } from './support/eventually.ts';
import { Kubectl } from './support/kubectl.ts';
import { renderManifests } from './support/manifests.ts';
import { matchConditionErrors } from './support/match-conditions.ts';
import { createNamespace } from './support/test-namespace.ts';
import { TEMPLATE_KINDS, type WorkloadKind, workload } from './support/workload.ts';

const { kubeconfig } = readEnvironment();
const admin = new Kubectl(kubeconfig);

const IMAGE = `registry.invalid/app@sha256:${'0'.repeat(64)}`;

const KINDS: readonly WorkloadKind[] = ['Pod', ...TEMPLATE_KINDS];

/** Creates, changes and deletes one object of a kind; with a finalizer, so that all are updates. */
async function liveAndDie(kubectl: Kubectl, kind: WorkloadKind): Promise<void> {
  const name = `a-${kind.toLowerCase()}`;
  await kubectl.apply(workload(kind, { name, image: IMAGE }));
  const patch = (finalizers: readonly string[]): string[] => [
    'patch',
    kind,
    name,
    '--type=merge',
    `--patch=${JSON.stringify({ metadata: { finalizers } })}`,
  ];
  await kubectl.run(patch(['example.com/hold']));
  await kubectl.run(['delete', kind, name, '--wait=false']);
  await kubectl.run(['label', kind, name, 'deleted=soon']);
  await kubectl.run(patch([]));
}

describe('the match conditions of the webhook entries', () => {
  it.each(['pin', 'enforce', 'warn'] as const)(
    'evaluate for every kind, in mode "%s"',
    async (mode) => {
      const kubectl = await createNamespace(kubeconfig, { mode });
      const entries = ['pods', 'workloads'].map((level) => `${level}.${mode}.tagpin.dev`);
      const errors = (): Promise<readonly number[]> =>
        Promise.all(entries.map((entry) => matchConditionErrors(admin, entry)));
      const before = await errors();
      for (const kind of KINDS) await liveAndDie(kubectl, kind);
      expect(await errors()).toEqual(before);
    },
  );

  it('are those of the entries that are installed', async () => {
    const objects = await renderManifests(admin);
    const names = objects.flatMap((object) =>
      'webhooks' in object ? (object.webhooks as { name: string }[]).map(({ name }) => name) : [],
    );
    const modes = ['pin', 'enforce', 'warn'];
    expect(names.toSorted()).toEqual(
      modes
        .flatMap((mode) => [`pods.${mode}.tagpin.dev`, `workloads.${mode}.tagpin.dev`])
        .toSorted(),
    );
  });

  it('would be counted if they failed: one that reads a field which Pods have not', async () => {
    const kubectl = await createNamespace(kubeconfig);
    const name = 'fails.e2e.tagpin.dev';
    await admin.apply(failingEntry(name, kubectl.namespace ?? ''));
    try {
      await eventually(async () => {
        await kubectl.run(['create', '--filename=-', '--dry-run=server'], {
          input: workload('Pod', { image: IMAGE }),
        });
        expect(await matchConditionErrors(admin, name)).toBeGreaterThan(0);
      });
    } finally {
      await admin.run(['delete', 'mutatingwebhookconfiguration', 'e2e-fails']);
    }
  });
});

function failingEntry(name: string, namespace: string): object {
  return {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'MutatingWebhookConfiguration',
    metadata: { name: 'e2e-fails' },
    webhooks: [
      {
        name,
        admissionReviewVersions: ['v1'],
        sideEffects: 'None',
        failurePolicy: 'Ignore',
        clientConfig: { url: 'https://127.0.0.1:1/' },
        namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
        rules: [
          { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] },
        ],
        matchConditions: [{ name: 'template', expression: 'has(object.spec.template.spec)' }],
      },
    ],
  };
}
