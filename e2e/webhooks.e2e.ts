import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { readEnvironment } from './support/environment.ts';
import { Kubectl } from './support/kubectl.ts';
import { matchConditionErrors } from './support/match-conditions.ts';
import { Recorder } from './support/recorder.ts';
import { createNamespace } from './support/test-namespace.ts';
import { TEMPLATE_KINDS, type WorkloadKind, workload } from './support/workload.ts';

// What the API server calls tagpin for, and what not, is decided by the entries of the manifests.
// A webhook that only writes its calls down stands in for tagpin, which would leave some of these
// objects alone by itself and so hide an entry that is wrong.
const { kubeconfig, webhook } = readEnvironment();
const recorder = new Recorder(webhook);

const DRY_RUN = ['create', '--dry-run=server', '--filename=-'];
const FINALIZER = 'example.com/hold';

const ENTRIES = ['pods.pin.tagpin.dev', 'workloads.pin.tagpin.dev'];
/** By entry, for what other tests did: the API server counts from its start on. */
const errorsBefore = new Map<string, number>();

function conditionErrors(entry: string): Promise<number> {
  return matchConditionErrors(new Kubectl(kubeconfig), entry);
}

beforeAll(async () => {
  for (const entry of ENTRIES) errorsBefore.set(entry, await conditionErrors(entry));
  await recorder.start();
});
afterAll(() => recorder.stop());

/** An object with something more in its metadata. */
function withMetadata(object: object, more: object): object {
  const { metadata } = object as { metadata: object };
  return { ...object, metadata: { ...metadata, ...more } };
}

function ownedBy(object: object, controller: boolean): object {
  const owner = { apiVersion: 'example.com/v1', kind: 'App', name: 'app', uid: 'a-b-c' };
  return withMetadata(object, { ownerReferences: [{ ...owner, controller }] });
}

function some(kind: WorkloadKind): object {
  return workload(kind, { image: 'nginx:1.27', replicas: 0 });
}

/** What the webhook is called for when this object is created, which it is not. */
async function callsFor(kubectl: Kubectl, object: object): Promise<readonly string[]> {
  await kubectl.run(DRY_RUN, { input: object });
  return recorder.take(kubectl.namespace);
}

/** Stores an object, runs kubectl on it, and gives the calls for the second step alone. */
async function callsForChange(
  kubectl: Kubectl,
  object: object,
  ...args: readonly string[]
): Promise<readonly string[]> {
  await kubectl.run(['create', '--filename=-'], { input: object });
  recorder.take(kubectl.namespace);
  await kubectl.run(args);
  return recorder.take(kubectl.namespace);
}

function eightHundred(image: string): object {
  const containers = Array.from({ length: 800 }, (_, index) => ({ name: `c${index}`, image }));
  return workload('PodTemplate', { image, podSpec: { containers } });
}

/** Without those for the Pods that a controller makes meanwhile. */
function ofKind(kind: WorkloadKind, calls: readonly string[]): readonly string[] {
  return calls.filter((call) => call.includes(` ${kind} `));
}

describe('the webhook entries of a mode', () => {
  it.each(['pin', 'enforce', 'warn'] as const)('send %s to its path', async (mode) => {
    const kubectl = await createNamespace(kubeconfig, { mode });
    const pod = workload('Pod', { image: `nginx@sha256:${'0'.repeat(64)}` });
    expect(await callsFor(kubectl, pod)).toEqual([`/admission/${mode} Pod CREATE`]);
    expect(await callsFor(kubectl, some('CronJob'))).toEqual([`/admission/${mode} CronJob CREATE`]);
  });

  it('call for nothing in a namespace without the label', async () => {
    const kubectl = await createNamespace(kubeconfig);
    expect(await callsFor(kubectl, some('Pod'))).toEqual([]);
    expect(await callsFor(kubectl, some('Deployment'))).toEqual([]);
  });

  it('call for nothing in a namespace of the system, whatever its label', async () => {
    const admin = new Kubectl(kubeconfig, 'kube-node-lease');
    await admin.run(['label', 'namespace', 'kube-node-lease', 'tagpin.dev/mode=pin']);
    try {
      expect(await callsFor(admin, some('Pod'))).toEqual([]);
    } finally {
      await admin.run(['label', 'namespace', 'kube-node-lease', 'tagpin.dev/mode-']);
    }
  });
});

