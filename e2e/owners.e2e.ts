import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import {
  CLUSTER,
  type CustomKind,
  DATABASE,
  defineKind,
  removeKind,
} from './support/custom-resource.ts';
import { readEnvironment } from './support/environment.ts';
import { eventually } from './support/eventually.ts';
import { Kubectl } from './support/kubectl.ts';
import { TestImage } from './support/test-image.ts';
import { createNamespace } from './support/test-namespace.ts';
import { Webhook } from './support/webhook.ts';
import type { PodTemplate, StoredObject } from './support/workload.ts';

const environment = readEnvironment();
const { kubeconfig, registry } = environment;
const webhook = new Webhook(environment);
const admin = new Kubectl(kubeconfig);

const KINDS = [CLUSTER, DATABASE];

type Pod = StoredObject & { readonly spec: PodTemplate['spec'] };

beforeAll(async () => {
  await Promise.all(KINDS.map((kind) => defineKind(admin, kind)));
  await webhook.start();
});

afterAll(async () => {
  await webhook.stop();
  await Promise.all(KINDS.map((kind) => removeKind(admin, kind)));
});

/** Creates the resource of an operator, and gives it as it is stored. */
async function createOwner(
  kubectl: Kubectl,
  { group, version, kind, plural }: CustomKind,
  image: string,
): Promise<StoredObject> {
  const apiVersion = `${group}/${version}`;
  await kubectl.apply({ apiVersion, kind, metadata: { name: 'db' }, spec: { image } });
  return kubectl.get<StoredObject>(`${plural}.${group}`, 'db');
}

/** The Pod that an operator makes for its resource. */
function podOf(owner: StoredObject, custom: CustomKind, parts: PodParts): object {
  const { group, version, kind } = custom;
  const { name, uid } = owner.metadata;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: 'db-1',
      annotations: parts.annotations ?? {},
      ownerReferences: [{ apiVersion: `${group}/${version}`, kind, name, uid, controller: true }],
    },
    spec: {
      terminationGracePeriodSeconds: 0,
      containers: [{ name: 'db', image: parts.image }],
    },
  };
}

interface PodParts {
  readonly image: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

/**
 * One round of an operator that compares the image of its Pod with its own spec, and makes the Pod
 * anew where they differ. Gives what the API server warned of, and whether it is content.
 */
async function reconcile(
  kubectl: Kubectl,
  owner: StoredObject,
  parts: PodParts,
): Promise<{ readonly isContent: boolean; readonly warnings: string }> {
  const { items } = await kubectl.get<{ items: Pod[] }>('pods');
  const [pod] = items;
  if (pod?.spec.containers[0]?.image === parts.image) return { isContent: true, warnings: '' };
  if (pod !== undefined) await kubectl.run(['delete', 'pod', pod.metadata.name]);
  const input = podOf(owner, DATABASE, parts);
  const { stderr } = await kubectl.run(['create', '--filename=-'], { input });
  return { isContent: false, warnings: stderr };
}

/** Reconciles until the operator is content, and gives how often it made its Pod, and what it was told last. */
async function operate(
  kubectl: Kubectl,
  owner: StoredObject,
  parts: PodParts,
): Promise<{ readonly creations: number; readonly warnings: string }> {
  let warnings = '';
  for (let creations = 0; creations < 20; creations += 1) {
    const round = await reconcile(kubectl, owner, parts);
    if (round.isContent) return { creations, warnings };
    ({ warnings } = round);
  }
  throw new Error('The operator still makes its Pod anew after twenty rounds');
}

describe('the Pods of an operator that compares their images', () => {
  it('are given back to it with their tags after five attempts, and it is told how to end it', async () => {
    const image = await TestImage.ofOnePlatform(registry);
    const kubectl = await createNamespace(kubeconfig, { mode: 'pin' });
    const owner = await createOwner(kubectl, DATABASE, image.tagged);

    const { creations, warnings } = await operate(kubectl, owner, { image: image.tagged });

    expect(creations).toBe(6);
    expect(warnings).toMatch(/^Warning: .*"Database".*tagpin\.dev\/skip: "true".*\[contended\]$/mu);
    expect(await webhook.metric('tagpin_images_total', { outcome: 'contended' })).toBe(1);
    const requests = { kind: 'Pod', outcome: 'contended' };
    expect(await webhook.metric('tagpin_admission_requests_total', requests)).toBe(1);
    // Nothing was changed, not even an annotation, which it might compare as well.
    const pod = await kubectl.get<Pod>('pod', 'db-1');
    expect(pod.metadata.annotations ?? {}).toEqual({});
  });

  it.each<[string, (image: TestImage) => Promise<PodParts>]>([
    [
      'the annotation that it was told of',
      async ({ tagged }) => ({ image: tagged, annotations: { 'tagpin.dev/skip': 'true' } }),
    ],
    ['the digest in its own resource', async (image) => ({ image: await image.pinned() })],
  ])('are made once with %s', async (_, partsOf) => {
    const image = await TestImage.ofOnePlatform(registry);
    const kubectl = await createNamespace(kubeconfig, { mode: 'pin' });
    const parts = await partsOf(image);
    const owner = await createOwner(kubectl, DATABASE, parts.image);
    expect((await operate(kubectl, owner, parts)).creations).toBe(1);
  });

  it('are pinned on in enforce, and made once with the digest in its own resource', async () => {
    const image = await TestImage.ofOnePlatform(registry);
    const kubectl = await createNamespace(kubeconfig, { mode: 'enforce' });
    const owner = await createOwner(kubectl, DATABASE, image.tagged);
    await expect(operate(kubectl, owner, { image: image.tagged })).rejects.toThrow('twenty rounds');
    const { items } = await kubectl.get<{ items: Pod[] }>('pods');
    expect(items.map(({ spec }) => spec.containers[0]?.image)).toEqual([await image.pinned()]);
    expect((await operate(kubectl, owner, { image: await image.pinned() })).creations).toBe(0);
  });
});

describe('the Pods of an operator that is known to compare', () => {
  it('are left alone in pin', async () => {
    const image = await TestImage.ofOnePlatform(registry);
    const kubectl = await createNamespace(kubeconfig, { mode: 'pin' });
    const owner = await createOwner(kubectl, CLUSTER, image.tagged);
    const input = podOf(owner, CLUSTER, { image: image.tagged });

    await kubectl.run(['create', '--filename=-'], { input });

    const pod = await kubectl.get<Pod>('pod', 'db-1');
    expect(pod.spec.containers[0]?.image).toBe(image.tagged);
    expect(await image.lookUps()).toBe(0);
    const requests = { kind: 'Pod', outcome: 'foreign_owner' };
    await eventually(async () => {
      expect(await webhook.metric('tagpin_admission_requests_total', requests)).toBe(1);
    });
  });

  it('are refused in enforce by the policy, and taken with a digest', async () => {
    const image = await TestImage.ofOnePlatform(registry);
    const kubectl = await createNamespace(kubeconfig, { mode: 'enforce' });
    const owner = await createOwner(kubectl, CLUSTER, image.tagged);
    const create = (parts: PodParts) =>
      kubectl.run(['create', '--filename=-'], {
        input: podOf(owner, CLUSTER, parts),
        mayFail: true,
      });

    const refused = await create({ image: image.tagged });
    expect(refused.stderr).toContain("ValidatingAdmissionPolicy 'tagpin-enforce'");
    expect(refused.stderr).toContain('in the spec of whatever made the Pod');

    expect((await create({ image: await image.pinned() })).exitCode).toBe(0);
  });
});
