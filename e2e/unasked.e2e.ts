import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { readEnvironment } from './support/environment.ts';
import { eventually } from './support/eventually.ts';
import type { Kubectl } from './support/kubectl.ts';
import { LiveDeployment } from './support/live-deployment.ts';
import { waitForPods, waitForReplicaSet } from './support/ownership.ts';
import { pinsOf, pinsTo, untouched } from './support/pins.ts';
import { TestImage } from './support/test-image.ts';
import { createNamespace, labelNamespace } from './support/test-namespace.ts';
import { Webhook } from './support/webhook.ts';
import {
  podTemplateOf,
  type StoredObject,
  TEMPLATE_KINDS,
  type WorkloadKind,
  workload,
  workloadOfMany,
} from './support/workload.ts';

const environment = readEnvironment();
const { kubeconfig, registry } = environment;
/** Whatever is not asked anew comes from the stored object then, and not from the cache. */
const FORGETFUL = ['--cache-ttl=1ms'];

let webhook: Webhook;

beforeAll(async () => {
  webhook = new Webhook(environment, FORGETFUL);
  await webhook.start();
});
afterAll(() => webhook.stop());

async function restartWith(settings: readonly string[]): Promise<void> {
  await webhook.stop();
  webhook = new Webhook(environment, [...FORGETFUL, ...settings]);
  await webhook.start();
}

function stored(kubectl: Kubectl, kind: WorkloadKind): Promise<StoredObject> {
  return kubectl.get<StoredObject>(kind.toLowerCase(), 'web');
}

/** What a stored object has in its template: images, record and all else. */
async function templateOf(kubectl: Kubectl, kind: WorkloadKind): Promise<unknown> {
  return podTemplateOf(await stored(kubectl, kind));
}

const ALL_KINDS: readonly WorkloadKind[] = ['Pod', ...TEMPLATE_KINDS];

describe('a live namespace that is labelled', () => {
  it('has nothing restarted, changed or rolled out, of any kind, until each is changed itself', async () => {
    const image = await TestImage.ofOnePlatform(registry);
    const kubectl = await createNamespace(kubeconfig);
    const names = new Map(ALL_KINDS.map((kind) => [kind, `web-${kind.toLowerCase()}`]));
    for (const [kind, name] of names)
      await kubectl.apply(workloadOfMany(kind, { name, image: image.tagged }));
    const before = await eventually(() => settled(kubectl));

    await labelNamespace(kubectl, { mode: 'pin' });
    await kubectl.run(['label', 'pods', '--all', 'looked=at']);
    for (const [kind, name] of names)
      await kubectl.run(['label', kind, name, 'looked=at', '--overwrite']);
    expect(await settled(kubectl)).toEqual(before);

    const changeable = [...names].filter(([kind]) => kind !== 'Pod' && kind !== 'Job');
    const expected = await image.pinned();
    for (const [kind, name] of changeable) {
      const podSpec = { hostname: 'changed' };
      const changed = workloadOfMany(kind, { name, image: image.tagged, podSpec });
      await kubectl.apply(changed);
      const object = await kubectl.get<StoredObject>(kind, name);
      expect([kind, pinsOf(podTemplateOf(object)).images]).toEqual([kind, { web: expected }]);
    }
    const { items } = await kubectl.get<{ items: StoredObject[] }>('replicasets');
    // One of the Deployment before, one of its change, and the one that is nobody's.
    expect(items).toHaveLength(3);
  });

  it('leaves a Deployment that came while nobody answered its one ReplicaSet when it is scaled', async () => {
    const kubectl = await createNamespace(kubeconfig, { mode: 'pin' });
    const image = await TestImage.ofOnePlatform(registry);
    await webhook.stop();
    await kubectl.apply(workload('Deployment', { image: image.tagged }));
    const first = await waitForReplicaSet(kubectl, await stored(kubectl, 'Deployment'));
    await webhook.start();

    await kubectl.run(['scale', 'deployment', 'web', '--replicas=3']);

    await waitForPods(kubectl, first, 3);
    expect(pinsOf(podTemplateOf(await stored(kubectl, 'Deployment')))).toEqual(untouched(image));
    const { items } = await kubectl.get<{ items: StoredObject[] }>('replicasets');
    expect(items).toHaveLength(1);
  });
});

/** Pods and ReplicaSets by identity, and the images of all workloads. */
async function settled(kubectl: Kubectl): Promise<object> {
  const { items } = await kubectl.get<{ items: (StoredObject & { kind: string })[] }>(
    'pods,replicasets,deployments,statefulsets,daemonsets,jobs,cronjobs,podtemplates,replicationcontrollers',
  );
  const pods = items.filter(({ kind }) => kind === 'Pod');
  // Every controller but those of DaemonSets and CronJobs makes one.
  if (pods.length < 6) throw new Error(`There are only ${pods.length} Pods`);
  return Object.fromEntries(
    items.map((item) => [`${item.kind} ${item.metadata.uid}`, pinsOf(podTemplateOf(item)).images]),
  );
}

