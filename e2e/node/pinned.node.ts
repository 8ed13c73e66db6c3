import { readFile } from 'node:fs/promises';

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';

import { buildBinaries, NODE_BINARIES } from '../support/binaries.ts';
import { readEnvironment } from '../support/environment.ts';
import { eventually } from '../support/eventually.ts';
import type { Kubectl } from '../support/kubectl.ts';
import { createPullSecret } from '../support/pull-secret.ts';
import type { Registry } from '../support/registry.ts';
import type { TestImage } from '../support/test-image.ts';
import { createNamespace } from '../support/test-namespace.ts';
import { Webhook } from '../support/webhook.ts';
import { workload } from '../support/workload.ts';
import { NODE_NAME, Node } from './node.ts';
import { runnableImage } from './runnable-image.ts';
import { nodeProblem } from './runtime.ts';

/** On the host's network, for the node has no other; bound already, for there is no scheduler. */
const BOUND = {
  nodeName: NODE_NAME,
  hostNetwork: true,
  terminationGracePeriodSeconds: 1,
};

interface RunningPod {
  readonly metadata: { readonly name: string };
  readonly status: {
    readonly phase: string;
    readonly containerStatuses?: readonly { readonly imageID: string; readonly ready: boolean }[];
  };
}

const environment = readEnvironment();
const { registry, privateRegistry } = environment;
const problem = await nodeProblem();

let node: Node;
let webhook: Webhook;

/** What runs: the digest of its image, as the node tells it, and what it has written. */
async function running(kubectl: Kubectl, count: number): Promise<object[]> {
  const pods = await eventually(async () => {
    const { items } = await kubectl.get<{ items: RunningPod[] }>('pods');
    const ready = items.filter(({ status }) => status.containerStatuses?.[0]?.ready === true);
    if (ready.length !== count || items.length !== count) {
      throw new Error(`of ${items.length} Pods ${ready.length} run, not ${count}`);
    }
    return ready;
  });
  return Promise.all(
    pods.map(async ({ metadata, status }) => ({
      // The repository before it is the one under which the node saw the digest first.
      digest: status.containerStatuses?.[0]?.imageID.replace(/^.*@/, ''),
      log: await node.log(kubectl.namespace ?? '', metadata.name, 'web'),
    })),
  );
}

/** What the node asked a registry for: names of manifests of one repository. */
async function askedByNode({ logFile }: Registry, repository: string): Promise<Set<string>> {
  const log = await readFile(logFile, 'utf8');
  const request = new RegExp(
    `"(?:HEAD|GET) /v2/${repository}/manifests/(\\S+) .*containerd/`,
    'gu',
  );
  return new Set([...log.matchAll(request)].map(([, name = '']) => name));
}

function pod(image: TestImage, podSpec: object = {}): object {
  return workload('Pod', { image: image.tagged, podSpec: { ...BOUND, ...podSpec } });
}

if (problem !== undefined) process.stderr.write(`no node is run: ${problem}\n`);
const describeNode = problem === undefined ? describe : describe.skip;

describeNode(`a real node${problem === undefined ? '' : ` (skipped: ${problem})`}`, () => {
  beforeAll(async () => {
    await buildBinaries(NODE_BINARIES);
    const sandbox = await runnableImage(registry);
    node = new Node(environment, sandbox.tagged);
    await node.register();
    webhook = new Webhook(environment, ['--cache-ttl=0s']);
    await webhook.start();
  }, 900_000);

  afterAll(async () => {
    await webhook?.stop();
  });

  let namespaces: Kubectl[] = [];

  beforeEach(() => {
    namespaces = [];
  });

  /** Whatever became of the test, the node ends, and nothing stays bound to the next one. */
  afterEach(async () => {
    for (const kubectl of namespaces) {
      const all = ['deployments,pods', '--all', '--force', '--grace-period=0'];
      await kubectl.run(['delete', ...all]);
    }
    await node.lose();
  });

  async function namespaceOf(mode?: 'pin'): Promise<Kubectl> {
    const kubectl = await createNamespace(environment.kubeconfig, mode && { mode });
    namespaces.push(kubectl);
    return kubectl;
  }

  it('runs the bytes that were admitted, though the tag moved before it was there, and asks for no tag', async () => {
    const image = await runnableImage(registry);
    const kubectl = await namespaceOf('pin');
    const digest = await image.digest();
    await kubectl.apply(pod(image));
    await image.move();

    await node.start();

    expect(await running(kubectl, 1)).toEqual([{ digest, log: 'version 1\n' }]);
    expect(await askedByNode(registry, image.repository)).toEqual(new Set([digest]));
  });

  it('runs the new bytes in a namespace without the label, which asks by tag', async () => {
    const image = await runnableImage(registry);
    const kubectl = await namespaceOf();
    await kubectl.apply(pod(image));
    const digest = await image.move();

    await node.start();

    expect(await running(kubectl, 1)).toEqual([{ digest, log: 'version 2\n' }]);
    expect(await askedByNode(registry, image.repository)).toContain(image.tag);
  });

  it('runs one digest in all Pods of a Deployment that is scaled up after the tag moved', async () => {
    const image = await runnableImage(registry);
    const kubectl = await namespaceOf('pin');
    const digest = await image.digest();
    await kubectl.apply(workload('Deployment', { image: image.tagged, podSpec: BOUND }));
    await image.move();
    await node.start();
    await running(kubectl, 1);

    await kubectl.run(['scale', 'deployment', 'web', '--replicas=3']);

    const old = { digest, log: 'version 1\n' };
    expect(await running(kubectl, 3)).toEqual([old, old, old]);
    expect(await askedByNode(registry, image.repository)).toEqual(new Set([digest]));
  });

  it('runs the same digest on a new node when the old one is lost with all its images', async () => {
    const image = await runnableImage(registry);
    const kubectl = await namespaceOf('pin');
    const digest = await image.digest();
    await kubectl.apply(workload('Deployment', { image: image.tagged, podSpec: BOUND }));
    await node.start();
    await running(kubectl, 1);
    await image.move();

    await node.lose();
    await kubectl.run(['delete', 'pods', '--all', '--force', '--grace-period=0']);
    await node.start();

    expect(await running(kubectl, 1)).toEqual([{ digest, log: 'version 1\n' }]);
    expect(await askedByNode(registry, image.repository)).toEqual(new Set([digest]));
  });

  it('pulls the pinned digest of a private registry with the pull secret of the Pod', async () => {
    const image = await runnableImage(privateRegistry);
    const kubectl = await namespaceOf('pin');
    const { account } = privateRegistry;
    if (account === undefined) throw new Error('the private registry has no account');
    await createPullSecret(kubectl, 'pull', { host: privateRegistry.host, ...account });
    const digest = await image.digest();
    await kubectl.apply(pod(image, { imagePullSecrets: [{ name: 'pull' }] }));
    await image.move();

    await node.start();

    expect(await running(kubectl, 1)).toEqual([{ digest, log: 'version 1\n' }]);
    expect(await askedByNode(privateRegistry, image.repository)).toEqual(new Set([digest]));
  });
});
