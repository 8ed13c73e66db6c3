import { setTimeout as delay } from 'node:timers/promises';

import type { LocalWebhook } from '../support/local-webhook.ts';
import { sumSeries } from '../support/metrics.ts';
import { collectedMemory, type MemoryUse } from './inspected.ts';
import { inNamespace, podText } from './many-images.ts';
import { pinUrl } from './post.ts';
import type { Row } from './result.ts';
import { startSteadyLoad } from './steady-load.ts';
import { trendOf } from './trend.ts';

export const PER_SECOND = 500;
export const SAMPLES = 15;
/** Of the samples, until all that is bounded is full. */
const SETTLING = 0.25;

/** A webhook whose memory can be read. */
export interface Weighed {
  readonly webhook: LocalWebhook;
  readonly inspectorPort: number;
}

interface Sample extends MemoryUse {
  readonly atMinutes: number;
  /** As the webhook's own metrics tell it; the sampler's own interval of 10 ms is in it. */
  readonly delayP50Ms: number;
  readonly delayP99Ms: number;
}

interface NewImages {
  readonly host: string;
  /** The number of the first that was never seen. */
  readonly first: number;
  readonly minutes: number;
}

/** Images that were never seen, at an even rate. */
export async function reviewNewImages(
  { webhook, inspectorPort }: Weighed,
  { host, first, minutes }: NewImages,
): Promise<Row[]> {
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
