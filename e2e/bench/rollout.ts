import { setTimeout as delay } from 'node:timers/promises';
import { type ApiServer, connectTo } from '../support/api-server.ts';
import { eventually } from '../support/eventually.ts';
import { installManifests } from '../support/manifests.ts';
import type { Webhook } from '../support/webhook.ts';
import { createBenchNamespace, startBenchCluster, startWebhookBeside } from './bench-cluster.ts';
import type { Part, Row } from './result.ts';
import { interleaved, ratiosOf } from './rounds.ts';
import { startTagRegistry, type TagRegistry } from './tag-registry.ts';

/**
 * A Deployment of 2,000 Pods on the real API server and controller-manager, with tagpin as its
 * manifests install it and without. Nothing schedules the Pods: what is measured is how fast the
 * control plane makes them.
 */
const ROUNDS = 3;
const REPLICAS = 2000;
const WARM_UP_REPLICAS = 200;
const IMAGES = ['shop/web', 'shop/proxy'];
const PAGE = 500;
const POLL_MS = 50;
const TIME_MS = 300_000;
/** By default it makes 20 calls a second at most, which would be all that is measured. */
const CONTROLLER_FLAGS = ['--kube-api-qps=2000', '--kube-api-burst=2000'];

/** The labels of each namespace. */
const CONTENDERS = {
  'without tagpin': {},
  'pinned in the template': { 'tagpin.dev/mode': 'pin' },
  'pinned in the Pods': { 'tagpin.dev/mode': 'pin', 'tagpin.dev/level': 'pods' },
} as const;
type Contender = keyof typeof CONTENDERS;
const NAMES = Object.keys(CONTENDERS) as Contender[];

const TEXT = `A new Deployment of ${REPLICAS} Pods of ${IMAGES.length} images by tag on a real kube-apiserver and kube-controller-manager (etcd without fsync, no scheduler, no node): until all Pods exist. Without tagpin; with it, where the Deployment's template gets the digests; and with \`tagpin.dev/level: pods\`, where the template keeps its tags and each Pod gets the digests of its siblings. ${ROUNDS} rounds in turns, each with tags that were never seen. The controller-manager may make more calls than it does by default (\`${CONTROLLER_FLAGS.join(' ')}\` for 20 and 30), or these limits would be all that is measured.`;

interface Rollout {
  readonly seconds: number;
  readonly reviews: number;
  /** To the registry. */
  readonly requests: number;
  /** Different spellings of images in the Pods: as many as there are images, or they differ. */
  readonly images: number;
}

interface Site {
  readonly api: ApiServer;
  readonly webhook: Webhook;
  readonly registry: TagRegistry;
}

export const benchRollout: Part = async () => {
  const registry = await startTagRegistry();
  const cluster = await startBenchCluster(CONTROLLER_FLAGS);
  const api = connectTo(cluster.controlPlane.kubeconfig, 4);
  try {
    const { webhook, port } = await startWebhookBeside(cluster, registry.host);
    await installManifests(cluster.kubectl, { port, certificateAuthority: cluster.authority });
    for (const name of NAMES) {
      await createBenchNamespace(cluster, namespaceOf(name), CONTENDERS[name]);
    }
    const site = { api, webhook, registry };
    let run = 0;
    const once = (name: Contender, replicas: number): Promise<Rollout> => {
      run += 1;
      return rollOut(site, name, { tag: `1.${run}`, replicas });
    };
    // A webhook configuration counts a moment after it is made.
    await eventually(() => once('pinned in the Pods', WARM_UP_REPLICAS));
    for (const name of NAMES) await once(name, WARM_UP_REPLICAS);
    const rounds = await interleaved(ROUNDS, {
      'without tagpin': () => once('without tagpin', REPLICAS),
      'pinned in the template': () => once('pinned in the template', REPLICAS),
      'pinned in the Pods': () => once('pinned in the Pods', REPLICAS),
    });
    return { part: 'rollout', text: TEXT, rows: rowsOf(rounds) };
  } finally {
    api.close();
    await cluster.stop();
    registry.close();
  }
};

function namespaceOf(name: Contender): string {
  return name.replaceAll(' ', '-').toLowerCase();
}

