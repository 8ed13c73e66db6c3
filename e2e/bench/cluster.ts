import { connectTo } from '../support/api-server.ts';
import { eventually } from '../support/eventually.ts';
import { createBenchNamespace, startBenchCluster, startWebhookBeside } from './bench-cluster.ts';
import {
  AT_A_TIME,
  at,
  CONTENDERS,
  type Contender,
  type OneByOne,
  singleRows,
  type Together,
  togetherRows,
} from './cluster-rows.ts';
import { startConstantWebhook } from './constant-webhook.ts';
import { installPodEntry } from './pod-entry.ts';
import { createPodMaker, type PodMaker, type PodPlace } from './pod-maker.ts';
import { processorMs } from './processor-time.ts';
import type { Part } from './result.ts';
import { reviewOf } from './reviews.ts';
import { interleaved } from './rounds.ts';
import { startTagRegistry } from './tag-registry.ts';

/**
 * What a Pod costs at the real API server: without a webhook, with one that always answers the same
 * patch, and with tagpin. Each has a namespace and a webhook configuration of its own, the same entry
 * for both webhooks, so that all three are measured in turns by the same servers.
 */
const ROUNDS = 5;
const ONE_BY_ONE = 250;
const TOGETHER = 800;
const WARM_UP = 1000;
const IMAGES = ['shop/web:1.4', 'shop/cart:2.0', 'library/cache:7'];
const TEXT = `Creates of a Pod of ${IMAGES.length} images by tag at a real kube-apiserver (etcd without fsync, no scheduler): without a webhook, with a webhook that answers a constant patch (\`node:https\`, nothing parsed), and with tagpin; both have the entry of the manifests. One at a time ${ONE_BY_ONE} of each, Pod by Pod in turns; ${AT_A_TIME} at a time ${TOGETHER} of each in turns; ${ROUNDS} rounds of both, and what was made is deleted between. The load is made by Node over connections that stay, on the same machine. What is added is a difference of medians.`;

export const benchCluster: Part = async () => {
  const registry = await startTagRegistry();
  const cluster = await startBenchCluster();
  const api = connectTo(cluster.controlPlane.kubeconfig, AT_A_TIME);
  try {
    const pod = podOf(registry.host);
    const tagpin = await startWebhookBeside(cluster, registry.host, ['--cache-ttl=1h']);
    const review = reviewOf({ kind: 'Pod', resource: 'pods', object: pod });
    const constant = await startConstantWebhook(cluster, review, tagpin);
    for (const name of CONTENDERS) await createBenchNamespace(cluster, name);
    await installPodEntry(cluster, { namespace: 'constant', port: constant.port });
    await installPodEntry(cluster, { namespace: 'tagpin', port: tagpin.port });
    const maker = createPodMaker(api, pod, AT_A_TIME);
    await warmUp(maker);
    const asked = registry.requests();
    const single: OneByOne[] = [];
    for (let round = 0; round < ROUNDS; round += 1) single.push(await oneByOne(maker));
    const used = process.cpuUsage();
    const startedAtMs = performance.now();
    const many = (name: Contender, pid?: number) => () => manyAtOnce(maker, name, pid);
    const together = await interleaved(ROUNDS, {
      none: many('none'),
      constant: many('constant', constant.pid),
      tagpin: many('tagpin', tagpin.pid),
    });
    const { user, system } = process.cpuUsage(used);
    const load = (user + system) / 10 / (performance.now() - startedAtMs);
    return {
      part: 'cluster',
      text: TEXT,
      rows: [
        ...singleRows(single),
        ...togetherRows(together),
        {
          what: `${AT_A_TIME} in flight: processor of the load generator`,
          unit: '% of a core',
          digits: 0,
          values: [load],
        },
        {
          what: 'requests to the registry',
          unit: '',
          digits: 0,
          values: [registry.requests() - asked],
          goal: { atMost: 0 },
        },
      ],
    };
  } finally {
    api.close();
    await cluster.stop();
    registry.close();
  }
};

function podOf(host: string): unknown {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { generateName: 'shop-', labels: { app: 'shop' } },
    spec: {
      containers: IMAGES.map((image, index) => ({
        name: `container-${index}`,
        image: `${host}/${image}`,
        ports: [{ containerPort: 8080 + index }],
        env: [{ name: 'POD_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }],
        resources: { limits: { memory: '128Mi' }, requests: { cpu: '100m', memory: '128Mi' } },
      })),
    },
  };
}

function placeOf(name: Contender): PodPlace {
  return { namespace: name, isPinned: name !== 'none' };
}

/** A webhook configuration counts a moment after it is made. */
async function warmUp(maker: PodMaker): Promise<void> {
  for (const place of CONTENDERS.map(placeOf)) {
    await eventually(() => maker.create(place));
    await maker.createMany(place, WARM_UP);
    await maker.empty(place);
  }
}

/** The three in turns, each first as often as the others. */
async function oneByOne(maker: PodMaker): Promise<OneByOne> {
  const times: Record<Contender, number[]> = { none: [], constant: [], tagpin: [] };
  for (let n = 0; n < ONE_BY_ONE; n += 1) {
    for (let turn = 0; turn < CONTENDERS.length; turn += 1) {
      const name = CONTENDERS[(n + turn) % CONTENDERS.length] ?? 'none';
      times[name].push(await maker.create(placeOf(name)));
    }
  }
  for (const place of CONTENDERS.map(placeOf)) await maker.empty(place);
  const sorted = (name: Contender): number[] => times[name].toSorted((a, b) => a - b);
  return { none: sorted('none'), constant: sorted('constant'), tagpin: sorted('tagpin') };
}

/** @param pid of the webhook, where there is one */
async function manyAtOnce(maker: PodMaker, name: Contender, pid?: number): Promise<Together> {
  const place = placeOf(name);
  const used = (): number => (pid === undefined ? 0 : processorMs(pid));
  const [startedAtMs, usedMs] = [performance.now(), used()];
  const times = await maker.createMany(place, TOGETHER);
  const perSecond = (TOGETHER / (performance.now() - startedAtMs)) * 1000;
  const perPodMs = (used() - usedMs) / TOGETHER;
  await maker.empty(place);
  return { perSecond, p50Ms: at(times, 0.5), p99Ms: at(times, 0.99), processorMs: perPodMs };
}
