import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { readEnvironment } from './support/environment.ts';
import { Kubectl } from './support/kubectl.ts';
import { settledReplicaSets, waitForPods, waitForReplicaSet } from './support/ownership.ts';
import { pinsOf, pinsTo, untouched } from './support/pins.ts';
import { TestImage } from './support/test-image.ts';
import { createNamespace, labelNamespace } from './support/test-namespace.ts';
import { Webhook } from './support/webhook.ts';
import {
  podTemplateOf,
  type StoredObject,
  type WorkloadKind,
  workload,
} from './support/workload.ts';

const environment = readEnvironment();
const { kubeconfig, registry } = environment;
const webhook = new Webhook(environment);
const admin = new Kubectl(kubeconfig);

beforeAll(async () => {
  await webhook.start();
  // A DaemonSet makes its Pods for nodes; nothing has to run on this one.
  await admin.apply({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'e2e' } });
});

afterAll(async () => {
  await webhook.stop();
  await admin.run(['delete', 'node', 'e2e', '--ignore-not-found']);
});

const WITH_PODS: readonly WorkloadKind[] = [
  'ReplicaSet',
  'ReplicationController',
  'StatefulSet',
  'DaemonSet',
  'Job',
];

describe('a workload in a namespace of mode "pin"', () => {
  it.each(WITH_PODS)('%s is stored with digests, and so are its Pods', async (kind) => {
    const image = await TestImage.ofTwoPlatforms(registry);
    const kubectl = await createNamespace(kubeconfig, { mode: 'pin' });

    await kubectl.apply(workload(kind, { image: image.tagged }));

    const expected = await pinsTo({ web: image });
    const stored = await kubectl.get<StoredObject>(kind, 'web');
    expect(pinsOf(podTemplateOf(stored))).toEqual(expected);
    const [pod] = await waitForPods(kubectl, stored);
    expect(pinsOf(podTemplateOf(pod))).toEqual(expected);
  });

  it('Deployment is stored with digests, and so are its one ReplicaSet and its Pods', async () => {
    const image = await TestImage.ofTwoPlatforms(registry);
    const kubectl = await createNamespace(kubeconfig, { mode: 'pin' });

    await kubectl.apply(workload('Deployment', { image: image.tagged, replicas: 2 }));

    const expected = await pinsTo({ web: image });
    const deployment = await kubectl.get<StoredObject>('deployment', 'web');
    expect(pinsOf(podTemplateOf(deployment))).toEqual(expected);
    const replicaSet = await waitForReplicaSet(kubectl, deployment);
    expect(pinsOf(podTemplateOf(replicaSet))).toEqual(expected);
    const pods = await waitForPods(kubectl, replicaSet, 2);
    expect(pods.map((pod) => pinsOf(podTemplateOf(pod)))).toEqual([expected, expected]);
    expect(await settledReplicaSets(kubectl, deployment)).toHaveLength(1);
  });

  it('CronJob is stored with digests, and so are a Job made from it and its Pod', async () => {
    const image = await TestImage.ofOnePlatform(registry);
    const kubectl = await createNamespace(kubeconfig, { mode: 'pin' });

    await kubectl.apply(workload('CronJob', { image: image.tagged }));
    await kubectl.run(['create', 'job', 'now', '--from=cronjob/web']);

    const expected = await pinsTo({ web: image });
    const cronJob = await kubectl.get<StoredObject>('cronjob', 'web');
    expect(pinsOf(podTemplateOf(cronJob))).toEqual(expected);
    const job = await kubectl.get<StoredObject>('job', 'now');
    expect(pinsOf(podTemplateOf(job))).toEqual(expected);
    const [pod] = await waitForPods(kubectl, job);
    expect(pinsOf(podTemplateOf(pod))).toEqual(expected);
  });

  it('PodTemplate is stored with digests', async () => {
    const image = await TestImage.ofOnePlatform(registry);
    const kubectl = await createNamespace(kubeconfig, { mode: 'pin' });

    await kubectl.apply(workload('PodTemplate', { image: image.tagged }));

    const stored = await kubectl.get<StoredObject>('podtemplate', 'web');
    expect(pinsOf(podTemplateOf(stored))).toEqual(await pinsTo({ web: image }));
  });
});

describe('a live namespace that is labelled', () => {
  it('keeps the one ReplicaSet of a Deployment by tag, and pins the Pods it adds', async () => {
    const image = await TestImage.ofOnePlatform(registry);
    const kubectl = await createNamespace(kubeconfig);
    await kubectl.apply(workload('Deployment', { image: image.tagged }));
    const deployment = await kubectl.get<StoredObject>('deployment', 'web');
    const replicaSet = await waitForReplicaSet(kubectl, deployment);
    await waitForPods(kubectl, replicaSet, 1);

    await labelNamespace(kubectl, { mode: 'pin' });
    await kubectl.run(['scale', 'deployment', 'web', '--replicas=3']);

    const pods = await waitForPods(kubectl, replicaSet, 3);
    expect(await settledReplicaSets(kubectl, deployment)).toHaveLength(1);
    const after = await kubectl.get<StoredObject>('deployment', 'web');
    expect(pinsOf(podTemplateOf(after))).toEqual(untouched(image));
    const images = pods.map((pod) => pinsOf(podTemplateOf(pod)).images['web']);
    const pinned = await image.pinned();
    expect(images.filter((text) => text === pinned)).toHaveLength(2);
  });

  it('gets one ReplicaSet in the place of one that is deleted, by tag as its Deployment', async () => {
    const image = await TestImage.ofOnePlatform(registry);
    const kubectl = await createNamespace(kubeconfig);
    await kubectl.apply(workload('Deployment', { image: image.tagged }));
    const deployment = await kubectl.get<StoredObject>('deployment', 'web');
    const { metadata } = await waitForReplicaSet(kubectl, deployment);

    await labelNamespace(kubectl, { mode: 'pin' });
    await kubectl.run(['delete', 'replicaset', metadata.name]);

    const replicaSet = await waitForReplicaSet(kubectl, deployment);
    expect(replicaSet.metadata.uid).not.toBe(metadata.uid);
    expect(pinsOf(podTemplateOf(replicaSet))).toEqual(untouched(image));
    const [pod] = await waitForPods(kubectl, replicaSet);
    expect(pinsOf(podTemplateOf(pod))).toEqual(await pinsTo({ web: image }));
    expect(await settledReplicaSets(kubectl, deployment)).toHaveLength(1);
  });
});

describe('the label tagpin.dev/level: pods', () => {
  it('leaves the template alone and pins the Pods', async () => {
    const image = await TestImage.ofOnePlatform(registry);
    const kubectl = await createNamespace(kubeconfig, { mode: 'pin', level: 'pods' });

    await kubectl.apply(workload('Deployment', { image: image.tagged }));

    const deployment = await kubectl.get<StoredObject>('deployment', 'web');
    expect(pinsOf(podTemplateOf(deployment))).toEqual(untouched(image));
    const replicaSet = await waitForReplicaSet(kubectl, deployment);
    expect(pinsOf(podTemplateOf(replicaSet))).toEqual(untouched(image));
    const [pod] = await waitForPods(kubectl, replicaSet);
    expect(pinsOf(podTemplateOf(pod))).toEqual(await pinsTo({ web: image }));
  });
});
