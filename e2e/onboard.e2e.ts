import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { type Ended, runTagpin } from '../test/support/process.ts';
import { accountKubeconfig } from './support/account-kubeconfig.ts';
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
import { pinsOf } from './support/pins.ts';
import { createPullSecret } from './support/pull-secret.ts';
import { TestImage } from './support/test-image.ts';
import { createNamespace, labelNamespace } from './support/test-namespace.ts';
import { Webhook } from './support/webhook.ts';
import {
  type PodTemplate,
  podTemplateOf,
  type StoredObject,
  TEMPLATE_KINDS,
  type WorkloadKind,
  type WorkloadOptions,
  workloadOfMany,
} from './support/workload.ts';

const environment = readEnvironment();
const { kubeconfig, registry, privateRegistry } = environment;
const admin = new Kubectl(kubeconfig);
const webhook = new Webhook(environment);
/** As the webhook of these tests is started. */
const WEBHOOK_FLAGS = [
  `--plain-http=${registry.host},${privateRegistry.host}`,
  '--allow-address=127.0.0.0/8',
];
/** Nobody answers there, and nobody is asked. */
const UNNAMED = '10.99.1.2:5000';

let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tagpin-onboard-'));
  await Promise.all([CLUSTER, DATABASE].map((kind) => defineKind(admin, kind)));
  await webhook.start();
});
afterAll(async () => {
  await webhook.stop();
  await rm(directory, { recursive: true });
  await Promise.all([CLUSTER, DATABASE].map((kind) => removeKind(admin, kind)));
});

interface Told {
  readonly kind: string;
  readonly name: string;
  readonly image: string;
  readonly pinned?: string;
  readonly with?: string;
  readonly reason?: string;
  readonly outcome?: string;
  readonly moved?: readonly object[];
}

interface Plan {
  readonly unchanged: { readonly pods: number; readonly templates: number };
  readonly next: readonly Told[];
  readonly failed: readonly Told[];
  readonly registries?: { readonly flags: string };
  readonly owners: readonly {
    readonly name: string;
    readonly leftAlone: boolean;
    readonly images: readonly Told[];
    readonly specs: readonly object[];
  }[];
  readonly leftAlone: readonly Told[];
}

function onboard({ namespace = '' }: Kubectl, ...args: readonly string[]): Promise<Ended> {
  const flags = ['--dry-run', `--kubeconfig=${kubeconfig}`, ...WEBHOOK_FLAGS, ...args];
  return runTagpin(['onboard', namespace, ...flags], { HOME: '/nonexistent' });
}

async function planOf(kubectl: Kubectl): Promise<Plan> {
  return JSON.parse((await onboard(kubectl, '-o', 'json')).stdout) as Plan;
}

type Item = StoredObject & {
  readonly kind: string;
  readonly metadata: { readonly labels?: Readonly<Record<string, string>> };
};

const WORKLOADS =
  'pods,replicasets,deployments,statefulsets,daemonsets,jobs,cronjobs,podtemplates,replicationcontrollers';
const EVERYTHING = `${WORKLOADS},secrets,serviceaccounts,clusters.postgresql.cnpg.io,databases.db.example.com`;

async function itemsOf(kubectl: Kubectl, what: string): Promise<readonly Item[]> {
  return (await kubectl.get<{ items: Item[] }>(what)).items;
}

/** Every object with its version: whatever writes changes it. */
async function versions(kubectl: Kubectl): Promise<object> {
  const items = await itemsOf(kubectl, EVERYTHING);
  return Object.fromEntries(
    items.map(({ metadata }) => [metadata.uid, [metadata.name, metadata.resourceVersion]]),
  );
}

/** Pods by identity, and the images of all workloads. */
async function running(kubectl: Kubectl): Promise<object> {
  const items = await itemsOf(kubectl, WORKLOADS);
  return Object.fromEntries(
    items.map((item) => [`${item.kind} ${item.metadata.uid}`, pinsOf(podTemplateOf(item)).images]),
  );
}

/** The live Pods of a workload: everything that makes one labels it with its own name. */
async function podsOf(kubectl: Kubectl, name: string): Promise<readonly Item[]> {
  const items = await itemsOf(kubectl, 'pods');
  return items.filter(({ metadata }) => metadata.labels?.['app'] === name);
}

