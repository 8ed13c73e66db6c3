import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';

import { asFile } from './support/as-file.ts';
import { type Environment, readEnvironment } from './support/environment.ts';
import { eventually } from './support/eventually.ts';
import { Kubectl } from './support/kubectl.ts';
import { settledReplicaSets, waitForPods, waitForReplicaSet } from './support/ownership.ts';
import { pinsOf, untouched } from './support/pins.ts';
import { freePorts } from './support/serving.ts';
import { Switch } from './support/switch.ts';
import { TestImage } from './support/test-image.ts';
import { createNamespace } from './support/test-namespace.ts';
import { Webhook } from './support/webhook.ts';
import {
  podTemplateOf,
  type StoredObject,
  type WorkloadKind,
  workload,
} from './support/workload.ts';

const environment = readEnvironment();
const { kubeconfig, registry } = environment;
const admin = new Kubectl(kubeconfig);

/** What is not remembered of siblings is looked up in the registry then, and not in the cache. */
const FORGETFUL = ['--cache-ttl=1ms'];
const RESTART = ['rollout', 'restart'];

interface Pod extends StoredObject {
  readonly metadata: StoredObject['metadata'] & { readonly deletionTimestamp?: string };
}

/** The digests that the Pods of an owner run. */
async function imagesOf(
  kubectl: Kubectl,
  owner: StoredObject,
  count: number,
): Promise<Set<string>> {
  const pods = await waitForPods(kubectl, owner, count);
  return new Set(pods.map((pod) => pinsOf(podTemplateOf(pod)).images['web'] ?? ''));
}

/** A Deployment of one Pod whose template keeps its tag, and its ReplicaSet. */
async function deployByTag(image: TestImage): Promise<{
  readonly kubectl: Kubectl;
  readonly deployment: StoredObject;
  readonly replicaSet: StoredObject;
}> {
  const kubectl = await createNamespace(kubeconfig, { mode: 'pin', level: 'pods' });
  await kubectl.apply(workload('Deployment', { image: image.tagged }));
  const deployment = await kubectl.get<StoredObject>('deployment', 'web');
  const replicaSet = await waitForReplicaSet(kubectl, deployment);
  await waitForPods(kubectl, replicaSet, 1);
  return { kubectl, deployment, replicaSet };
}

function scale(kubectl: Kubectl, replicas: number): Promise<unknown> {
  return kubectl.run(['scale', 'deployment', 'web', `--replicas=${replicas}`]);
}

/** A DaemonSet makes its Pods for nodes; nothing has to run on these. */
const NODE_NAMES = ['siblings-a', 'siblings-b'];
const NODES = {
  apiVersion: 'v1',
  kind: 'List',
  items: NODE_NAMES.map((name) => ({ apiVersion: 'v1', kind: 'Node', metadata: { name } })),
};

/** What makes two Pods at once, of which no Pod ever becomes ready. */
const TWO_AT_ONCE: Readonly<Partial<Record<WorkloadKind, object>>> = {
  StatefulSet: { podManagementPolicy: 'Parallel' },
  DaemonSet: { updateStrategy: { rollingUpdate: { maxUnavailable: 2 } } },
  Job: { parallelism: 2, completions: 2 },
};

/** As a kubelet would say: a StatefulSet goes on to its next Pod only then. */
async function makeReady(kubectl: Kubectl, owner: StoredObject): Promise<void> {
  const status = { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] };
  const patch = ['--subresource=status', `--patch=${JSON.stringify({ status })}`];
  for (const { metadata } of await waitForPods(kubectl, owner, 2)) {
    await kubectl.run(['patch', 'pod', metadata.name, ...patch], { mayFail: true });
  }
}

function withTwoReplicas(kind: WorkloadKind, image: TestImage): object {
  const object = workload(kind, { image: image.tagged, replicas: 2 }) as { spec: object };
  return { ...object, spec: { ...object.spec, ...TWO_AT_ONCE[kind] } };
}

