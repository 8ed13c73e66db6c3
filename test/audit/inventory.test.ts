import { describe, expect, it } from '@jest/globals';

import { Inventory, type ListedObject } from '../../src/audit/inventory.ts';
import { digest } from '../support/admission.ts';
import { listed, owned, podOf, withMetadata } from '../support/listed-objects.ts';

function inventoryOf(objects: readonly ListedObject[]): Inventory {
  const inventory = new Inventory();
  for (const object of objects) inventory.add(object);
  return inventory;
}

function usesOf(objects: readonly ListedObject[]): object[] {
  return inventoryOf(objects).uses.map(
    ({ workload, place, image, original, inTemplate, pods }) => ({
      name: `${workload.kind}/${workload.name}`,
      place,
      image,
      original,
      inTemplate,
      pods,
    }),
  );
}

const DEPLOYMENT = listed('apps/Deployment', 'web', { image: 'nginx:1' });
const REPLICA_SET = owned(listed('apps/ReplicaSet', 'web-1', { image: 'nginx:1' }), DEPLOYMENT);
const WEB = { name: 'Deployment/web', place: 'container "web"', original: undefined };

describe('Inventory.uses', () => {
  it('counts the Pods of a Deployment, through its ReplicaSet, as its own', () => {
    const pods = ['a', 'b'].map((name) => podOf(REPLICA_SET, name, { image: 'nginx:1' }));
    expect(usesOf([DEPLOYMENT, REPLICA_SET, ...pods])).toEqual([
      { ...WEB, image: 'nginx:1', inTemplate: true, pods: 2 },
    ]);
  });

  it('has what Pods run otherwise beside what the template has', () => {
    const image = `nginx@${digest('a')}`;
    const pod = podOf(REPLICA_SET, 'a', { image });
    expect(usesOf([DEPLOYMENT, REPLICA_SET, pod])).toEqual([
      { ...WEB, image: 'nginx:1', inTemplate: true, pods: 0 },
      { ...WEB, image, inTemplate: false, pods: 1 },
    ]);
  });

  it('believes no Pod that names an owner in another namespace', () => {
    const elsewhere = withMetadata(podOf(REPLICA_SET, 'a', { image: 'evil:1' }), {
      namespace: 'evil',
    });
    const { uses } = inventoryOf([DEPLOYMENT, REPLICA_SET, elsewhere]);
    expect(uses.map(({ workload, account, pods }) => [workload, account.namespace, pods])).toEqual([
      [{ namespace: 'shop', kind: 'Deployment', name: 'web' }, 'shop', 0],
      [{ namespace: 'evil', kind: 'ReplicaSet', name: 'web-1' }, 'evil', 1],
    ]);
  });

  it('names the direct owner where nobody has listed it', () => {
    const rollout = listed('argoproj.io/Rollout', 'canary', {});
    const pod = podOf(rollout, 'a', { image: 'nginx:1' });
    expect(usesOf([pod])).toEqual([
      { ...WEB, name: 'Rollout/canary', image: 'nginx:1', inTemplate: false, pods: 1 },
    ]);
  });

  it.each([
    ['its record', { image: `nginx@${digest('a')}`, record: `nginx:1 ${digest('a')}` }, 'nginx:1'],
    ['the tag beside the digest', { image: `nginx:2@${digest('a')}` }, 'nginx:2'],
    [
      'no record that does not count',
      { image: `nginx@${digest('a')}`, record: `nginx:1 ${digest('b')}` },
      undefined,
    ],
  ])('knows the original by %s', (_what, image, original) => {
    const deployment = listed('apps/Deployment', 'web', image);
    expect(usesOf([deployment])).toEqual([
      { ...WEB, image: image.image, original, inTemplate: true, pods: 0 },
    ]);
  });

  it('leaves out kinds without a pod template', () => {
    expect(usesOf([listed('/ConfigMap', 'web', { image: 'nginx:1' })])).toEqual([]);
  });

  it('counts objects with more images than are read', () => {
    const spec = {
      containers: Array.from({ length: 5001 }, (_, index) => ({ name: `c${index}` })),
    };
    const pod = { group: '', kind: 'Pod', object: { metadata: { name: 'huge' }, spec } };
    expect(inventoryOf([pod, DEPLOYMENT])).toMatchObject({ unread: 1, uses: { length: 1 } });
  });
});

describe('Inventory.running', () => {
  it.each([
    {
      whose: 'the spec',
      image: `nginx:1@${digest('a')}`,
      imageID: `other@${digest('b')}`,
      tells: 'a',
    },
    { whose: 'the node', image: 'nginx:1', imageID: `other@${digest('b')}`, tells: 'b' },
    { whose: 'nobody', image: 'nginx:1', imageID: undefined, tells: undefined },
    { whose: 'nobody, of a local image', image: 'nginx:1', imageID: 'sha256:00', tells: undefined },
  ])('has the digest of $whose, once', ({ image, imageID, tells }) => {
    const pod = podOf(REPLICA_SET, 'a', { image, imageID });
    expect(inventoryOf([REPLICA_SET, pod, pod]).running).toEqual([
      { name: 'nginx', digest: tells && digest(tells) },
    ]);
  });
});
