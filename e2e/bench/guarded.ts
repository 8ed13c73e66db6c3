import { mkdtempSync, rmSync } from 'node:fs';
import { Agent } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { startSampleRegistry } from '../demo/sample-registry.ts';
import { freePort } from '../support/free-port.ts';
import { startLocalWebhook } from '../support/local-webhook.ts';
import { measureHerds } from './herd.ts';
import { collectedMemory } from './inspected.ts';
import { fill } from './many-images.ts';
import { pinUrl, post } from './post.ts';
import { processorMs } from './processor-time.ts';
import { podReview } from './reviews.ts';
import { interleaved } from './rounds.ts';
import { startCeiling } from './start-ceiling.ts';
import { startTagRegistry } from './tag-registry.ts';

/**
 * Three ratios of the benchmark that hold on a machine that is busy with other things: they count
 * requests, bytes, and the processor's time, which a crowded machine stretches for both sides.
 */
const TAGS = ['shop/web:1.4', 'shop/cart:2.0', 'library/cache:7'];
const ROUNDS = 3;
const REVIEWS = 2000;
const CONNECTIONS = 32;
/** Of four references each; between the two counts nothing grows but what is known. */
const FEW_PODS = 250;
const MANY_PODS = 1250;
const IMAGES_OF_A_POD = 4;

/**
 * The processor time of a warm review of three images, divided by that of express with a constant
 * answer. The least of each side: what is more came from somebody else.
 */
export async function warmCostOverCeiling(): Promise<number> {
  const directory = mkdtempSync(join(tmpdir(), 'tagpin-guard-'));
  await using started = new AsyncDisposableStack();
  started.defer(() => rmSync(directory, { recursive: true }));
  const registry = await startSampleRegistry(TAGS);
  started.defer(registry.close);
  const webhook = await startLocalWebhook([`--plain-http=${registry.host}`, '--cache-ttl=1h']);
  started.defer(webhook.stop);
  const body = podReview(TAGS.map((tag) => `${registry.host}/${tag}`));
  const answer = await webhook.send('pin', body);
  if (answer.response.patch === undefined) throw new Error('The webhook pinned nothing');
  const ceiling = await startCeiling(JSON.stringify(answer), directory);
  started.defer(ceiling.stop);
  const text = JSON.stringify(body);
  const url = pinUrl(webhook);
  // The first round compiles the code of both.
  const costs = await interleaved(1 + ROUNDS, {
    tagpin: () => processorMsOf(webhook.pid, () => sendMany(url, text)),
    ceiling: () => processorMsOf(ceiling.pid, () => sendMany(ceiling.url, text)),
  });
  return Math.min(...costs.tagpin.slice(1)) / Math.min(...costs.ceiling.slice(1));
}

async function processorMsOf(pid: number, act: () => Promise<void>): Promise<number> {
  const before = processorMs(pid);
  await act();
  return processorMs(pid) - before;
}

async function sendMany(url: string, text: string): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS, rejectUnauthorized: false });
  let left = REVIEWS;
  const worker = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      const { status } = await post(url, agent, text);
      if (status !== 200) throw new Error(`${url} answered ${status}`);
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, worker));
  agent.destroy();
}

/** How often a registry is asked for 500 reviews at once of the same three images. */
export async function requestsOfAHerd(): Promise<number> {
  const [herd] = await measureHerds(1);
  return herd?.requests ?? Number.NaN;
}

/** Heap after a forced collection, for each digest that is known more. */
export async function bytesOfAnEntry(): Promise<number> {
  await using started = new AsyncDisposableStack();
  const registry = await startTagRegistry();
  started.defer(registry.close);
  const inspectorPort = await freePort();
  const webhook = await startLocalWebhook(
    [`--plain-http=${registry.host}`, '--cache-ttl=10h', '--log-level=warn'],
    [`--inspect=127.0.0.1:${inspectorPort}`],
  );
  started.defer(webhook.stop);
  const heapAt = async (pods: number): Promise<number> => {
    await fill(webhook, registry.host, pods);
    return (await collectedMemory(inspectorPort)).heapBytes;
  };
  const few = await heapAt(FEW_PODS);
  const many = await heapAt(MANY_PODS);
  return (many - few) / ((MANY_PODS - FEW_PODS) * IMAGES_OF_A_POD);
}
