import { mkdtempSync, rmSync } from 'node:fs';
import { Agent } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { type LocalWebhook, startLocalWebhook } from '../support/local-webhook.ts';
import { startFarRegistry } from './far-registry.ts';
import { pinUrl, post } from './post.ts';
import type { Part } from './result.ts';
import { podReview, reviewOf } from './reviews.ts';

/**
 * What a registry is asked where many Pods of the same images are made at once, none of which is in
 * the cache: each tag once, whoever else waits for it.
 */
const REVIEWS = 500;
const IMAGES = 3;
const ROUNDS = 5;
const ROUND_TRIP_MS = 40;
const REPOSITORIES = Array.from({ length: IMAGES }, (_, n) => `team/app-${n}`);
/** Another one in each round; the first makes the connections, and gets the tokens. */
const TAGS = Array.from({ length: 1 + ROUNDS }, (_, n) => `1.${n}`);

/** How a herd was answered. */
export interface Herd {
  /** To the registry and its token server. */
  readonly requests: number;
  readonly ms: number;
}

export const benchHerd: Part = async () => {
  const herds = await measureHerds(ROUNDS);
  return {
    part: 'herd',
    text: `${REVIEWS} reviews at once, each over a connection of its own that stands, of Pods of the same ${IMAGES} images, none of them cached; a registry ${ROUND_TRIP_MS} ms away, with its connection and tokens warm. All reviews came out pinned; ${ROUNDS} rounds, each of other tags.`,
    rows: [
      {
        what: 'requests to the registry',
        unit: '',
        digits: 0,
        values: herds.map(({ requests }) => requests),
        goal: { atMost: IMAGES },
      },
      {
        what: 'from the first review to the last answer',
        unit: 'ms',
        digits: 0,
        values: herds.map(({ ms }) => ms),
      },
    ],
  };
};

/** @throws Error where a review comes out without its three pins */
export async function measureHerds(rounds: number): Promise<readonly Herd[]> {
  const directory = mkdtempSync(join(tmpdir(), 'tagpin-herd-'));
  await using started = new AsyncDisposableStack();
  started.defer(() => rmSync(directory, { recursive: true }));
  const registry = await startFarRegistry({
    directory,
    repositories: REPOSITORIES,
    tags: TAGS.slice(0, 1 + rounds),
    roundTripMs: ROUND_TRIP_MS,
  });
  started.defer(registry.stop);
  process.env['NODE_EXTRA_CA_CERTS'] = registry.authorityFile;
  const webhook = await startLocalWebhook(['--cache-ttl=1h']);
  started.defer(webhook.stop);
  const agent = new Agent({ ca: webhook.authority, keepAlive: true, maxFreeSockets: REVIEWS });
  started.defer(() => agent.destroy());
  const { host } = await registry.anotherHost();
  const imagesOf = (tag: string): string[] => REPOSITORIES.map((name) => `${host}/${name}:${tag}`);
  const herds: Herd[] = [];
  for (const tag of TAGS.slice(0, 1 + rounds)) {
    // As many connections as reviews, that stand: the herd is not held up by handshakes.
    await sendAll(webhook, agent, nothingToDo());
    const before = registry.requests.length;
    const startedAtMs = performance.now();
    const answers = await sendAll(webhook, agent, reviewsOf(imagesOf(tag)));
    const ms = performance.now() - startedAtMs;
    answers.forEach(requirePins);
    herds.push({ requests: registry.requests.length - before, ms });
  }
  return herds.slice(1);
}

/** Of Pods of nobody, in fifty namespaces. */
function reviewsOf(images: readonly string[]): string[] {
  const pod = podReview(images) as { readonly request: object };
  return Array.from({ length: REVIEWS }, (_, n) =>
    JSON.stringify({ ...pod, request: { ...pod.request, namespace: `herd-${n % 50}` } }),
  );
}

function nothingToDo(): string[] {
  const body = JSON.stringify(reviewOf({ kind: 'ConfigMap', resource: 'configmaps', object: {} }));
  return Array.from({ length: REVIEWS }, () => body);
}

async function sendAll(
  webhook: LocalWebhook,
  agent: Agent,
  bodies: readonly string[],
): Promise<string[]> {
  const url = pinUrl(webhook);
  const answers = await Promise.all(bodies.map((body) => post(url, agent, body)));
  return answers.map(({ text }) => text);
}

function requirePins(answer: string): void {
  const { response } = JSON.parse(answer) as { readonly response?: { readonly patch?: string } };
  const patch = Buffer.from(response?.patch ?? '', 'base64').toString();
  const pins = patch.match(/@sha256:/g)?.length ?? 0;
  if (pins < IMAGES) throw new Error(`A review of the herd was answered ${answer}`);
}
