import { execFile } from 'node:child_process';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { MANIFEST_ACCEPT } from '../src/image/manifest.ts';
import { readEnvironment } from './support/environment.ts';
import { eventually } from './support/eventually.ts';
import { Kubectl } from './support/kubectl.ts';
import { installComponent } from './support/manifests.ts';
import { waitForPods, waitForReplicaSet } from './support/ownership.ts';
import { createPullSecret } from './support/pull-secret.ts';
import { TestImage } from './support/test-image.ts';
import { createNamespace } from './support/test-namespace.ts';
import { Webhook } from './support/webhook.ts';
import {
  type StoredObject,
  type WorkloadKind,
  type WorkloadOptions,
  workload,
} from './support/workload.ts';

const environment = readEnvironment();
const { kubeconfig, registry, privateRegistry } = environment;
const admin = new Kubectl(kubeconfig);
const MAIN = join(import.meta.dirname, '..', 'src', 'main.ts');
const NODES = ['audit-amd64', 'audit-arm64'];

const webhook = new Webhook(environment);

beforeAll(async () => {
  await webhook.start();
  for (const name of NODES) await createNode(name);
});

afterAll(async () => {
  await webhook.stop();
  await admin.run(['delete', 'nodes', '--ignore-not-found', ...NODES]);
});

async function createNode(name: string): Promise<void> {
  await admin.apply({ apiVersion: 'v1', kind: 'Node', metadata: { name } });
  const nodeInfo = { operatingSystem: 'linux', architecture: name.replace('audit-', '') };
  const patch = JSON.stringify({ status: { nodeInfo } });
  await admin.run(['patch', 'node', name, '--subresource=status', '--type=merge', '-p', patch]);
}