/** A node's report that a container runs these bytes. */
async function reportRunning(kubectl: Kubectl, { metadata }: Item, imageID: string): Promise<void> {
  const container = { name: 'web', image: 'x', imageID, ready: true, restartCount: 0 };
  const patch = JSON.stringify({ status: { containerStatuses: [container] } });
  const args = ['--subresource=status', '--type=merge', `--patch=${patch}`];
  await kubectl.run(['patch', 'pod', metadata.name, ...args]);
}

/** The Pod that an operator makes for its resource. */
function operatorsPod(owner: StoredObject, custom: CustomKind, image: string): object {
  const { name, uid } = owner.metadata;
  const { group, version, kind } = custom;
  const reference = { apiVersion: `${group}/${version}`, kind, name, uid, controller: true };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, labels: { app: name }, ownerReferences: [reference] },
    spec: { terminationGracePeriodSeconds: 0, containers: [{ name: 'web', image }] },
  };
}

/** A resource of an operator, and gives its Pod, which is made too. */
async function operated(
  kubectl: Kubectl,
  custom: CustomKind,
  { name, spec, image }: { readonly name: string; readonly spec: object; readonly image: string },
): Promise<object> {
  const { group, version, kind, plural } = custom;
  await kubectl.apply({ apiVersion: `${group}/${version}`, kind, metadata: { name }, spec });
  const owner = await kubectl.get<StoredObject>(`${plural}.${group}`, name);
  const pod = operatorsPod(owner, custom, image);
  await kubectl.run(['create', '--filename=-'], { input: pod });
  return pod;
}

type Case = readonly [name: string, kind: WorkloadKind, options: Omit<WorkloadOptions, 'name'>];

/** Kinds whose controllers make Pods here: there is no node for a DaemonSet. */
const MAKERS: ReadonlySet<string> = new Set([
  'Deployment',
  'ReplicaSet',
  'StatefulSet',
  'ReplicationController',
  'Job',
]);

/** A namespace with all kinds, and what can be in the way of a pin. */
class Shop {
  readonly kubectl: Kubectl;
  readonly image: TestImage;
  readonly moved: TestImage;
  readonly gone: TestImage;
  readonly olds: ReadonlyMap<TestImage, string>;
  readonly cases: readonly Case[];
  readonly #operatorsPods: readonly object[];

  private constructor(
    kubectl: Kubectl,
    images: Pick<Shop, 'image' | 'moved' | 'gone' | 'olds'>,
    made: { readonly cases: readonly Case[]; readonly operatorsPods: readonly object[] },
  ) {
    this.kubectl = kubectl;
    ({ image: this.image, moved: this.moved, gone: this.gone, olds: this.olds } = images);
    this.cases = made.cases;
    this.#operatorsPods = made.operatorsPods;
  }

  static async open(): Promise<Shop> {
    const kubectl = await createNamespace(kubeconfig);
    const [image, moved, gone, secret] = await Promise.all([
      TestImage.ofTwoPlatforms(registry),
      TestImage.ofOnePlatform(registry),
      TestImage.ofOnePlatform(registry),
      TestImage.ofOnePlatform(privateRegistry),
    ]);
    const { tagged } = image;
    const never = {
      containers: [{ name: 'web', image: `${registry.host}/a/never:1`, imagePullPolicy: 'Never' }],
    };
    const cases: readonly Case[] = [
      ...['Pod' as const, ...TEMPLATE_KINDS].map(
        (kind): Case => [`web-${kind.toLowerCase()}`, kind, { image: tagged }],
      ),
      ['moved', 'Deployment', { image: moved.tagged, replicas: 2 }],
      ['gone', 'StatefulSet', { image: gone.tagged }],
      ['absent', 'Deployment', { image: `${image.name}:absent` }],
      ['secret', 'Deployment', { image: secret.tagged }],
      ['unnamed', 'ReplicaSet', { image: `${UNNAMED}/team/app:1` }],
      ['asks', 'Deployment', { image: tagged, annotations: { 'tagpin.dev/skip': 'true' } }],
      ['never', 'Deployment', { image: '', podSpec: never }],
      ['local', 'Deployment', { image: 'localhost/dev:1' }],
      ['digest', 'Deployment', { image: await image.pinned() }],
    ];
    await Promise.all(
      cases.map(([name, kind, options]) =>
        kubectl.apply(workloadOfMany(kind, { ...options, name })),
      ),
    );
    const operatorsPods = await Promise.all([
      operated(kubectl, CLUSTER, {
        name: 'pg',
        spec: { imageName: tagged, instances: 1 },
        image: tagged,
      }),
      operated(kubectl, DATABASE, {
        name: 'db',
        spec: { nodes: [{ repository: image.name, tag: image.tag }] },
        image: tagged,
      }),
    ]);
    const olds = new Map([
      [moved, await moved.digest()],
      [gone, await gone.digest()],
    ]);
    const shop = new Shop(kubectl, { image, moved, gone, olds }, { cases, operatorsPods });
    await shop.waitForPods(new Set());
    return shop;
  }

