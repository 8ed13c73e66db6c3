import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { readEnvironment } from './support/environment.ts';
import { eventually } from './support/eventually.ts';
import type { Kubectl } from './support/kubectl.ts';
import { settledReplicaSets, waitForReplicaSet } from './support/ownership.ts';
import { type Pins, pinsOf, pinsTo } from './support/pins.ts';
import { TestImage } from './support/test-image.ts';
import { createNamespace } from './support/test-namespace.ts';
import { Webhook } from './support/webhook.ts';
import { podTemplateOf, type StoredObject, workload } from './support/workload.ts';

const environment = readEnvironment();
const { kubeconfig, registry } = environment;
/** Whatever is not asked anew comes from the stored object then, and not from the cache. */
const FORGETFUL = ['--cache-ttl=1ms'];

function runWebhook(settings: readonly string[] = []): void {
  const webhook = new Webhook(environment, settings);
  beforeAll(() => webhook.start());
  afterAll(() => webhook.stop());
}

async function storedPins(kubectl: Kubectl, resource: string): Promise<Pins> {
  return pinsOf(podTemplateOf(await kubectl.get<StoredObject>(resource, 'web')));
}

/** How often the API server has seen a Deployment change, its controller's own notes included. */
async function generationOf(kubectl: Kubectl): Promise<number> {
  const { metadata } = await kubectl.get<StoredObject>('deployment', 'web');
  if (metadata.annotations?.['deployment.kubernetes.io/revision'] === undefined) {
    throw new Error('The controller has not counted its revision yet');
  }
  return metadata.generation;
}

describe('a Deployment that is applied again after its tag has moved', () => {
  runWebhook(FORGETFUL);

  const ways = [
    ['client-side apply', ['apply']],
    ['server-side apply', ['apply', '--server-side']],
    ['replace', ['replace']],
  ] as const;

  it.each(ways)('keeps its pin and its ReplicaSet on %s', async (_, command) => {
    const image = await TestImage.ofOnePlatform(registry);
    const kubectl = await createNamespace(kubeconfig, { mode: 'pin' });
    const input = workload('Deployment', { image: image.tagged });
    // What `replace` sends has no annotation of ours and must find what `create` has stored.
    const first = command[0] === 'replace' ? ['create'] : command;
    await kubectl.run([...first, '--filename=-'], { input });
    const before = await kubectl.get<StoredObject>('deployment', 'web');
    const pins = await pinsTo({ web: image });
    expect(pinsOf(podTemplateOf(before))).toEqual(pins);
    await waitForReplicaSet(kubectl, before);
    const lookUps = await image.lookUps();
    const withoutTagpin = await createNamespace(kubeconfig);
    await withoutTagpin.run([...first, '--filename=-'], { input });
    for (const each of [kubectl, withoutTagpin]) await eventually(() => generationOf(each));

    await image.move();
    for (const each of [kubectl, withoutTagpin]) {
      await each.run([...command, '--filename=-'], { input });
    }

    expect(await storedPins(kubectl, 'deployment')).toEqual(pins);
    await eventually(async () => {
      expect(await generationOf(kubectl)).toBe(await generationOf(withoutTagpin));
    });
    expect(await settledReplicaSets(kubectl, before)).toHaveLength(1);
    expect(await image.lookUps()).toBe(lookUps);
  });

  it('takes the digest of another tag when it is applied with that', async () => {
    const image = await TestImage.ofOnePlatform(registry);
    const other = await TestImage.ofOnePlatform(registry, '2');
    const kubectl = await createNamespace(kubeconfig, { mode: 'pin' });
    await kubectl.apply(workload('Deployment', { image: image.tagged }));

    await kubectl.apply(workload('Deployment', { image: other.tagged }));

    expect(await storedPins(kubectl, 'deployment')).toEqual(await pinsTo({ web: other }));
  });

  it('keeps a pin that another tool has made, tag and digest', async () => {
    const image = await TestImage.ofOnePlatform(registry);
    const kubectl = await createNamespace(kubeconfig, { mode: 'pin' });
    const pinned = `${image.tagged}@${await image.digest()}`;
    await kubectl.apply(workload('Deployment', { image: pinned }));
    const deployment = await kubectl.get<StoredObject>('deployment', 'web');
    expect(pinsOf(podTemplateOf(deployment))).toEqual({ images: { web: pinned } });
    await waitForReplicaSet(kubectl, deployment);

    await image.move();
    await kubectl.apply(workload('Deployment', { image: image.tagged }));

    expect((await storedPins(kubectl, 'deployment')).images).toEqual({ web: pinned });
    expect(await settledReplicaSets(kubectl, deployment)).toHaveLength(1);
    expect(await image.lookUps()).toBe(0);
  });
});

describe('a Deployment whose tag has moved', () => {
  // With the cache as it is by default: a restart must not be answered from it.
  runWebhook();

  it('takes the new digest on kubectl rollout restart, the old one back on undo, and the new one on the next', async () => {
    const image = await TestImage.ofOnePlatform(registry);
    const kubectl = await createNamespace(kubeconfig, { mode: 'pin' });
    await kubectl.apply(workload('Deployment', { image: image.tagged }));
    const deployment = await kubectl.get<StoredObject>('deployment', 'web');
    const replicaSet = await waitForReplicaSet(kubectl, deployment);
    const before = await storedPins(kubectl, 'deployment');
    expect(before).toEqual(await pinsTo({ web: image }));

    await image.move();
    await kubectl.run(['rollout', 'restart', 'deployment', 'web']);

    const after = await storedPins(kubectl, 'deployment');
    const expected = await pinsTo({ web: image });
    expect(after.images).toEqual(expected.images);
    expect(after.originals).toMatchObject({ ...expected.originals });
    expect(await settledReplicaSets(kubectl, deployment)).toHaveLength(2);

    await kubectl.run(['rollout', 'undo', 'deployment', 'web']);

    expect(await storedPins(kubectl, 'deployment')).toEqual(before);
    const replicaSets = await settledReplicaSets(kubectl, deployment);
    expect(replicaSets).toHaveLength(2);
    expect(replicaSets.map(({ metadata }) => metadata.uid)).toContain(replicaSet.metadata.uid);

    await image.move();
    await kubectl.run(['rollout', 'undo', 'deployment', 'web']);

    expect(await storedPins(kubectl, 'deployment')).toEqual(after);
    expect(await settledReplicaSets(kubectl, deployment)).toHaveLength(2);
  });
});

describe('a Job whose tag has moved', () => {
  runWebhook(FORGETFUL);

  const ways = [
    ['client-side', []],
    ['server-side', ['--server-side']],
  ] as const;

  it.each(ways)('is accepted when it is applied again, %s', async (_, flags) => {
    const image = await TestImage.ofOnePlatform(registry);
    const kubectl = await createNamespace(kubeconfig, { mode: 'pin' });
    const job = workload('Job', { image: image.tagged });
    await kubectl.apply(job, ...flags);
    const pins = await storedPins(kubectl, 'job');
    expect(pins).toEqual(await pinsTo({ web: image }));

    await image.move();
    await kubectl.apply(job, ...flags);

    expect(await storedPins(kubectl, 'job')).toEqual(pins);
  });
});
