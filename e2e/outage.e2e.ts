import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { readEnvironment } from './support/environment.ts';
import { eventually } from './support/eventually.ts';
import type { Kubectl } from './support/kubectl.ts';
import { settledReplicaSets, waitForPods, waitForReplicaSet } from './support/ownership.ts';
import { pinsOf, pinsTo, untouched } from './support/pins.ts';
import { TestImage } from './support/test-image.ts';
import { createNamespace, labelNamespace } from './support/test-namespace.ts';
import { Webhook } from './support/webhook.ts';
import { podTemplateOf, type StoredObject, workload } from './support/workload.ts';

const environment = readEnvironment();
const { kubeconfig, registry } = environment;

const CREATE = ['create', '--filename=-'];

/** An `enforce` namespace with what was pinned in it before the webhook went away. */
interface Before {
  readonly kubectl: Kubectl;
  readonly image: TestImage;
  readonly deployment: StoredObject;
  readonly job: StoredObject;
}

async function pinWhileTheWebhookIsUp(): Promise<Before> {
  const webhook = new Webhook(environment);
  await webhook.start();
  try {
    const image = await TestImage.ofOnePlatform(registry);
    const kubectl = await createNamespace(kubeconfig, { mode: 'enforce' });
    await kubectl.apply(workload('Deployment', { image: image.tagged }));
    await kubectl.apply(workload('Job', { image: image.tagged }));
    const deployment = await kubectl.get<StoredObject>('deployment', 'web');
    await waitForPods(kubectl, await waitForReplicaSet(kubectl, deployment));
    return { kubectl, image, deployment, job: await kubectl.get<StoredObject>('job', 'web') };
  } finally {
    await webhook.stop();
  }
}

describe('while the webhook is down', () => {
  let before: Before;

  beforeAll(async () => {
    before = await pinWhileTheWebhookIsUp();
  });

  it('a namespace of mode "pin" takes a Pod by tag', async () => {
    const image = await TestImage.ofOnePlatform(registry);
    const kubectl = await createNamespace(kubeconfig, { mode: 'pin' });

    await kubectl.apply(workload('Pod', { image: image.tagged }));

    const stored = podTemplateOf(await kubectl.get<StoredObject>('pod', 'web'));
    expect(pinsOf(stored)).toEqual(untouched(image));
  });

  it('a namespace of mode "enforce" refuses a Pod by tag, with the message of the policy', async () => {
    const { kubectl, image } = before;

    const input = workload('Pod', { name: 'by-tag', image: image.tagged });
    const { exitCode, stderr } = await kubectl.run(CREATE, { input, mayFail: true });

    expect(exitCode).not.toBe(0);
    expect(stderr).toContain("ValidatingAdmissionPolicy 'tagpin-enforce'");
    expect(stderr).toContain(image.tagged);
    expect(stderr).toContain('container "web"');
  });

  it('a namespace of mode "enforce" takes a Pod by digest', async () => {
    const { kubectl, image } = before;
    const pinned = await image.pinned();

    await kubectl.apply(workload('Pod', { name: 'by-digest', image: pinned }));

    const stored = podTemplateOf(await kubectl.get<StoredObject>('pod', 'by-digest'));
    expect(pinsOf(stored).images).toEqual({ web: pinned });
  });

  it('a Deployment that is pinned can be scaled, and makes its Pods', async () => {
    const { kubectl, image, deployment } = before;

    await kubectl.run(['scale', 'deployment', 'web', '--replicas=3']);

    const [replicaSet] = await settledReplicaSets(kubectl, deployment);
    const pods = await waitForPods(kubectl, replicaSet ?? deployment, 3);
    const pinned = await pinsTo({ web: image });
    expect(pods.map((pod) => pinsOf(podTemplateOf(pod)))).toEqual([pinned, pinned, pinned]);
  });

  it('a lost Pod is replaced', async () => {
    const { kubectl, deployment } = before;
    const replicaSet = await waitForReplicaSet(kubectl, deployment);
    const { items } = await kubectl.get<{ items: StoredObject[] }>('pods', '--selector=app=web');
    const owned = items.filter(({ metadata }) =>
      metadata.ownerReferences?.some(({ uid }) => uid === replicaSet.metadata.uid),
    );
    const lost = owned[0]?.metadata;

    await kubectl.run(['delete', 'pod', lost?.name ?? '']);

    const pods = await waitForPods(kubectl, replicaSet, owned.length);
    expect(pods.map(({ metadata }) => metadata.uid)).not.toContain(lost?.uid);
  });

  it('a Job whose Pod has succeeded is complete', async () => {
    const { kubectl, job } = before;
    const [pod] = await waitForPods(kubectl, job);

    const patch = ['--subresource=status', '--patch={"status":{"phase":"Succeeded"}}'];
    await kubectl.run(['patch', 'pod', pod.metadata.name, ...patch]);

    const wait = ['wait', 'job/web', '--for=condition=Complete', '--timeout=30s'];
    const { stdout } = await kubectl.run(wait);
    expect(stdout).toContain('condition met');
  });

  it('a Pod by tag from before the label loses its finalizer and goes', async () => {
    const image = await TestImage.ofOnePlatform(registry);
    const kubectl = await createNamespace(kubeconfig);
    const pod = workload('Pod', { image: image.tagged });
    await kubectl.apply(pod);
    await kubectl.run(['patch', 'pod', 'web', '--patch={"metadata":{"finalizers":["a.b/c"]}}']);
    await labelNamespace(kubectl, { mode: 'enforce' });
    await kubectl.run(['delete', 'pod', 'web', '--wait=false']);

    const withoutFinalizers = '[{"op":"remove","path":"/metadata/finalizers"}]';
    await kubectl.run(['patch', 'pod', 'web', '--type=json', `--patch=${withoutFinalizers}`]);

    await eventually(async () => {
      const { items } = await kubectl.get<{ items: unknown[] }>('pods');
      expect(items).toEqual([]);
    });
  });
});

describe('once the webhook is up again', () => {
  const webhook = new Webhook(environment);

  beforeAll(() => webhook.start());
  afterAll(() => webhook.stop());

  it('pins a Deployment that came by tag meanwhile with its next change, in one rollout', async () => {
    await webhook.stop();
    const image = await TestImage.ofOnePlatform(registry);
    const kubectl = await createNamespace(kubeconfig, { mode: 'pin' });
    await kubectl.apply(workload('Deployment', { image: image.tagged }));
    const deployment = await kubectl.get<StoredObject>('deployment', 'web');
    await waitForReplicaSet(kubectl, deployment);

    await webhook.start();
    expect(await settledReplicaSets(kubectl, deployment)).toHaveLength(1);
    await kubectl.run(['set', 'env', 'deployment/web', 'CHANGED=yes']);

    const stored = podTemplateOf(await kubectl.get<StoredObject>('deployment', 'web'));
    expect(pinsOf(stored)).toEqual(await pinsTo({ web: image }));
    expect(await settledReplicaSets(kubectl, deployment)).toHaveLength(2);
  });
});