  /** The controllers' Pods, none of which is one of these. */
  async waitForPods(but: ReadonlySet<string>): Promise<void> {
    const makers = this.cases.filter(([, kind]) => MAKERS.has(kind));
    await eventually(async () => {
      const items = await itemsOf(this.kubectl, 'pods');
      const fresh = items.filter(({ metadata }) => !but.has(metadata.uid));
      for (const [name, , { replicas = 1 }] of makers) {
        const own = fresh.filter(({ metadata }) => metadata.labels?.['app'] === name);
        if (own.length !== replicas) throw new Error(`${name} has ${own.length} Pods`);
      }
    });
  }

  /** Two tags get other bytes; the old ones of one of them are taken away. */
  async moveTags(): Promise<void> {
    for (const [image, old] of this.olds) {
      const name = image === this.moved ? 'moved' : 'gone';
      for (const pod of await podsOf(this.kubectl, name)) {
        await reportRunning(this.kubectl, pod, `${image.name}@${old}`);
      }
      await image.move();
    }
    await this.gone.deleteDigest(this.olds.get(this.gone) ?? '');
    // A node that tells the digest of its own platform runs what the tag names.
    for (const pod of await podsOf(this.kubectl, 'web-deployment')) {
      await reportRunning(this.kubectl, pod, await this.image.pinned());
    }
  }

  /** Every Pod is lost, and made anew: by its controller, or by whoever made it. */
  async loseAllPods(): Promise<void> {
    const before = await itemsOf(this.kubectl, 'pods');
    await this.kubectl.run(['delete', 'pods', '--all', '--force', '--grace-period=0']);
    for (const [name, kind, options] of this.cases) {
      if (kind === 'Pod') await this.kubectl.apply(workloadOfMany(kind, { ...options, name }));
    }
    for (const pod of this.#operatorsPods) {
      await this.kubectl.run(['create', '--filename=-'], { input: pod });
    }
    const job = ['create', 'job', 'by-hand', '--from=cronjob/web-cronjob'];
    await this.kubectl.run(job);
    await this.waitForPods(new Set(before.map(({ metadata }) => metadata.uid)));
  }

  /** Something of every template changes. */
  async rollAll(): Promise<void> {
    for (const [name, kind, options] of this.cases) {
      if (kind === 'Pod' || kind === 'Job') continue;
      const podSpec = { ...options.podSpec, hostname: 'changed' };
      await this.kubectl.apply(workloadOfMany(kind, { ...options, podSpec, name }));
    }
  }

  /** What stands in the templates of all cases, by name. */
  async templates(): Promise<Record<string, string | undefined>> {
    const found: Record<string, string | undefined> = {};
    for (const [name, kind] of this.cases) {
      if (kind === 'Pod') continue;
      const object = await this.kubectl.get<StoredObject>(kind.toLowerCase(), name);
      found[name] = pinsOf(podTemplateOf(object)).images['web'];
    }
    return found;
  }
}

