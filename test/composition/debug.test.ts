import { once } from 'node:events';
import type { AddressInfo } from 'node:net';

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

import { composeDebugMemory, composeDebugServer } from '../../src/composition/debug.ts';
import type { Engine } from '../../src/composition/engine.ts';
import { SERVE_SETTINGS } from '../../src/config.ts';
import type { Overview } from '../../src/debug/overview.ts';
import { PinError } from '../../src/errors.ts';
import { createMetrics } from '../../src/server/metrics.ts';
import { readSettings } from '../../src/settings/setting.ts';
import { admissionReport } from '../support/debug.ts';
import { createRecordedLog } from '../support/recorded-log.ts';

const PASSWORD = 'canary-of-the-shared-cache';
const settings = readSettings(SERVE_SETTINGS, {
  flags: {
    debugListen: '127.0.0.1:0',
    sharedCache: `rediss://tagpin:${PASSWORD}@cache.example.com`,
    cacheTtl: '90s',
    cluster: 'false',
    skip: 'kind.local/*',
  },
  environment: {},
});

let metrics: ReturnType<typeof createMetrics>;
let memory: NonNullable<ReturnType<typeof composeDebugMemory>>;
let server: ReturnType<typeof composeDebugServer>;
/** Look-ups that wait to be answered, with whose credentials. */
let asked: { readonly identity: unknown; readonly end: (error?: PinError) => void }[];
let origin: string;

beforeEach(async () => {
  asked = [];
  metrics = createMetrics({
    version: '1',
    cacheEntries: () => 7,
    lostLogBytes: () => 0,
    now: () => performance.now(),
  });
  const composed = composeDebugMemory(settings, metrics);
  if (composed === undefined) throw new Error('it is switched off');
  memory = composed;
  const resolver: Pick<ReturnType<Engine['toldTo']>, 'resolve'> = {
    resolve: (_reference, { identity }) =>
      new Promise((resolve) => {
        const end = (error = new PinError('not_found', 'it is not there')): void => resolve(error);
        asked.push({ identity, end });
      }),
  };
  server = composeDebugServer(settings, memory, {
    version: '1',
    engine: {
      toldTo: () => resolver,
      placesOf: () => ({ limit: 16, inFlight: 0, waiting: 0 }),
    } as unknown as Engine,
    reader: { readSecret: async () => undefined, readPullSecretNames: async () => [] },
    cache: { size: () => 7 },
    notReady: () => [],
    log: createRecordedLog().log,
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

function explain(change: object = {}): Promise<Response> {
  const body = JSON.stringify({ namespace: 'shop', image: 'a/b:1', ...change });
  const headers = { 'content-type': 'application/json' };
  return fetch(`${origin}/debug/explain`, { method: 'POST', headers, body });
}

async function overview(): Promise<Overview> {
  return (await (await fetch(`${origin}/debug.json`)).json()) as Overview;
}

async function becomes(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
}

describe('composeDebugMemory()', () => {
  it('is none where the page is switched off', () => {
    expect(composeDebugMemory({ debugListen: undefined }, metrics)).toBeUndefined();
  });

  it('remembers what the metrics are told, and tells them', async () => {
    const told = memory.metrics;
    told.review(admissionReport());
    told.cacheResult('hit');
    told.registryRequest({ host: 'registry-1.docker.io', code: '200', ms: 1 });
    told.registryGated('docker.io', performance.now() + 60_000);
    told.certificateExpiry({ certificate: 'serving', source: 'files' }, 4_000_000_000);
    const seen = await overview();
    expect(seen.decisions).toMatchObject([{ namespace: 'shop', outcome: 'pinned' }]);
    expect(seen.cache).toEqual({ entries: 7, maxDigests: 30_000, results: { hit: 1 } });
    expect(seen.registries).toMatchObject([{ registry: 'docker.io', health: 'limited' }]);
    expect(seen.certificates).toMatchObject([{ expiresMs: 4_000_000_000_000 }]);
    const text = await metrics.text();
    for (const line of [
      'tagpin_admission_requests_total{mode="pin",kind="Pod",operation="CREATE",outcome="pinned"} 1',
      'tagpin_cache_requests_total{result="hit"} 1',
      'tagpin_registry_requests_total{registry="docker.io",code="200"} 1',
      'tagpin_registry_gated{registry="docker.io"} 1',
    ]) {
      expect(text).toContain(line);
    }
  });
});

describe('composeDebugServer()', () => {
  it('shows settings by their flags, and none that may hold a secret', async () => {
    const { settings: shown } = await overview();
    expect(shown).toMatchObject({
      '--cache-ttl': '90000ms',
      '--no-cluster': 'true',
      '--skip': 'kind.local/*',
    });
    for (const page of ['/debug', '/debug.json']) {
      expect(await (await fetch(origin + page)).text()).not.toContain(PASSWORD);
    }
  });

  it.each([
    [{}, { serviceAccount: 'default', pullSecrets: [] }],
    [{ serviceAccount: 'builder' }, { serviceAccount: 'builder', pullSecrets: [] }],
    [{ pullSecrets: 'a,b' }, { serviceAccount: undefined, pullSecrets: ['a', 'b'] }],
  ])('looks up for who is named: %j', async (change, identity) => {
    const answer = explain(change);
    await becomes(() => asked.length === 1);
    expect(asked[0]?.identity).toMatchObject({ namespace: 'shop', ...identity });
    asked[0]?.end();
    expect(await (await answer).json()).toMatchObject({
      namespace: 'shop',
      outcome: 'failed',
      reason: 'not_found',
    });
  });

  it('asks nobody at a browser to have more rights: those of the webhook count', async () => {
    const answer = explain();
    await becomes(() => asked.length === 1);
    asked[0]?.end(new PinError('forbidden_secret', 'the API server answered 403'));
    const { advice } = (await (await answer).json()) as { readonly advice: string };
    expect(advice).toContain('--namespace shop --clusterrole tagpin-pull-secret-reader');
    expect(advice).not.toMatch(/run this as|--user/);
  });

  it('explains one image at a time, and the next one when that is done', async () => {
    const first = explain();
    await becomes(() => asked.length === 1);
    const second = await explain();
    expect([second.status, await second.json()]).toMatchObject([503, { reason: 'overloaded' }]);
    asked[0]?.end();
    expect((await first).status).toBe(200);
    const next = explain();
    await becomes(() => asked.length === 2);
    asked[1]?.end();
    expect((await next).status).toBe(200);
  });
});
