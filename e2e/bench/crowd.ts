import { Agent } from 'node:https';
import { setTimeout as delay } from 'node:timers/promises';

import type { LocalWebhook } from '../support/local-webhook.ts';
import { pinUrl, post } from './post.ts';
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
export async function gatherCrowd(webhook: LocalWebhook): Promise<Crowd> {
  const url = pinUrl(webhook);
  const agent = new Agent({
    ca: webhook.authority,
    keepAlive: true,
    maxSockets: CROWD.atATime,
    maxFreeSockets: CROWD.atATime,
  });
  const pinned = `registry.example.com/app@sha256:${'0'.repeat(64)}`;
  await Promise.all(
    Array.from({ length: CROWD.atATime }, () => ask(url, agent, bodyOf('crowd', pinned))),
  );
  return {
    ask: async (hosts) => {
      const answers = await Promise.all(
        Array.from({ length: CROWD.reviews }, async (_, n) => {
          await delay((n * CROWD.ms) / CROWD.reviews);
          const image = `${hosts[n % hosts.length]}/app:${n}`;
          return ask(url, agent, bodyOf(`crowd-${n % CROWD.namespaces}`, image));
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
async function ask(url: string, agent: Agent, body: string): Promise<string> {
  const { status, text } = await post(url, agent, body);
  const reasons = text.match(/\[[a-z_]+\]/g) ?? [];
  return `${status} ${[...new Set(reasons)].join(' ')}`.trim();
}
