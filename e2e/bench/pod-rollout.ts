import { setTimeout as delay } from 'node:timers/promises';

import type { ApiServer } from '../support/api-server.ts';
import { eventually } from '../support/eventually.ts';
import type { Webhook } from '../support/webhook.ts';
import type { TagRegistry } from './tag-registry.ts';

/** Of each Pod. */
export const IMAGES: readonly string[] = ['shop/web', 'shop/proxy'];
const PAGE = 500;
const POLL_MS = 50;
const TIME_MS = 300_000;

/** What a rollout took. */
export interface Rollout {
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

interface AskedRollout {
  readonly namespace: string;
  /** Whether its Pods have digests. */
  readonly isPinned: boolean;
  readonly tag: string;
  readonly replicas: number;
}

/** Makes a Deployment, waits for its Pods, looks at them and deletes it all. */
export async function rollOut(
  { api, webhook, registry }: Site,
  { namespace, isPinned, tag, replicas }: AskedRollout,
): Promise<Rollout> {
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
    const wrong = [...images].find((image) => image.includes('@sha256:') !== isPinned);
    if (wrong !== undefined) throw new Error(`${namespace}: a Pod has ${wrong}`);
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
