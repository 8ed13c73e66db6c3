import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { freePort } from '../support/free-port.ts';
import { startLocalWebhook } from '../support/local-webhook.ts';
import { collectedMemory, type MemoryUse } from './inspected.ts';
import { type LoadResult, load } from './load.ts';
import { fill, IMAGES, podText } from './many-images.ts';
import { PER_SECOND, reviewNewImages, SAMPLES, type Weighed } from './new-images.ts';
import { pinUrl } from './post.ts';
import type { Part, Row } from './result.ts';
import { interleaved } from './rounds.ts';
import { startTagRegistry } from './tag-registry.ts';

/**
 * What tagpin weighs: three of it that know 4, 10,000 and 100,000 references, all with room for
 * 100,000, are read from in turns. Then the last one, which is full, gets images that it has never
 * seen, for minutes. Each size has its number of Pods.
 */
const SIZES = { '4': 1, '10,000': 2500, '100,000': 25_000 } as const;
type Size = keyof typeof SIZES;
const CAPACITY = 100_000;
/** Each has answered so many reviews before anything is measured: compiled code takes memory too. */
const WARM_UP_SECONDS = 3;
const ROUNDS = 5;
const SECONDS = 2;
const CONNECTIONS = 8;
const MINUTES = 10;
const MAX_HEAP_MB = 60;

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
    const soaked = await reviewNewImages(weighed['100,000'], {
      host: registry.host,
      first: SIZES['100,000'] + 1,
      minutes,
    });
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
