import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { freePort } from '../support/free-port.ts';
import { type LocalWebhook, startLocalWebhook } from '../support/local-webhook.ts';
import { sumSeries } from '../support/metrics.ts';
import { collectedMemory, type MemoryUse } from './inspected.ts';
import { type LoadResult, load } from './load.ts';
import { pinUrl } from './post.ts';
import type { Part, Row } from './result.ts';
import { podOf, reviewOf } from './reviews.ts';
import { interleaved } from './rounds.ts';
import { startSteadyLoad } from './steady-load.ts';
import { startTagRegistry } from './tag-registry.ts';
import { trendOf } from './trend.ts';

/**
 * What tagpin weighs: three of it that know 4, 10,000 and 100,000 references, all with room for
 * 100,000, are read from in turns. Then the last one, which is full, gets images that it has never
 * seen, for minutes.
 */
const SIZES = { '4': 1, '10,000': 2500, '100,000': 25_000 } as const;
type Size = keyof typeof SIZES;
/** Of each Pod; SIZES counts Pods. */
const IMAGES = ['web', 'proxy', 'metrics', 'init'];
const CAPACITY = 100_000;
/** Each has answered so many reviews before anything is measured: compiled code takes memory too. */
const WARM_UP_SECONDS = 3;
const ROUNDS = 5;
const SECONDS = 2;
const CONNECTIONS = 8;
/** Namespaces share their places for look-ups. */
const FILLERS = 16;
const PER_SECOND = 500;
const MINUTES = 10;
const SAMPLES = 15;
/** Of the samples, until all that is bounded is full. */
const SETTLING = 0.25;
const MAX_HEAP_MB = 60;

interface Weighed {
  readonly webhook: LocalWebhook;
  readonly inspectorPort: number;
}

export const benchSize: Part = async ({ minutes = MINUTES }) => {
  const directory = mkdtempSync(join(tmpdir(), 'tagpin-size-'));
  const registry = await startTagRegistry();
  const all: Weighed[] = [];
  const start = async (): Promise<Weighed> => {
    const inspectorPort = await freePort();
    const settings = [
      `--plain-http=${registry.host}`,
      '--cache-ttl=10h',
      `--cache-entries=${CAPACITY}`,
      '--log-level=warn',
    ];
    const webhook = await startLocalWebhook(settings, [`--inspect=127.0.0.1:${inspectorPort}`]);
    const one = { webhook, inspectorPort };
    all.push(one);
    return one;
  };
  try {
    const weighed = { '4': await start(), '10,000': await start(), '100,000': await start() };
    const read = (size: Size, seconds: number): Promise<LoadResult> =>
      load({
        url: pinUrl(weighed[size].webhook),
        body: podText(registry.host, IMAGES, '@N@'),
        numbers: SIZES[size],
        connections: CONNECTIONS,
        seconds,
        directory,
      });
    for (const size of Object.keys(SIZES) as Size[]) {
      await fill(weighed[size].webhook, registry.host, SIZES[size]);
      await read(size, WARM_UP_SECONDS);
    }
    const memory = {
      '4': await collectedMemory(weighed['4'].inspectorPort),
      '10,000': await collectedMemory(weighed['10,000'].inspectorPort),
      '100,000': await collectedMemory(weighed['100,000'].inspectorPort),
    };
    const reads = await interleaved(ROUNDS, {
      '4': () => read('4', SECONDS),
      '10,000': () => read('10,000', SECONDS),
      '100,000': () => read('100,000', SECONDS),
    });
    const soaked = await soak(weighed['100,000'], registry.host, minutes);
    return {
      part: 'size',
      text: `Three webhooks with room for ${CAPACITY} references (\`--cache-entries\`), of which they know 4, 10,000 and 100,000, read from in turns by Pods of ${IMAGES.length} of them over ${CONNECTIONS} connections, ${ROUNDS} rounds of ${SECONDS} s; memory after a forced collection. Then the last one, which is full, under ${PER_SECOND} reviews/s whose image it has never seen, for ${minutes} minutes; of a trend the three figures are the lower end, the middle and the upper end of its 95 % interval, and the first quarter does not count. The memory is read after ${SAMPLES} forced collections, which hold reviews up and are not in the event loop's figures.`,
      rows: [...memoryRows(memory), ...readRows(reads), ...soaked],
    };
  } finally {
    for (const { webhook } of all) await webhook.stop();
    registry.close();
    rmSync(directory, { recursive: true });
  }
};

/** The review of a Pod of a revision of its own, whose names are as long as they are in clusters. */
function podText(host: string, images: readonly string[], n: number | string): string {
  const names = images.map((name) => `${host}/platform/services/${name}-${n}:2026.11.${n}`);
  const object = podOf(names);
  return JSON.stringify(reviewOf({ kind: 'Pod', resource: 'pods', namespace: 'bench', object }))
    .replaceAll('5d9c7b8f6d', `5d9c7b8f6d-${n}`)
    .replaceAll('"uid":"a"', `"uid":"5f0e6d0c-90f2-4c53-b2a4-${n}"`);
}

/** Has it look up the images of so many Pods, four of each. */
export async function fill(webhook: LocalWebhook, host: string, pods: number): Promise<void> {
  let next = 1;
  const worker = async (): Promise<void> => {
    while (next <= pods) {
      const n = next;
      next += 1;
      const text = inNamespace(podText(host, IMAGES, n), n);
      const { response } = await webhook.send('pin', JSON.parse(text));
      if (response.patch === undefined) throw new Error(`Pod ${n} was not pinned`);
    }
  };
  await Promise.all(Array.from({ length: FILLERS }, worker));
  const entries = sumSeries(await webhook.metrics(), 'tagpin_cache_entries');
  if (entries !== pods * IMAGES.length) throw new Error(`The cache has ${entries} entries`);
}