interface Ended {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

function audit(args: readonly string[]): Promise<Ended> {
  const flags = [
    `--kubeconfig=${kubeconfig}`,
    `--plain-http=${registry.host},${privateRegistry.host}`,
    '--allow-address=127.0.0.0/8',
    ...args,
  ];
  return new Promise((resolve) => {
    execFile(process.execPath, [MAIN, 'audit', ...flags], (error, stdout, stderr) =>
      resolve({ exitCode: Number(error?.code ?? 0), stdout, stderr }),
    );
  });
}

interface Report {
  readonly images: readonly {
    readonly kind: string;
    readonly name: string;
    readonly pods: number;
    readonly findings: readonly { readonly state: string }[];
  }[];
}

/** The states of each workload of a namespace. */
async function statesIn({ namespace = '' }: Kubectl): Promise<Record<string, string[]>> {
  const { stdout } = await audit(['-n', namespace, '-o', 'json']);
  const { images } = JSON.parse(stdout) as Report;
  const told = images.map(({ kind, name, findings }) => [
    `${kind}/${name}`,
    findings.map(({ state }) => state),
  ]);
  return Object.fromEntries(told) as Record<string, string[]>;
}

type Apply = (kind: WorkloadKind, options: WorkloadOptions) => Promise<unknown>;

function applyIn(kubectl: Kubectl): Apply {
  return (kind, options) => kubectl.apply(workload(kind, options));
}

interface Index {
  readonly manifests: readonly [{ readonly digest: string }, ...unknown[]];
}

/** The digest of the first manifest of an index. */
async function amd64Of({ registry: { host }, repository, tag }: TestImage): Promise<string> {
  const url = `http://${host}/v2/${repository}/manifests/${tag}`;
  const index = await fetch(url, { headers: { accept: MANIFEST_ACCEPT } });
  return ((await index.json()) as Index).manifests[0].digest;
}

describe('tagpin audit', () => {
  it('tells of each workload of a namespace what became of its tag and its digest', async () => {
    const kubectl = await createNamespace(kubeconfig, { mode: 'pin' });
    const [fine, moved, gone, both] = await Promise.all([
      TestImage.ofTwoPlatforms(registry),
      TestImage.ofOnePlatform(registry),
      TestImage.ofOnePlatform(registry),
      TestImage.ofTwoPlatforms(registry),
    ]);
    const apply = applyIn(kubectl);
    await apply('StatefulSet', { image: fine.tagged });
    await apply('DaemonSet', { image: moved.tagged });
    await moved.move();
    await apply('CronJob', { image: gone.tagged });
    const old = await gone.digest();
    await gone.move();
    await gone.deleteDigest(old);
    await apply('Job', { image: `${both.tagged}@${await amd64Of(both)}` });

    expect(await statesIn(kubectl)).toEqual({
      'StatefulSet/web': [],
      'DaemonSet/web': ['moved', 'untagged'],
      'CronJob/web': ['gone'],
      'Job/web': ['one_platform'],
    });
  });

  it('counts Pods for the Deployment that they belong to, and takes a template by tag for pinned in its Pods', async () => {
    const image = await TestImage.ofOnePlatform(registry);
    const kubectl = await createNamespace(kubeconfig, { mode: 'pin', level: 'pods' });
    await kubectl.apply(workload('Deployment', { image: image.tagged, replicas: 3 }));
    const deployment = await kubectl.get<StoredObject>('deployment', 'web');
    await waitForPods(kubectl, await waitForReplicaSet(kubectl, deployment), 3);

    const { exitCode, stdout } = await audit(['-n', kubectl.namespace ?? '', '-o', 'json']);

    expect(exitCode).toBe(0);
    expect((JSON.parse(stdout) as Report).images).toMatchObject([
      { kind: 'Deployment', pods: 0, findings: [{ state: 'pinned_in_pods' }] },
      { kind: 'Deployment', image: await image.pinned(), pods: 3, findings: [] },
    ]);
  });

  it('asks with the pull secret of the workload, and fails for what is not pinned', async () => {
    const image = await TestImage.ofOnePlatform(privateRegistry);
    const kubectl = await createNamespace(kubeconfig);
    const { host, account } = privateRegistry;
    await createPullSecret(kubectl, 'pull', { host, username: '', password: '', ...account });
    const digest = `${image.tagged}@${await image.digest()}`;
    const apply = applyIn(kubectl);
    await apply('Job', { image: digest, podSpec: { imagePullSecrets: [{ name: 'pull' }] } });
    expect(await statesIn(kubectl)).toEqual({ 'Job/web': [] });

    await apply('CronJob', { image: digest });
    await apply('Pod', { image: image.tagged });

    const { exitCode, stdout } = await audit(['-n', kubectl.namespace ?? '']);
    expect({ exitCode, lines: stdout.split('\n').length }).toEqual({ exitCode: 1, lines: 3 });
    expect(stdout).toContain(
      `CronJob/web container "web": ${digest} (${image.tagged}) could not be looked up`,
    );
    expect(stdout).toContain(`Pod/web container "web": ${image.tagged} has no digest`);
  });

  it('lists what runs in all namespaces, for scanners', async () => {
    const image = await TestImage.ofOnePlatform(registry);
    const kubectl = await createNamespace(kubeconfig, { mode: 'pin' });
    await applyIn(kubectl)('Pod', { image: image.tagged });

    const { stdout } = await audit(['-o', 'images']);

    expect(stdout.split('\n')).toContain(await image.pinned());
  });

  it('asks no registry on loopback or at a private address that somebody named in a Pod', async () => {
    const image = await TestImage.ofOnePlatform(registry);
    const kubectl = await createNamespace(kubeconfig);
    await applyIn(kubectl)('Pod', { image: `${image.tagged}@${await image.digest()}` });
    const lookUps = await image.lookUps();

    const bare = ['--plain-http=', '--allow-address='];
    const { exitCode, stdout } = await audit([...bare, '-n', kubectl.namespace ?? '']);

    expect({ exitCode, stdout }).toEqual({
      exitCode: 1,
      stdout: expect.stringContaining('[unknown]'),
    });
    expect(await image.lookUps()).toBe(lookUps);
  });

  it('says what may not be listed', async () => {
    const kubectl = await createNamespace(kubeconfig);
    const flags = ['--kubeconfig', environment.webhook.kubeconfig, '-n', kubectl.namespace ?? ''];
    const { exitCode, stderr } = await audit(flags);
    expect({ exitCode, stderr }).toEqual({
      exitCode: 1,
      stderr: `tagpin: Cannot list the deployments of namespace "${kubectl.namespace}": the API server answered 403 [cluster_unreadable]\n`,
    });
  });
});

describe('tagpin serve --audit-every', () => {
  it('tells of the whole cluster by a metric, with the rights of the component audit', async () => {
    await using cleanUp = new AsyncDisposableStack();
    cleanUp.defer(await installComponent(admin, 'audit'));
    const kubectl = await createNamespace(kubeconfig);
    const image = await TestImage.ofOnePlatform(registry);
    await applyIn(kubectl)('Pod', { image: image.tagged });
    await webhook.stop();
    const auditing = new Webhook(environment, ['--audit-every=1h']);
    cleanUp.defer(() => auditing.stop());
    await auditing.start();
    await eventually(async () => {
      const unpinned = await auditing.metric('tagpin_audit_images', { state: 'unpinned' });
      expect(unpinned).toBeGreaterThan(0);
    });
    expect(await auditing.metric('tagpin_audit_timestamp_seconds')).toBeGreaterThan(0);
  });
});