describe('an edit of labels', () => {
  const digest = `sha256:${'0'.repeat(64)}`;
  const records: readonly (readonly [string, (record: string) => string])[] = [
    ['of another digest', () => JSON.stringify({ web: `nginx:1 ${digest}` })],
    ['malformed', () => '{"web":'],
    [
      'with its keys in another order',
      (record) => record.replace(/^\{(.*)\}$/, '{"zz":"z z",$1,"aa":"a a"}'),
    ],
    ['forged', (record) => record.replace('web', 'other')],
    ['of 200 KB', () => JSON.stringify({ web: 'x'.repeat(200_000) })],
  ];
  const kinds = TEMPLATE_KINDS.filter((kind) => kind !== 'Job');
  const cases = kinds.flatMap((kind) => records.map(([what, change]) => ({ kind, what, change })));

  it.each(cases)(
    'of a $kind leaves its template alone, whose record is $what',
    async ({ kind, change }) => {
      const image = await TestImage.ofOnePlatform(registry);
      const kubectl = await createNamespace(kubeconfig, { mode: 'pin' });
      await kubectl.apply(workload(kind, { image: image.tagged }));
      // Written while nobody looks: with tagpin there it would be put right at once.
      await kubectl.run(['label', 'namespace', kubectl.namespace ?? '', 'tagpin.dev/mode-']);
      await setRecord(kubectl, kind, change);
      await labelNamespace(kubectl, { mode: 'pin' });
      const before = await templateOf(kubectl, kind);
      const lookUps = await image.lookUps();

      await kubectl.run(['label', kind.toLowerCase(), 'web', 'edited=yes']);

      expect(await templateOf(kubectl, kind)).toEqual(before);
      expect(await image.lookUps()).toBe(lookUps);
    },
  );
});

/** By `replace`, of the stored object itself. */
async function setRecord(
  kubectl: Kubectl,
  kind: WorkloadKind,
  change: (record: string) => string,
): Promise<void> {
  const object = await stored(kubectl, kind);
  const annotations = podTemplateOf(object).metadata?.annotations as Record<string, string>;
  annotations['tagpin.dev/originals'] = change(annotations['tagpin.dev/originals'] ?? '');
  await kubectl.run(['replace', '--filename=-'], { input: object });
}

describe('a pinned object whose metadata alone change', () => {
  it.each(ALL_KINDS)('keeps its images, and costs no look-up: %s', async (kind) => {
    const image = await TestImage.ofOnePlatform(registry);
    const kubectl = await createNamespace(kubeconfig, { mode: 'pin' });
    await kubectl.apply(workload(kind, { image: image.tagged }));
    const pins = await pinsTo({ web: image });
    const lookUps = await image.lookUps();
    await image.move();

    await kubectl.run(['label', kind.toLowerCase(), 'web', 'edited=yes']);
    await kubectl.run(['annotate', kind.toLowerCase(), 'web', 'example.com/edited=yes']);

    expect(pinsOf(podTemplateOf(await stored(kubectl, kind)))).toEqual(pins);
    expect(await image.lookUps()).toBe(lookUps);
  });
});

describe('a pinned Deployment that is applied again', () => {
  const changes: readonly (readonly [string, (web: LiveDeployment) => Promise<unknown>])[] = [
    ['in a namespace that was changed to "warn"', (web) => web.changeMode('warn')],
    ['after its images are to be skipped', () => restartWith([`--skip=${registry.host}/*`])],
    [
      'after the form of references was changed',
      () => restartWith(['--reference-form=tag-and-digest']),
    ],
  ];

  it.each(changes)('has no second ReplicaSet %s', async (_when, change) => {
    const web = await LiveDeployment.apply(environment);
    const pins = await web.pins();
    await web.image.move();
    await change(web);

    await web.kubectl.apply(web.manifest());

    expect(await web.pins()).toEqual(pins);
    expect(await web.revisions()).toBe(1);
  });

  it('has no difference by kubectl diff, client side and server side, and asks no registry', async () => {
    await restartWith([]);
    const web = await LiveDeployment.apply(environment);
    await web.image.move();
    const lookUps = await web.image.lookUps();
    for (const flags of [[], ['--server-side', '--force-conflicts']]) {
      const args = ['diff', '--filename=-', ...flags];
      const { stdout } = await web.kubectl.run(args, { input: web.manifest(), mayFail: true });
      // Its own annotation aside, `kubectl` sends what it has.
      expect(stdout).not.toMatch(/^[-+].*(?:image:|tagpin)/m);
    }
    expect(await web.image.lookUps()).toBe(lookUps);
  });

  it('has no difference at all for a tool that applies server side', async () => {
    const web = await LiveDeployment.apply(environment, { mode: 'pin' }, ['--server-side']);
    await web.image.move();
    const args = ['diff', '--filename=-', '--server-side'];
    const diff = await web.kubectl.run(args, { input: web.manifest(), mayFail: true });
    expect(diff).toMatchObject({ exitCode: 0, stdout: '' });
  });

  it('rolls nothing out where its namespace lost the label, until it is applied again', async () => {
    const web = await LiveDeployment.apply(environment);
    const pins = await web.pins();
    await web.kubectl.run(['label', 'namespace', web.kubectl.namespace ?? '', 'tagpin.dev/mode-']);
    const { edited, applied } = await web.editThenApply();
    expect(edited).toEqual({ ...pins, revisions: 1 });
    expect(applied.images).toEqual(untouched(web.image).images);
    expect(applied.revisions).toBe(2);
  });
});

describe('an object with a finalizer whose tag is not there any more', () => {
  it.each(['Pod', 'Deployment'] as const)('can be deleted: %s', async (kind) => {
    const image = await TestImage.ofOnePlatform(registry);
    const kubectl = await createNamespace(kubeconfig);
    await kubectl.apply(workload(kind, { image: image.tagged }));
    const resource = kind.toLowerCase();
    const hold = (finalizers: readonly string[] | null): Promise<unknown> =>
      kubectl.run([
        'patch',
        resource,
        'web',
        '--type=merge',
        '-p',
        JSON.stringify({ metadata: { finalizers } }),
      ]);
    await hold(['example.com/hold']);
    await labelNamespace(kubectl, { mode: 'enforce' });
    await image.untag();
    await kubectl.run(['delete', resource, 'web', '--wait=false']);

    await hold(null);

    await eventually(async () => {
      const { stdout } = await kubectl.run(['get', resource, '--ignore-not-found', 'web']);
      expect(stdout).toBe('');
    });
  });
});
