import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import { describe, expect, it } from '@jest/globals';

import { createCountingRegistry, type RegistryCounts } from '../../e2e/simulation/registry.ts';
import { clusterOf, type Scenario } from '../../e2e/simulation/scenario.ts';
import { simulate } from '../../e2e/simulation/simulation.ts';
import { type LocalWebhook, startLocalWebhook } from '../../e2e/support/local-webhook.ts';

const HOUR_MS = 3_600_000;

/** Small enough to be played against real processes; no Pods are listed, as they have no cluster. */
const SMALL: Scenario = {
  ...clusterOf(10),
  namespaces: 4,
  workloads: 12,
  replicasPerWorkload: 3,
  tags: 20,
  podsPerHour: 50,
  rolloutsPerHour: 5,
  restartsPerHour: 5,
  appliesPerHour: 5,
  pinnedShare: 0.5,
  accounts: 0,
  siblings: 'memory',
  replicas: 2,
  tokenLifeS: 3600,
  warmUpMs: 0,
  measuredMs: HOUR_MS,
};

interface Played {
  readonly replica: number;
  readonly review: unknown;
  readonly answer: unknown;
}

/** The simulation's registry, over HTTP. */
async function startCountingRegistry(tokenLifeS: number) {
  const registry = createCountingRegistry(tokenLifeS);
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '', `http://${request.headers.host}`);
    const { authorization } = request.headers;
    const told = registry.answer({ method: request.method ?? '', url, authorization });
    response.writeHead(told.status, told.headers).end(told.body);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    counts: (): RegistryCounts | undefined => [...registry.counts.values()][0],
    [Symbol.asyncDispose]: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** What an answer does to the object and says to its user; the note for the audit log tells ages as well. */
function effectOf(answer: unknown): unknown {
  const { uid, allowed, patch, warnings } = answer as Partial<Record<string, unknown>>;
  return { uid, allowed, patch, warnings };
}

/** Sends the reviews that a simulation saw to real processes, in their order: the effects of the answers. */
async function effectsOf(
  played: readonly Played[],
  webhooks: readonly LocalWebhook[],
): Promise<unknown[]> {
  const effects: unknown[] = [];
  for (const { replica, review } of played) {
    // oxlint-disable-next-line no-await-in-loop -- one review after the other
    const answer = await webhooks[replica]?.send('pin', review);
    effects.push(effectOf(answer?.response));
  }
  return effects;
}

describe('simulate()', () => {
  it.each([
    ['where nothing expires', '1h', {}],
    // CronJobs begin at the same moment, and in the simulation a moment has no length.
    [
      'where everything has expired by the next review',
      '1ms',
      { replicas: 1, mix: { replicas: 0.6, cronJobs: 0, ownJobs: 0.4 }, registryLatencyMs: 1 },
    ],
  ] as const)(
    'asks registries as often as real processes are seen to, %s, with the same answers',
    async (_title, cacheTtl, changes) => {
      const cacheTtlMs = cacheTtl === '1h' ? HOUR_MS : 1;
      await using registry = await startCountingRegistry(SMALL.tokenLifeS);
      const { host } = registry;
      const scenario = { ...SMALL, ...changes, cacheTtlMs, hub: host, ownRegistry: host };
      const played: Played[] = [];
      const figures = await simulate(scenario, (replica, review, answer) =>
        played.push({ replica, review, answer }),
      );
      const settings = [`--plain-http=${host}`, `--cache-ttl=${cacheTtl}`, '--log-level=warn'];
      const starting = Array.from({ length: scenario.replicas }, () => startLocalWebhook(settings));
      const webhooks = await Promise.all(starting);
      try {
        const answers = await Promise.all(played.map(({ answer }) => answer));
        expect(await effectsOf(played, webhooks)).toEqual(answers.map(effectOf));
      } finally {
        await Promise.all(webhooks.map((webhook) => webhook.stop()));
      }
      const { manifests = 0, challenges = 0, tokens = 0 } = registry.counts() ?? {};
      expect({ manifests, requests: manifests + challenges + tokens }).toEqual({
        manifests: figures.manifests,
        requests: figures.requests,
      });
      expect(played.length).toBeGreaterThan(50);
      expect(manifests).toBeGreaterThan(20);
    },
    120_000,
  );
});