/** What the Pods of each name run, and why where that is a tag. */
async function podImages(
  kubectl: Kubectl,
): Promise<Record<string, { image: string | undefined; reason?: string }>> {
  const items = await itemsOf(kubectl, 'pods');
  const entries = items.map(({ metadata, spec }) => {
    const image = (spec as unknown as PodTemplate['spec']).containers[0]?.image;
    const mark = metadata.annotations?.['tagpin.dev/unpinned'];
    const reasons = mark === undefined ? {} : (JSON.parse(mark) as { readonly web: string });
    return [metadata.labels?.['app'], { image, ...('web' in reasons && { reason: reasons.web }) }];
  });
  return Object.fromEntries(entries) as Record<string, { image: string; reason?: string }>;
}

/** What a plan says that Pods will run. */
function predictedPods({ next, failed, leftAlone, owners }: Plan): Record<string, object> {
  const alone = owners.filter(({ leftAlone: is }) => is);
  return Object.fromEntries([
    ...next.map(({ name, pinned }) => [name, { image: pinned }]),
    ...failed.map(({ name, image, reason }) => [name, { image, reason }]),
    ...leftAlone.map(({ name, image }) => [name, { image }]),
    ...alone.flatMap(({ name, images }) => images.map(({ image }) => [name, { image }])),
  ]) as Record<string, object>;
}

/** What workloads are made of. */
const LISTED =
  'pods,podtemplates,replicationcontrollers,deployments.apps,statefulsets.apps,daemonsets.apps,replicasets.apps,cronjobs.batch,jobs.batch';