describe('the workloads entry', () => {
  it.each(TEMPLATE_KINDS)('calls once for a new %s', async (kind) => {
    const kubectl = await createNamespace(kubeconfig, { mode: 'pin' });
    expect(await callsFor(kubectl, some(kind))).toEqual([`/admission/pin ${kind} CREATE`]);
  });

  it.each(TEMPLATE_KINDS)('calls for no %s that a controller owns', async (kind) => {
    const kubectl = await createNamespace(kubeconfig, { mode: 'pin' });
    expect(await callsFor(kubectl, ownedBy(some(kind), true))).toEqual([]);
    expect(await callsFor(kubectl, ownedBy(some(kind), false))).toHaveLength(1);
  });

  it.each(TEMPLATE_KINDS)('calls for no %s where templates are not asked for', async (kind) => {
    const kubectl = await createNamespace(kubeconfig, { mode: 'pin', level: 'pods' });
    expect(await callsFor(kubectl, some(kind))).toEqual([]);
  });

  it.each(TEMPLATE_KINDS)('calls for %s whose template changes', async (kind) => {
    const kubectl = await createNamespace(kubeconfig, { mode: 'pin' });
    await kubectl.run(['create', '--filename=-'], { input: some(kind) });
    recorder.take(kubectl.namespace);
    for (const change of [{ image: 'nginx:1.28' }, { annotations: { 'example.com/a': 'b' } }]) {
      const input = workload(kind, { image: 'nginx:1.27', replicas: 0, ...change });
      // The API server refuses another template of a Job, after all webhooks.
      await kubectl.run(['apply', '--server-side', '--force-conflicts', '--filename=-'], {
        input,
        mayFail: kind === 'Job',
      });
      expect(ofKind(kind, recorder.take(kubectl.namespace))).toEqual([
        `/admission/pin ${kind} UPDATE`,
      ]);
    }
  });

  it.each(TEMPLATE_KINDS)('calls for no %s whose template stays', async (kind) => {
    const kubectl = await createNamespace(kubeconfig, { mode: 'pin' });
    const label = ['label', kind, 'web', 'a=b'];
    expect(ofKind(kind, await callsForChange(kubectl, some(kind), ...label))).toEqual([]);
    await kubectl.run(['annotate', kind, 'web', 'example.com/skip=true', 'a=b']);
    await kubectl.run(['patch', kind, 'web', '--patch={"metadata":{"finalizers":["a.b/c"]}}']);
    await kubectl.run(['patch', kind, 'web', '--patch={"metadata":{"finalizers":null}}']);
    expect(ofKind(kind, recorder.take(kubectl.namespace))).toEqual([]);
  });

  it.each(TEMPLATE_KINDS)('calls for %s that is annotated in the wrong place', async (kind) => {
    const kubectl = await createNamespace(kubeconfig, { mode: 'pin' });
    await kubectl.run(['create', '--filename=-'], { input: some(kind) });
    for (const name of ['refresh', 'refresh-policy', 'skip']) {
      recorder.take(kubectl.namespace);
      await kubectl.run(['annotate', kind, 'web', `tagpin.dev/${name}=a`]);
      const calls = ofKind(kind, recorder.take(kubectl.namespace));
      expect(calls).toEqual([`/admission/pin ${kind} UPDATE`]);
    }
  });

  it('calls for no scaling, by the subresource or by the field', async () => {
    const kubectl = await createNamespace(kubeconfig, { mode: 'pin' });
    const scale = ['scale', 'replicaset', 'web', '--replicas=1'];
    const calls = await callsForChange(kubectl, some('ReplicaSet'), ...scale);
    expect(ofKind('ReplicaSet', calls)).toEqual([]);
    await kubectl.run(['patch', 'replicaset', 'web', '--patch={"spec":{"replicas":0}}']);
    expect(ofKind('ReplicaSet', recorder.take(kubectl.namespace))).toEqual([]);
  });

  it('evaluates a template of 800 containers within its budget', async () => {
    const kubectl = await createNamespace(kubeconfig, { mode: 'pin' });
    await kubectl.run(['create', '--filename=-'], { input: eightHundred('nginx:1') });
    recorder.take(kubectl.namespace);
    await kubectl.run(['label', 'podtemplate', 'web', 'a=b']);
    expect(recorder.take(kubectl.namespace)).toEqual([]);
    await kubectl.run(['replace', '--filename=-'], { input: eightHundred('nginx:2') });
    expect(recorder.take(kubectl.namespace)).toEqual(['/admission/pin PodTemplate UPDATE']);
  });

  it('calls for none that is being deleted', async () => {
    const kubectl = await createNamespace(kubeconfig, { mode: 'pin' });
    const held = withMetadata(some('PodTemplate'), { finalizers: [FINALIZER] });
    const remove = ['delete', 'podtemplate', 'web', '--wait=false'];
    await callsForChange(kubectl, held, ...remove);
    const release = '{"metadata":{"finalizers":null}}';
    await kubectl.run(['patch', 'podtemplate', 'web', '--patch', release]);
    expect(recorder.take(kubectl.namespace)).toEqual([]);
  });
});