describe('replicas of a template that keeps its tag', () => {
  const webhook = new Webhook(environment, FORGETFUL);

  beforeEach(() => webhook.start());
  afterEach(() => webhook.stop());

  it('run one digest, though the tag moves between two scale-ups; a restart takes the new one', async () => {
    const image = await TestImage.ofOnePlatform(registry);
    const { kubectl, deployment, replicaSet } = await deployByTag(image);
    const first = await image.pinned();

    await image.move();
    await scale(kubectl, 3);
    expect(await imagesOf(kubectl, replicaSet, 3)).toEqual(new Set([first]));
    await image.move();
    await scale(kubectl, 6);

    expect(await imagesOf(kubectl, replicaSet, 6)).toEqual(new Set([first]));
    expect(await image.lookUps()).toBe(1);
    expect(await settledReplicaSets(kubectl, deployment)).toHaveLength(1);
    const template = podTemplateOf(await kubectl.get<StoredObject>('deployment', 'web'));
    expect(pinsOf(template)).toEqual(untouched(image));

    await kubectl.run([...RESTART, 'deployment', 'web']);

    const now = await image.pinned();
    const replicaSets = await settledReplicaSets(kubectl, deployment);
    expect(replicaSets).toHaveLength(2);
    const restarted = replicaSets.find(({ metadata }) => metadata.uid !== replicaSet.metadata.uid);
    await eventually(async () => {
      const { items } = await kubectl.get<{ items: Pod[] }>('pods');
      const uid = restarted?.metadata.uid;
      const made = items.filter(({ metadata }) =>
        metadata.ownerReferences?.some((owner) => owner.uid === uid),
      );
      expect(new Set(made.map((pod) => pinsOf(podTemplateOf(pod)).images['web']))).toEqual(
        new Set([now]),
      );
    });
  });

  it('run it after tagpin was started anew, which asks the Pods themselves', async () => {
    const image = await TestImage.ofOnePlatform(registry);
    const { kubectl, replicaSet } = await deployByTag(image);
    const first = await image.pinned();
    const lookUps = await image.lookUps();

    await webhook.stop();
    await image.move();
    await webhook.start();
    await scale(kubectl, 4);

    expect(await imagesOf(kubectl, replicaSet, 4)).toEqual(new Set([first]));
    expect(await image.lookUps()).toBe(lookUps);
    expect(await webhook.metric('tagpin_sibling_lookups_total', { result: 'listed' })).toBe(1);
    expect(await webhook.metric('tagpin_images_total', { outcome: 'sibling' })).toBe(3);
  });

  it.each<WorkloadKind>(['StatefulSet', 'DaemonSet', 'Job'])(
    'run it in a %s, whose lost Pod comes back with it',
    async (kind) => {
      await admin.apply(NODES);
      try {
        const image = await TestImage.ofOnePlatform(registry);
        const kubectl = await createNamespace(kubeconfig, { mode: 'pin', level: 'pods' });
        await kubectl.apply(withTwoReplicas(kind, image));
        const owner = await kubectl.get<StoredObject>(kind, 'web');
        const [lost] = await waitForPods(kubectl, owner, 2);
        const first = await image.pinned();

        await webhook.stop();
        await image.move();
        await webhook.start();
        await kubectl.run(['delete', 'pod', lost.metadata.name]);

        expect(await imagesOf(kubectl, owner, 2)).toEqual(new Set([first]));
      } finally {
        await admin.run(['delete', 'node', ...NODE_NAMES]);
      }
    },
  );

  it.each<WorkloadKind>(['StatefulSet', 'DaemonSet'])(
    'take the new digest when a %s is restarted',
    async (kind) => {
      await admin.apply(NODES);
      try {
        const image = await TestImage.ofOnePlatform(registry);
        const kubectl = await createNamespace(kubeconfig, { mode: 'pin', level: 'pods' });
        await kubectl.apply(withTwoReplicas(kind, image));
        const owner = await kubectl.get<StoredObject>(kind, 'web');
        expect(await imagesOf(kubectl, owner, 2)).toEqual(new Set([await image.pinned()]));

        await image.move();
        await kubectl.run([...RESTART, kind.toLowerCase(), 'web']);

        const now = await image.pinned();
        await eventually(async () => {
          await makeReady(kubectl, owner);
          expect(await imagesOf(kubectl, owner, 2)).toEqual(new Set([now]));
        });
      } finally {
        await admin.run(['delete', 'node', ...NODE_NAMES]);
      }
    },
  );

  it('believe the majority where somebody forges a sibling', async () => {
    const image = await TestImage.ofOnePlatform(registry);
    const { kubectl, replicaSet } = await deployByTag(image);
    const first = await image.pinned();
    await scale(kubectl, 3);
    const [victim] = await waitForPods(kubectl, replicaSet, 3);
    const forged = await image.move();
    const { name } = victim.metadata;
    await kubectl.run(['patch', 'pod', name, `--patch=${forgery(image, forged)}`]);

    await webhook.stop();
    await webhook.start();
    await scale(kubectl, 6);

    const pods = await waitForPods(kubectl, replicaSet, 6);
    const made = pods.filter(({ metadata }) => metadata.name !== name);
    const images = made.map((pod) => pinsOf(podTemplateOf(pod)).images['web']);
    expect(new Set(images)).toEqual(new Set([first]));
  });
});

/** What makes a Pod a witness for another digest: an image that it carries, and a record that fits. */
function forgery(image: TestImage, digest: string): string {
  const record = JSON.stringify({ web: `${image.tagged} ${digest}` });
  return JSON.stringify({
    metadata: { annotations: { 'tagpin.dev/originals': record } },
    spec: { containers: [{ name: 'web', image: `${image.name}@${digest}` }] },
  });
}