describe('tagpin onboard', () => {
  it('tells what happens when a namespace is labelled, when its Pods are lost, and when it rolls', async () => {
    const shop = await Shop.open();
    const { kubectl, image, moved, gone } = shop;
    await shop.moveTags();
    const before = { versions: await versions(kubectl), running: await running(kubectl) };

    const ended = await onboard(kubectl, '-o', 'json');
    const plan = JSON.parse(ended.stdout) as Plan;

    expect({ code: ended.code, stderr: ended.stderr }).toEqual({ code: 1, stderr: '' });
    expect(await versions(kubectl)).toEqual(before.versions);
    expect(plan.unchanged).toEqual({ pods: 18, templates: 17 });
    expect(plan.next.map(({ kind, with: by }) => `${kind} ${by}`).toSorted()).toEqual([
      'CronJob rollout',
      'DaemonSet rollout',
      'Database pod',
      'Deployment rollout',
      'Deployment rollout',
      'Job pod',
      'Pod pod',
      'PodTemplate rollout',
      'ReplicaSet rollout',
      'ReplicationController rollout',
      'StatefulSet rollout',
      'StatefulSet rollout',
    ]);
    const namesOfMoved = (await podsOf(kubectl, 'moved')).map(({ metadata }) => metadata.name);
    expect(plan.next.filter((told) => told.moved !== undefined)).toMatchObject([
      {
        name: 'moved',
        moved: [{ digest: shop.olds.get(moved), pods: 2, names: namesOfMoved, served: true }],
      },
      { name: 'gone', moved: [{ digest: shop.olds.get(gone), pods: 1, served: false }] },
    ]);
    expect(plan.failed.map(({ name, reason }) => `${name} ${reason}`).toSorted()).toEqual([
      'absent not_found',
      'secret unauthorized',
      'unnamed blocked_address',
    ]);
    expect(plan.registries).toEqual({ flags: `--allow-registry ${UNNAMED}` });
    expect(plan.owners).toMatchObject([
      {
        name: 'db',
        leftAlone: false,
        specs: [{ paths: [{ path: 'spec.nodes[0].repository', tagPath: 'spec.nodes[0].tag' }] }],
      },
      {
        name: 'pg',
        leftAlone: true,
        images: [{ pinned: await image.pinned() }],
        specs: [{ paths: [{ path: 'spec.imageName' }] }],
      },
    ]);
    expect(plan.leftAlone.map(({ name, outcome }) => `${name} ${outcome}`).toSorted()).toEqual([
      'asks skipped',
      'local skipped',
      'never never_pulled',
    ]);

    await labelNamespace(kubectl, { mode: 'pin' });
    expect(await running(kubectl)).toEqual(before.running);

    await shop.loseAllPods();
    const templates = await shop.templates();
    expect(Object.values(templates).filter((text) => text?.includes('@'))).toHaveLength(1);
    const predicted = predictedPods(plan);
    const pods = await podImages(kubectl);
    // Neither makes Pods here, and the other's are pinned already.
    const { 'web-daemonset': _daemons, 'web-podtemplate': _template, ...expected } = predicted;
    const { digest: _pinned, ...actual } = pods;
    expect(actual).toEqual(expected);

    await shop.rollAll();
    const byRollout = plan.next.filter((told) => told.with === 'rollout');
    const rolled = Object.fromEntries(byRollout.map(({ name, pinned }) => [name, pinned]));
    expect(await shop.templates()).toEqual({ ...templates, ...rolled });
  });

  it('tells what "enforce" refuses', async () => {
    const shop = await Shop.open();
    const { kubectl } = shop;
    const plan = await planOf(kubectl);
    await labelNamespace(kubectl, { mode: 'enforce' });
    const refused: string[] = [];
    for (const [name, , options] of shop.cases) {
      const input = workloadOfMany('Pod', { ...options, name: `try-${name}` });
      const args = ['create', '--filename=-', '--dry-run=server'];
      const { exitCode } = await kubectl.run(args, { input, mayFail: true });
      if (exitCode !== 0) refused.push(name);
    }
    const { stdout } = await onboard(kubectl);
    const toldOf = plan.leftAlone.filter(({ name }) =>
      stdout.split('\n').some((line) => line.includes(`/${name} `) && line.includes('refuses it')),
    );
    expect(refused.toSorted()).toEqual(
      [...plan.failed, ...toldOf].map(({ name }) => name).toSorted(),
    );
    expect(stdout).toContain('it is labelled already: enforce');
  });

  it('asks with the pull secrets of the namespace, and passes where everything can be pinned', async () => {
    const image = await TestImage.ofOnePlatform(privateRegistry);
    const kubectl = await createNamespace(kubeconfig);
    const { host, account = { username: '', password: '' } } = privateRegistry;
    await createPullSecret(kubectl, 'regcred', { host, ...account });
    const patch = JSON.stringify({ imagePullSecrets: [{ name: 'regcred' }] });
    await kubectl.run(['patch', 'serviceaccount', 'default', `--patch=${patch}`]);
    await kubectl.apply(workloadOfMany('Deployment', { name: 'web', image: image.tagged }));

    const { code, stdout, stderr } = await onboard(kubectl);

    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain(
      `Deployment/web container "web": ${image.tagged} -> ${await image.pinned()}`,
    );
    expect(stdout).not.toContain(account.password);
  });

  it('refuses a namespace that is not there', async () => {
    const { code, stderr } = await onboard(new Kubectl(kubeconfig, 'not-there'));
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: 'tagpin: There is no namespace "not-there" [invalid_config]\n',
    });
  });

  it('says of an owner that may not be read that it may not, and goes on', async () => {
    const image = await TestImage.ofOnePlatform(registry);
    const kubectl = await createNamespace(kubeconfig);
    const spec = { image: image.tagged };
    await operated(kubectl, DATABASE, { name: 'db', spec, image: image.tagged });
    const { namespace = '' } = kubectl;
    const viewer = await accountKubeconfig(kubectl, 'viewer', directory);
    const may = ['--verb=get,list', `--resource=${LISTED}`, '--resource=serviceaccounts'];
    await kubectl.run(['create', 'role', 'viewer', ...may]);
    const subject = `--serviceaccount=${namespace}:viewer`;
    await kubectl.run(['create', 'rolebinding', 'viewer', '--role=viewer', subject]);
    const args = ['--dry-run', '-o', 'json', ...WEBHOOK_FLAGS, `--kubeconfig=${viewer}`];
    const { stdout } = await runTagpin(['onboard', namespace, ...args]);
    expect(JSON.parse(stdout)).toMatchObject({
      next: [{ kind: 'Database', name: 'db', pinned: await image.pinned() }],
      owners: [
        {
          specs: [
            {
              problem: `Cannot read Database "${namespace}/db": the API server answered 403`,
            },
          ],
        },
      ],
    });
  });
});