describe('the Pods entry', () => {
  it('calls for a Pod that a controller owns', async () => {
    const kubectl = await createNamespace(kubeconfig, { mode: 'pin' });
    expect(await callsFor(kubectl, ownedBy(some('Pod'), true))).toEqual([
      '/admission/pin Pod CREATE',
    ]);
  });

  it('calls where templates are not asked for', async () => {
    const kubectl = await createNamespace(kubeconfig, { mode: 'pin', level: 'pods' });
    expect(await callsFor(kubectl, some('Pod'))).toEqual(['/admission/pin Pod CREATE']);
  });

  it('calls for no mirror Pod', async () => {
    const kubectl = await createNamespace(kubeconfig, { mode: 'pin' });
    const pod = workload('Pod', { image: 'nginx', podSpec: { nodeName: 'node1' } });
    const annotations = { 'kubernetes.io/config.mirror': 'x' };
    expect(await callsFor(kubectl, pod)).toHaveLength(1);
    expect(await callsFor(kubectl, withMetadata(pod, { annotations }))).toEqual([]);
  });

  it('calls for an update and for an ephemeral container, and not for a status', async () => {
    const kubectl = await createNamespace(kubeconfig, { mode: 'pin' });
    const label = ['label', 'pod', 'web', 'a=b'];
    expect(await callsForChange(kubectl, some('Pod'), ...label)).toEqual([
      '/admission/pin Pod UPDATE',
    ]);
    await kubectl.run(['debug', 'web', '--image=busybox', '--profile=general', '--quiet']);
    expect(recorder.take(kubectl.namespace)).toEqual([
      '/admission/pin Pod UPDATE ephemeralcontainers',
    ]);
    const status = '{"status":{"phase":"Running"}}';
    await kubectl.run(['patch', 'pod', 'web', '--subresource=status', '--patch', status]);
    expect(recorder.take(kubectl.namespace)).toEqual([]);
  });

  it('calls for none that is being deleted', async () => {
    const kubectl = await createNamespace(kubeconfig, { mode: 'pin' });
    const held = withMetadata(some('Pod'), { finalizers: [FINALIZER] });
    const release = '{"metadata":{"finalizers":null}}';
    await callsForChange(kubectl, held, 'delete', 'pod', 'web', '--wait=false');
    await kubectl.run(['patch', 'pod', 'web', '--patch', release]);
    expect(recorder.take(kubectl.namespace)).toEqual([]);
  });
});

describe('the match conditions', () => {
  it.each(ENTRIES)('of %s were evaluated for all of this without an error', async (entry) => {
    expect(await conditionErrors(entry)).toBe(errorsBefore.get(entry));
  });
});
