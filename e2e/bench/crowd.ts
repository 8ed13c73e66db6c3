import { Agent, request as httpsRequest } from 'node:https';
import { setTimeout as delay } from 'node:timers/promises';

import type { LocalWebhook } from '../support/local-webhook.ts';
import { podOf, reviewOf } from './reviews.ts';

/** How often which answer was given. */
export type Answers = Readonly<Record<string, number>>;

/** Many reviews of many namespaces, over connections that stand. */
export interface Crowd {
  /** Asks for tags that nobody has asked for, of these hosts in turn. */
  readonly ask: (hosts: readonly string[]) => Promise<Answers>;
  readonly close: () => void;
}

export const CROWD = {
  reviews: 800,
  /** All at once, the first second would measure the processor. */
  ms: 4000,
  namespaces: 50,
  /** As many as an API server has under way (`--max-mutating-requests-inflight`). */
  atATime: 200,
} as const;

/** Brings it to a webhook, and lets each of its connections carry one review that needs nothing. */
export async function gatherCrowd({ port, authority }: LocalWebhook): Promise<Crowd> {
  const url = `https://127.0.0.1:${port}/admission/pin?timeout=10s`;
  const agent = new Agent({
    ca: authority,
    keepAlive: true,
    maxSockets: CROWD.atATime,
    maxFreeSockets: CROWD.atATime,
  });
  const pinned = `registry.example.com/app@sha256:${'0'.repeat(64)}`;
  await Promise.all(
    Array.from({ length: CROWD.atATime }, () => post(url, agent, bodyOf('crowd', pinned))),
  );
  return {
    ask: async (hosts) => {
      const answers = await Promise.all(
        Array.from({ length: CROWD.reviews }, async (_, n) => {
          await delay((n * CROWD.ms) / CROWD.reviews);
          const image = `${hosts[n % hosts.length]}/app:${n}`;
          return post(url, agent, bodyOf(`crowd-${n % CROWD.namespaces}`, image));
        }),
      );
      const counts: Record<string, number> = {};
      for (const answer of answers) counts[answer] = (counts[answer] ?? 0) + 1;
      return counts;
    },
    close: () => agent.destroy(),
  };
}

/** The review of a Pod of one image, of a revision that is its own. */
export function bodyOf(namespace: string, image: string): string {
  const object = podOf([image]);
  return JSON.stringify(reviewOf({ kind: 'Pod', resource: 'pods', namespace, object }));
}

/** The status of the answer; with the reasons for what is not pinned, without their numbers. */
function post(url: string, agent: Agent, body: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json' };
    const call = httpsRequest(url, { agent, method: 'POST', headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        const reasons = text.match(/\[[a-z_]+\]/g) ?? [];
        resolve(`${response.statusCode} ${[...new Set(reasons)].join(' ')}`.trim());
      });
    });
    call.on('error', reject);
    call.end(body);
  });
}
