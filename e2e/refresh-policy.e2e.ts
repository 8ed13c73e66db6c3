import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { readEnvironment } from './support/environment.ts';
import type { Kubectl } from './support/kubectl.ts';
import { settledReplicaSets, waitForReplicaSet } from './support/ownership.ts';
import { pinsOf } from './support/pins.ts';
import { TestImage } from './support/test-image.ts';
import { createNamespace } from './support/test-namespace.ts';
import { Webhook } from './support/webhook.ts';
import { podTemplateOf, type StoredObject, workload } from './support/workload.ts';

const environment = readEnvironment();
const { kubeconfig, registry } = environment;

const RESTART = ['rollout', 'restart', 'deployment', 'web'];
const UNDO = ['rollout', 'undo', 'deployment', 'web'];

function runWebhook(settings: readonly string[]): void {
  const webhook = new Webhook(environment, settings);
  beforeAll(() => webhook.start());
  afterAll(() => webhook.stop());
}

/** A Deployment whose template has these annotations. */
function deployment(image: TestImage, annotations: Readonly<Record<string, string>> = {}): object {
  const object = workload('Deployment', { image: image.tagged }) as {
    spec: { template: { metadata: object } };
  };
  const { spec } = object;
  const metadata = { ...spec.template.metadata, annotations };
  return { ...object, spec: { ...spec, template: { ...spec.template, metadata } } };
}

async function storedImage(kubectl: Kubectl): Promise<string | undefined> {
  const template = podTemplateOf(await kubectl.get<StoredObject>('deployment', 'web'));
  return pinsOf(template).images['web'];
}

async function countReplicaSets(kubectl: Kubectl): Promise<number> {
  const stored = await kubectl.get<StoredObject>('deployment', 'web');
  await waitForReplicaSet(kubectl, stored);
  return (await settledReplicaSets(kubectl, stored)).length;
}

describe('--refresh-policy rollout', () => {
  runWebhook(['--refresh-policy=rollout']);

  it('takes the new digest with whatever starts a rollout anyway, and undo takes it back', async () => {
    const image = await TestImage.ofOnePlatform(registry);
    const kubectl = await createNamespace(kubeconfig, { mode: 'pin' });
    await kubectl.apply(deployment(image, { rollme: '1' }));
    const first = await image.pinned();
    expect(await storedImage(kubectl)).toBe(first);
    expect(await countReplicaSets(kubectl)).toBe(1);

    // Within the time for which the cache is fresh.
    await image.move();
    await kubectl.apply(deployment(image, { rollme: '1' }));
    expect(await storedImage(kubectl)).toBe(first);
    expect(await countReplicaSets(kubectl)).toBe(1);

    await kubectl.apply(deployment(image, { rollme: '2' }));
    const second = await image.pinned();
    expect(await storedImage(kubectl)).toBe(second);
    expect(await countReplicaSets(kubectl)).toBe(2);

    await image.move();
    await kubectl.run(UNDO);
    expect(await storedImage(kubectl)).toBe(first);
    await kubectl.run(UNDO);
    expect(await storedImage(kubectl)).toBe(second);
    expect(await countReplicaSets(kubectl)).toBe(2);

    await kubectl.run(['set', 'env', 'deployment/web', 'CHANGED=yes']);
    expect(await storedImage(kubectl)).toBe(await image.pinned());
    expect(await countReplicaSets(kubectl)).toBe(3);
  });

  it('undoes to the same digest where two revisions have one', async () => {
    const image = await TestImage.ofOnePlatform(registry);
    const kubectl = await createNamespace(kubeconfig, { mode: 'pin' });
    await kubectl.apply(deployment(image, { rollme: '1' }));
    await kubectl.apply(deployment(image, { rollme: '2' }));
    const first = await image.pinned();
    expect(await countReplicaSets(kubectl)).toBe(2);

    await image.move();
    await kubectl.run(UNDO);

    expect(await storedImage(kubectl)).toBe(first);
    expect(await countReplicaSets(kubectl)).toBe(2);
  });
});

describe('--refresh-policy annotation', () => {
  runWebhook(['--refresh-policy=annotation']);

  it('restarts with the old digest, and takes the new one with the command that it prints', async () => {
    const image = await TestImage.ofOnePlatform(registry);
    const kubectl = await createNamespace(kubeconfig, { mode: 'pin' });
    await kubectl.apply(deployment(image));
    const first = await image.pinned();
    await image.move();

    await kubectl.run(RESTART);
    expect(await storedImage(kubectl)).toBe(first);

    const annotate = ['annotate', 'deployment', 'web', 'tagpin.dev/refresh=2'];
    const { stderr } = await kubectl.run(annotate);
    expect(await storedImage(kubectl)).toBe(first);
    const [, words = '', patch = ''] = /^Warning: kubectl (.*) -p '(.*)'$/mu.exec(stderr) ?? [];
    await kubectl.run([...words.split(' '), '--patch', patch]);

    expect(await storedImage(kubectl)).toBe(await image.pinned());
  });

  it('gives way to the annotation of a template', async () => {
    const image = await TestImage.ofOnePlatform(registry);
    const kubectl = await createNamespace(kubeconfig, { mode: 'pin' });
    await kubectl.apply(deployment(image, { 'tagpin.dev/refresh-policy': 'restart' }));
    await image.move();

    await kubectl.run(RESTART);

    expect(await storedImage(kubectl)).toBe(await image.pinned());
  });
});

describe('--refresh-policy never', () => {
  runWebhook(['--refresh-policy=never']);

  it('restarts with the old digest, and takes another tag', async () => {
    const image = await TestImage.ofOnePlatform(registry);
    const other = await TestImage.ofOnePlatform(registry);
    const kubectl = await createNamespace(kubeconfig, { mode: 'pin' });
    await kubectl.apply(deployment(image));
    const first = await image.pinned();
    await image.move();

    await kubectl.run(RESTART);
    expect(await storedImage(kubectl)).toBe(first);
    await kubectl.apply(deployment(image, { 'tagpin.dev/refresh': '2' }));
    expect(await storedImage(kubectl)).toBe(first);

    await kubectl.apply(deployment(other));
    expect(await storedImage(kubectl)).toBe(await other.pinned());
  });
});

describe('a pin that stays though the tag is known to have moved', () => {
  runWebhook([]);

  it('is told of when the file is applied again, with the command that takes the new digest', async () => {
    const image = await TestImage.ofOnePlatform(registry);
    const kubectl = await createNamespace(kubeconfig, { mode: 'pin' });
    await kubectl.apply(deployment(image));
    await image.move();
    // Somebody else has it looked up: what is applied here has to ask nobody.
    const second = { ...deployment(image), metadata: { name: 'second' } };
    await kubectl.apply(second);
    await kubectl.run(['rollout', 'restart', 'deployment', 'second']);
    const lookUps = await image.lookUps();

    const { stderr } = await kubectl.apply({ ...deployment(image), spec: changed(image) });

    expect(stderr).toMatch(
      /^Warning: container "web" keeps its pin, though ".*" named another digest \d+ s ago: "kubectl rollout restart" takes it$/mu,
    );
    expect(await image.lookUps()).toBe(lookUps);
  });
});

/** The spec of the same Deployment, which differs in more than its replicas. */
function changed(image: TestImage): object {
  const { spec } = deployment(image, { color: 'blue' }) as { spec: object };
  return spec;
}