/** The same webhook at another port; the API server knows that of the switch. */
async function elsewhere(): Promise<Environment> {
  return { ...environment, webhook: { ...environment.webhook, ...(await freePorts()) } };
}

describe('a rollout of 200 replicas while the tag moves twice', () => {
  const webhook = new Webhook(environment, FORGETFUL);

  beforeAll(() => webhook.start());
  afterAll(() => webhook.stop());

  it('runs one digest', async () => {
    const image = await TestImage.ofOnePlatform(registry);
    const { kubectl, replicaSet } = await deployByTag(image);
    const first = await image.pinned();
    const several = (count: number): Promise<void> =>
      eventually(async () => {
        const { items } = await kubectl.get<{ items: unknown[] }>('pods');
        if (items.length < count) throw new Error(`${items.length} Pods instead of ${count}`);
      });

    await scale(kubectl, 200);
    await several(20);
    await image.move();
    await several(80);
    await image.move();

    await several(200);
    expect(await imagesOf(kubectl, replicaSet, 200)).toEqual(new Set([first]));
    expect(await image.lookUps()).toBe(1);
  });
});

describe('replicas that two tagpins answer for in turn', () => {
  const cleanUp = new AsyncDisposableStack();
  const service = new Switch();
  let replicas: readonly [Webhook, Webhook];
  let ports: readonly [number, number];

  beforeAll(async () => {
    const [one, other] = [await elsewhere(), await elsewhere()];
    ports = [one.webhook.port, other.webhook.port];
    replicas = [new Webhook(one, FORGETFUL), new Webhook(other, FORGETFUL)];
    for (const webhook of replicas) cleanUp.defer(() => webhook.stop());
    await Promise.all(replicas.map((webhook) => webhook.start()));
    await service.listen(environment.webhook.port);
    cleanUp.defer(() => service.close());
  });
  afterAll(() => cleanUp.disposeAsync());

  it('run one digest, though the tag moves with every turn', async () => {
    const image = await TestImage.ofOnePlatform(registry);
    service.pointAt(ports[0]);
    const { kubectl, replicaSet } = await deployByTag(image);
    const first = await image.pinned();

    for (const turn of [1, 2, 3, 4]) {
      await image.move();
      service.pointAt(turn % 2 === 0 ? ports[0] : ports[1]);
      await scale(kubectl, 1 + turn);
      await waitForPods(kubectl, replicaSet, 1 + turn);
    }

    expect(await imagesOf(kubectl, replicaSet, 5)).toEqual(new Set([first]));
    expect(await image.lookUps()).toBe(1);
    for (const webhook of replicas) {
      const pinned = { outcome: 'sibling' };
      expect(await webhook.metric('tagpin_images_total', pinned)).toBe(2);
    }
  });
});

describe('--sibling-pins=false', () => {
  const webhook = new Webhook(environment, [...FORGETFUL, '--sibling-pins=false']);

  beforeAll(() => webhook.start());
  afterAll(() => webhook.stop());

  it('has each Pod looked up by itself', async () => {
    const image = await TestImage.ofOnePlatform(registry);
    const { kubectl, replicaSet } = await deployByTag(image);
    const first = await image.pinned();
    await image.move();
    await scale(kubectl, 2);

    const expected = new Set([first, await image.pinned()]);
    expect(await imagesOf(kubectl, replicaSet, 2)).toEqual(expected);
    expect(await image.lookUps()).toBe(2);
  });
});

describe('where tagpin may not list Pods', () => {
  const webhook = new Webhook(environment, FORGETFUL);
  const binding = ['clusterrolebinding', 'tagpin-sibling-reader'];

  const cleanUp = new AsyncDisposableStack();

  beforeAll(async () => {
    const stored = await admin.get<StoredObject>(...binding);
    cleanUp.defer(async () => void (await admin.apply(asFile(stored))));
    await admin.run(['delete', ...binding]);
    cleanUp.defer(() => webhook.stop());
    await webhook.start();
  });
  afterAll(() => cleanUp.disposeAsync());

  it('goes by what it remembers, and resolves what it does not', async () => {
    const image = await TestImage.ofOnePlatform(registry);
    const { kubectl, replicaSet } = await deployByTag(image);
    const first = await image.pinned();
    await image.move();
    await scale(kubectl, 2);
    expect(await imagesOf(kubectl, replicaSet, 2)).toEqual(new Set([first]));

    await webhook.stop();
    await webhook.start();
    await scale(kubectl, 3);

    const expected = new Set([first, await image.pinned()]);
    expect(await imagesOf(kubectl, replicaSet, 3)).toEqual(expected);
    expect(await webhook.metric('tagpin_sibling_lookups_total', { result: 'failed' })).toBe(1);
  });
});
