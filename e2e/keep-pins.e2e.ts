import { beforeAll, describe, expect, it } from '@jest/globals';

import { readEnvironment } from './support/environment.ts';
import { eventually } from './support/eventually.ts';
import { replaceBy, templateOf, useKeepPins } from './support/keep-pins.ts';
import { Kubectl } from './support/kubectl.ts';
import { settledReplicaSets } from './support/ownership.ts';
import { pinsOf, pinsTo, untouched } from './support/pins.ts';
import { TestImage } from './support/test-image.ts';
import { createNamespace } from './support/test-namespace.ts';
import { Webhook } from './support/webhook.ts';
import {
  type PodTemplate,
  type StoredObject,
  TEMPLATE_KINDS,
  type WorkloadKind,
  workload,
} from './support/workload.ts';

const environment = readEnvironment();
const { kubeconfig, registry } = environment;

useKeepPins(kubeconfig);

const KINDS: readonly WorkloadKind[] = ['Pod', ...TEMPLATE_KINDS];
const FILE = '--filename=-';

/** How an object is made, how it is sent again, and what the API server refuses in that anyway. */
interface Way {
  readonly first: readonly string[];
  readonly again: readonly string[];
  readonly refuses: ReadonlyMap<WorkloadKind, string>;
}

const APPLY = ['apply', FILE];
const SERVER_SIDE = ['apply', '--server-side', FILE];
const WAYS: readonly (readonly [string, Way])[] = [
  ['client-side apply', { first: APPLY, again: APPLY, refuses: new Map() }],
  ['server-side apply', { first: SERVER_SIDE, again: SERVER_SIDE, refuses: new Map() }],
  [
    'replace',
    {
      // What it sends has nothing of ours, and must find what `create` has stored.
      first: ['create', FILE],
      again: ['replace', FILE],
      // The selector that it fills in a Job is missing from a whole new one.
      refuses: new Map([['Job', 'spec.selector: Required']]),
    },
  ],
];

/** An object with an image in each list that the record holds. */
function threeImages(kind: WorkloadKind, image: string): object {
  const podSpec = {
    initContainers: [{ name: 'setup', image }],
    volumes: [{ name: 'model', image: { reference: image } }],
    // What a Pod gets without these, it would lack when it is replaced, and be refused.
    automountServiceAccountToken: false,
    serviceAccountName: 'default',
  };
  return workload(kind, { image, podSpec });
}

/** The template without what the API server counts in a Pod, which is its own. */
function comparable({ metadata, spec }: PodTemplate): object {
  return { annotations: metadata?.annotations, labels: metadata?.labels, spec };
}

/** How many versions of a template its controller has kept; 1 where none keeps any. */
async function revisions(kubectl: Kubectl, kind: WorkloadKind): Promise<number> {
  const stored = await kubectl.get<StoredObject>(kind, 'web');
  if (kind === 'Deployment') return (await settledReplicaSets(kubectl, stored)).length;
  if (kind !== 'StatefulSet' && kind !== 'DaemonSet') return 1;
  return (await kubectl.get<{ items: object[] }>('controllerrevisions')).items.length;
}

async function whileUp<T>(work: () => Promise<T>): Promise<T> {
  const webhook = new Webhook(environment);
  await webhook.start();
  try {
    return await work();
  } finally {
    await webhook.stop();
  }
}

describe.each(WAYS)(
  'a pinned object that comes back by tag: %s',
  (_, { first, again, refuses }) => {
    const namespaces = new Map<WorkloadKind, Kubectl>();
    let image: TestImage;
    let pinned: string;

    beforeAll(async () => {
      image = await TestImage.ofOnePlatform(registry);
      pinned = await image.pinned();
      await whileUp(async () => {
        for (const kind of KINDS) {
          const kubectl = await createNamespace(kubeconfig, { mode: 'pin' });
          await kubectl.run(first, { input: threeImages(kind, image.tagged) });
          namespaces.set(kind, kubectl);
        }
      });
      await image.move();
    });

    it.each(KINDS)('%s keeps pins and record while the webhook is down', async (kind) => {
      const kubectl = namespaces.get(kind) ?? new Kubectl(kubeconfig);
      const before = await templateOf(kubectl, kind);
      expect(pinsOf(before).images).toEqual({ web: pinned, setup: pinned, 'volume/model': pinned });
      await eventually(async () => expect(await revisions(kubectl, kind)).toBe(1));

      const input = threeImages(kind, image.tagged);
      const { exitCode, stderr } = await kubectl.run(again, { input, mayFail: true });

      expect(exitCode === 0 ? '' : stderr).toContain(refuses.get(kind) ?? '');
      expect(exitCode).toBe(refuses.has(kind) ? 1 : 0);
      expect(comparable(await templateOf(kubectl, kind))).toEqual(comparable(before));
      expect(await revisions(kubectl, kind)).toBe(1);
    });
  },
);