/** Makes a Deployment, waits for its Pods, looks at them and deletes it all. */
async function rollOut(
  { api, webhook, registry }: Site,
  name: Contender,
  { tag, replicas }: { readonly tag: string; readonly replicas: number },
): Promise<Rollout> {
  const namespace = namespaceOf(name);
  const reviews = (): Promise<number> => webhook.metric('tagpin_admission_requests_total');
  const before = { reviews: await reviews(), requests: registry.requests() };
  const startedAtMs = performance.now();
  const body = JSON.stringify(deploymentOf(registry.host, tag, replicas));
  try {
    await sent(api, 'POST', `/apis/apps/v1/namespaces/${namespace}/deployments`, body);
    while ((await podsIn(api, namespace)) < replicas) {
      if (performance.now() - startedAtMs > TIME_MS) throw new Error('The Pods take too long');
      await delay(POLL_MS);
    }
    const seconds = (performance.now() - startedAtMs) / 1000;
    const images = await imagesIn(api, namespace);
    const wrong = [...images].find(
      (image) => image.includes('@sha256:') === (name === 'without tagpin'),
    );
    if (wrong !== undefined) throw new Error(`${name}: a Pod has ${wrong}`);
    return {
      seconds,
      reviews: (await reviews()) - before.reviews,
      requests: registry.requests() - before.requests,
      images: images.size,
    };
  } finally {
    await empty(api, namespace);
  }
}

function deploymentOf(host: string, tag: string, replicas: number): unknown {
  const labels = { app: 'shop' };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'shop' },
    spec: {
      replicas,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          containers: IMAGES.map((image, index) => ({
            name: `container-${index}`,
            image: `${host}/${image}:${tag}`,
          })),
        },
      },
    },
  };
}

/** Throws what the API server answered where that is no success. */
async function sent(
  api: ApiServer,
  ...[method, path, body]: Parameters<ApiServer['send']>
): Promise<string> {
  const { status, text } = await api.send(method, path, body);
  if (status < 200 || status > 299) throw new Error(`${method} ${path}: ${status} ${text}`);
  return text;
}

interface PodList {
  readonly metadata: { readonly continue?: string; readonly remainingItemCount?: number };
  readonly items: readonly {
    readonly spec: { readonly containers: readonly { readonly image: string }[] };
  }[];
}

async function podsIn(api: ApiServer, namespace: string): Promise<number> {
  const text = await sent(api, 'GET', `/api/v1/namespaces/${namespace}/pods?limit=1`);
  const { items, metadata } = JSON.parse(text) as PodList;
  return items.length + (metadata.remainingItemCount ?? 0);
}

/** All that Pods of a namespace run. */
async function imagesIn(api: ApiServer, namespace: string): Promise<ReadonlySet<string>> {
  const images = new Set<string>();
  let from: string | undefined = '';
  while (from !== undefined) {
    const query: string = `limit=${PAGE}${from && `&continue=${encodeURIComponent(from)}`}`;
    const text = await sent(api, 'GET', `/api/v1/namespaces/${namespace}/pods?${query}`);
    const { items, metadata } = JSON.parse(text) as PodList;
    for (const { spec } of items) for (const { image } of spec.containers) images.add(image);
    from = metadata.continue;
  }
  return images;
}

/** From above, so that nothing is made anew. */
async function empty(api: ApiServer, namespace: string): Promise<void> {
  const apps = `/apis/apps/v1/namespaces/${namespace}`;
  for (const kind of ['deployments', 'replicasets']) {
    await sent(api, 'DELETE', `${apps}/${kind}?propagationPolicy=Orphan`);
  }
  await eventually(async () => {
    await sent(api, 'DELETE', `/api/v1/namespaces/${namespace}/pods?gracePeriodSeconds=0`);
    const left = await podsIn(api, namespace);
    if (left > 0) throw new Error(`${left} Pods are left`);
    const sets = await sent(api, 'GET', `${apps}/replicasets`);
    if (!sets.includes('"items":[]')) throw new Error('A ReplicaSet is left');
  }, TIME_MS);
}

function rowsOf(rounds: Readonly<Record<Contender, readonly Rollout[]>>): Row[] {
  const seconds = (name: Contender): number[] => rounds[name].map((one) => one.seconds);
  const pinned = NAMES.filter((name) => name !== 'without tagpin');
  const count = (name: Contender, what: 'reviews' | 'requests' | 'images'): Row => ({
    what: `${name}: ${COUNTS[what]}`,
    unit: '',
    digits: 0,
    values: rounds[name].map((one) => one[what]),
  });
  return [
    ...NAMES.map((name) => ({
      what: `${name}: until all Pods exist`,
      unit: 's',
      digits: 1,
      values: seconds(name),
    })),
    ...pinned.map((name) => ({
      what: `${name} ÷ without tagpin`,
      unit: '×',
      digits: 2,
      values: ratiosOf(seconds(name), seconds('without tagpin')),
    })),
    ...pinned.flatMap((name) => [
      count(name, 'reviews'),
      { ...count(name, 'requests'), goal: { atMost: IMAGES.length } },
      { ...count(name, 'images'), goal: { atMost: IMAGES.length } },
    ]),
  ];
}

const COUNTS = {
  reviews: 'reviews',
  requests: 'requests to the registry',
  images: 'different images in the Pods',
} as const;