/** A namespace has a few places for look-ups. */
function inNamespace(text: string, n: number): string {
  return text.replaceAll('"namespace":"bench"', `"namespace":"bench-${n % 100}"`);
}

function memoryRows(memory: Readonly<Record<Size, MemoryUse>>): Row[] {
  const MB = 1e6;
  const over = (size: Size): number => (memory[size].heapBytes - memory['4'].heapBytes) / MB;
  const sizes = Object.keys(SIZES) as Size[];
  return [
    {
      what: 'heap at 100,000 references, over that at 4',
      unit: 'MB',
      digits: 1,
      values: [over('100,000')],
      goal: { atMost: MAX_HEAP_MB },
    },
    {
      what: 'heap at 10,000 references, over that at 4',
      unit: 'MB',
      digits: 1,
      values: [over('10,000')],
    },
    ...sizes.map((size) => ({
      what: `heap at ${size} references`,
      unit: 'MB',
      digits: 1,
      values: [memory[size].heapBytes / MB],
    })),
    ...sizes.map((size) => ({
      what: `resident at ${size} references`,
      unit: 'MB',
      digits: 0,
      values: [memory[size].residentBytes / MB],
    })),
  ];
}

function readRows(reads: Readonly<Record<Size, readonly LoadResult[]>>): Row[] {
  const sizes = Object.keys(SIZES) as Size[];
  return [
    ...sizes.map((size) => ({
      what: `p99 at ${size} references`,
      unit: 'ms',
      digits: 2,
      values: reads[size].map(({ p99Ms }) => p99Ms),
    })),
    ...sizes.map((size) => ({
      what: `rate at ${size} references`,
      unit: 'reviews/s',
      digits: 0,
      values: reads[size].map(({ requestsPerSecond }) => requestsPerSecond),
    })),
    {
      what: 'reads that failed',
      unit: '',
      digits: 0,
      values: [sizes.flatMap((size) => reads[size]).reduce((sum, { errors }) => sum + errors, 0)],
      goal: { atMost: 0 },
    },
  ];
}

interface Sample extends MemoryUse {
  readonly atMinutes: number;
  /** As the webhook's own metrics tell it; the sampler's own interval of 10 ms is in it. */
  readonly delayP50Ms: number;
  readonly delayP99Ms: number;
}

/** Images that were never seen, at an even rate. */
async function soak(
  { webhook, inspectorPort }: Weighed,
  host: string,
  minutes: number,
): Promise<Row[]> {
  const first = SIZES['100,000'] + 1;
  const steady = startSteadyLoad({
    url: pinUrl(webhook),
    authority: webhook.authority,
    body: (n) => inNamespace(podText(host, ['web'], first + n), n),
    perSecond: PER_SECOND,
  });
  const samples: Sample[] = [];
  const startedAtMs = performance.now();
  for (let n = 1; n <= SAMPLES; n += 1) {
    const dueAtMs = startedAtMs + (n * minutes * 60_000) / SAMPLES;
    await delay(Math.max(0, dueAtMs - performance.now()));
    const metrics = await webhook.metrics();
    const delayMs = (percentile: string): number =>
      sumSeries(metrics, `nodejs_eventloop_lag_${percentile}_seconds`) * 1000;
    const memory = await collectedMemory(inspectorPort);
    // What was read begins anew, without the collection that was forced.
    await webhook.metrics();
    const atMinutes = (performance.now() - startedAtMs) / 60_000;
    samples.push({
      ...memory,
      atMinutes,
      delayP50Ms: delayMs('p50'),
      delayP99Ms: delayMs('p99'),
    });
  }
  const { sent, failed, p50Ms, p99Ms } = await steady.stop();
  const settled = samples.filter((_, n) => n >= SAMPLES * SETTLING);
  return [
    ...trendRows('heap', settled, ({ heapBytes }) => heapBytes),
    ...trendRows('resident', settled, ({ residentBytes }) => residentBytes),
    delayRow('p50', settled, ({ delayP50Ms }) => delayP50Ms),
    delayRow('p99', settled, ({ delayP99Ms }) => delayP99Ms),
    { what: 'new images: reviews', unit: '/s', digits: 0, values: [sent / (minutes * 60)] },
    { what: 'new images: p50 of a review', unit: 'ms', digits: 1, values: [p50Ms] },
    {
      what: 'new images: p99 of a review, forced collections and all',
      unit: 'ms',
      digits: 1,
      values: [p99Ms],
    },
    {
      what: 'new images: reviews not pinned',
      unit: '',
      digits: 0,
      values: [failed],
      goal: { atMost: 0 },
    },
  ];
}

function delayRow(name: string, samples: readonly Sample[], of: (sample: Sample) => number): Row {
  const what = `new images: event loop, ${name} (10 ms of it are the sampler's)`;
  return { what, unit: 'ms', digits: 1, values: samples.map(of) };
}

function trendRows(
  name: string,
  samples: readonly Sample[],
  of: (sample: Sample) => number,
): Row[] {
  const { slope, uncertainty } = trendOf(
    samples.map((sample) => [sample.atMinutes, of(sample) / 1000]),
  );
  return [
    {
      what: `new images: ${name}`,
      unit: 'MB',
      digits: 1,
      values: samples.map((sample) => of(sample) / 1e6),
    },
    {
      what: `new images: ${name}, trend`,
      unit: 'KB/min',
      digits: 0,
      values: [slope - uncertainty, slope, slope + uncertainty],
    },
    {
      what: `new images: ${name}, trend ÷ its uncertainty`,
      unit: '×',
      digits: 2,
      values: [slope / uncertainty],
      goal: { atMost: 1 },
    },
  ];
}