interface Pinned {
  readonly kubectl: Kubectl;
  readonly image: TestImage;
  readonly before: PodTemplate;
}

/** A pinned Deployment whose tag has moved, and no webhook. */
async function pinnedDeployment(): Promise<Pinned> {
  const image = await TestImage.ofOnePlatform(registry);
  const kubectl = await createNamespace(kubeconfig, { mode: 'pin' });
  const input = workload('Deployment', { image: image.tagged });
  await whileUp(() => kubectl.run(['create', FILE], { input }));
  const before = await templateOf(kubectl, 'Deployment');
  expect(pinsOf(before)).toEqual(await pinsTo({ web: image }));
  await image.move();
  return { kubectl, image, before };
}

describe('a pinned Deployment whose tag has moved, while the webhook is down', () => {
  it('goes back to its tag without the label: it is the policy that keeps pins', async () => {
    const { kubectl, image } = await pinnedDeployment();
    await kubectl.run(['label', 'namespace', kubectl.namespace ?? '', 'tagpin.dev/mode-']);
    const stored = await replaceBy(kubectl, 'Deployment', { image: image.tagged });
    expect(pinsOf(stored)).toEqual(untouched(image));
  });

  it.each([
    ['warn', 'tagpin.dev/mode=warn'],
    ['enforce', 'tagpin.dev/mode=enforce'],
    ['pin, at the level pods', 'tagpin.dev/level=pods'],
  ])('keeps its pin where the namespace has become %s', async (_, label) => {
    const { kubectl, image, before } = await pinnedDeployment();
    await kubectl.run(['label', 'namespace', kubectl.namespace ?? '', '--overwrite', label]);
    expect(await replaceBy(kubectl, 'Deployment', { image: image.tagged })).toEqual(before);
  });

  it('takes another tag as it is written', async () => {
    const { kubectl, image } = await pinnedDeployment();
    const stored = await replaceBy(kubectl, 'Deployment', { image: `${image.name}:2` });
    expect(pinsOf(stored)).toEqual({ images: { web: `${image.name}:2` } });
  });

  it.each([
    ['the skip annotation for all', { 'tagpin.dev/skip': 'true' }, {}],
    ['the skip annotation by name', { 'tagpin.dev/skip': 'log, web' }, {}],
    ['imagePullPolicy Never', undefined, { imagePullPolicy: 'Never' }],
  ])('takes its tag with %s', async (_, annotations, container) => {
    const { kubectl, image } = await pinnedDeployment();
    const podSpec = { containers: [{ name: 'web', image: image.tagged, ...container }] };
    const options = { image: image.tagged, podSpec, ...(annotations && { annotations }) };
    expect(pinsOf(await replaceBy(kubectl, 'Deployment', options))).toEqual(untouched(image));
  });

  it('keeps its pin though other parts of the template change', async () => {
    const { kubectl, image, before } = await pinnedDeployment();
    const annotations = { 'example.com/a': 'b', 'tagpin.dev/skip': 'log' };
    const stored = await replaceBy(kubectl, 'Deployment', { image: image.tagged, annotations });
    expect(pinsOf(stored)).toEqual(pinsOf(before));
    expect(stored.metadata?.annotations).toMatchObject(annotations);
  });

  it('gets its record back where that alone is dropped', async () => {
    const { kubectl, before } = await pinnedDeployment();
    const image = pinsOf(before).images['web'] ?? '';
    expect(await replaceBy(kubectl, 'Deployment', { image })).toEqual(before);
  });
});
