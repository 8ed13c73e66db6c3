import { connectTo } from '../support/api-server.ts';
import { eventually } from '../support/eventually.ts';
import { createBenchNamespace, startBenchCluster, startWebhookBeside } from './bench-cluster.ts';
import { startConstantWebhook } from './constant-webhook.ts';
import { installPodEntry } from './pod-entry.ts';
import { createPodMaker, type PodMaker, type PodPlace } from './pod-maker.ts';
import { processorMs } from './processor-time.ts';
import type { Part, Row } from './result.ts';
import { reviewOf } from './reviews.ts';
import { interleaved, ratiosOf } from './rounds.ts';
import { startTagRegistry } from './tag-registry.ts';

/**
 * What a Pod costs at the real API server: without a webhook, with one that always answers the same
 * patch, and with tagpin. Each has a namespace and a webhook configuration of its own, the same entry
 * for both webhooks, so that all three are measured in turns by the same servers.
 */
const ROUNDS = 5;
const ONE_BY_ONE = 250;
const TOGETHER = 800;
const AT_A_TIME = 16;
const WARM_UP = 1000;
const MAX_ADDED_MS = 0.5;
const LEAST_RATIO = 0.85;
const IMAGES = ['shop/web:1.4', 'shop/cart:2.0', 'library/cache:7'];
const CONTENDERS = ['none', 'constant', 'tagpin'] as const;
type Contender = (typeof CONTENDERS)[number];
const NAMES: Readonly<Record<Contender, string>> = {
  none: 'no webhook',
  constant: 'constant pin',
  tagpin: 'tagpin',
};

const TEXT = `Creates of a Pod of ${IMAGES.length} images by tag at a real kube-apiserver (etcd without fsync, no scheduler): without a webhook, with a webhook that answers a constant patch (\`node:https\`, nothing parsed), and with tagpin; both have the entry of the manifests. One at a time ${ONE_BY_ONE} of each, Pod by Pod in turns; ${AT_A_TIME} at a time ${TOGETHER} of each in turns; ${ROUNDS} rounds of both, and what was made is deleted between. The load is made by Node over connections that stay, on the same machine. What is added is a difference of medians.`;

/** Pods that were made at the same time. */
interface Together {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Of its webhook, for each Pod. */
  readonly processorMs: number;
}

/** The times of Pods that were made one after the other, sorted. */
type OneByOne = Readonly<Record<Contender, readonly number[]>>;

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

function at(sorted: readonly number[], share: number): number {
  return sorted[Math.floor(sorted.length * share)] ?? Number.NaN;
}

type Figure = Pick<Row, 'values'> & Partial<Pick<Row, 'goal'>>;

function msRow(what: string, digits: number, figure: Figure): Row {
  return { what, unit: 'ms', digits, ...figure };
}

function singleRows(rounds: readonly OneByOne[]): Row[] {
  const atShare = (name: Contender, share: number): number[] =>
    rounds.map((round) => at(round[name], share));
  const added = (name: Contender, to: Contender): number[] =>
    rounds.map((round) => at(round[name], 0.5) - at(round[to], 0.5));
  const one = '1 in flight';
  return [
    msRow(`${one}: added by tagpin to the constant pin, p50`, 2, {
      values: added('tagpin', 'constant'),
      goal: { atMost: MAX_ADDED_MS },
    }),
    msRow(`${one}: added by the constant pin, p50`, 2, { values: added('constant', 'none') }),
    msRow(`${one}: added by tagpin, p50`, 2, { values: added('tagpin', 'none') }),
    ...CONTENDERS.flatMap((name) => [
      msRow(`${one}, ${NAMES[name]}: p50`, 2, { values: atShare(name, 0.5) }),
      msRow(`${one}, ${NAMES[name]}: p99`, 2, { values: atShare(name, 0.99) }),
    ]),
  ];
}

function togetherRows(rounds: Readonly<Record<Contender, readonly Together[]>>): Row[] {
  const rates = (name: Contender): number[] => rounds[name].map(({ perSecond }) => perSecond);
  const ratio = (name: Contender, to: Contender): Omit<Row, 'what'> => ({
    unit: '×',
    digits: 2,
    values: ratiosOf(rates(name), rates(to)),
  });
  const many = `${AT_A_TIME} in flight`;
  return [
    {
      what: `${many}: rate with tagpin ÷ constant pin`,
      ...ratio('tagpin', 'constant'),
      goal: { atLeast: LEAST_RATIO },
    },
    { what: `${many}: rate with the constant pin ÷ none`, ...ratio('constant', 'none') },
    ...CONTENDERS.flatMap((name) => [
      { what: `${many}, ${NAMES[name]}: rate`, unit: 'Pods/s', digits: 0, values: rates(name) },
      msRow(`${many}, ${NAMES[name]}: p50`, 1, {
        values: rounds[name].map(({ p50Ms }) => p50Ms),
      }),
      msRow(`${many}, ${NAMES[name]}: p99`, 1, {
        values: rounds[name].map(({ p99Ms }) => p99Ms),
      }),
    ]),
    ...(['constant', 'tagpin'] as const).map((name) =>
      msRow(`${many}, ${NAMES[name]}: processor time of the webhook for a Pod`, 2, {
        values: rounds[name].map((together) => together.processorMs),
      }),
    ),
  ];
}
