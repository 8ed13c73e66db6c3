import { describe, expect, it } from '@jest/globals';

import type { PodKeyring } from '../../src/credentials/pull-secrets.ts';
import { PinError } from '../../src/errors.ts';
import { parseReference } from '../../src/image/reference.ts';
import type { Lookup } from '../../src/registry/client.ts';
import { createCache } from '../../src/resolve/cache.ts';
import { createFlights } from '../../src/resolve/flights.ts';
import type { Limits } from '../../src/resolve/limits.ts';
import { createResolver } from '../../src/resolve/resolver.ts';
import type { Journey, Route } from '../../src/resolve/route.ts';

const REFERENCE = parseReference('registry.example.com/shop/web:1');
const FOUND: Lookup = {
  digest: `sha256:${'a'.repeat(64)}`,
  mediaType: undefined,
  source: 'header',
  host: 'registry.example.com',
  attempts: 1,
};

/** A resolver whose every wait takes a time of its own, on a clock that is moved by hand. */
function createWaits(answer: () => Lookup = () => FOUND) {
  let nowMs = 1000;
  const wait = async (ms: number): Promise<void> => {
    await Promise.resolve();
    nowMs += ms;
  };
  const keyring = {
    accessTo: () => ({ own: [], lent: [], fingerprint: 'none' }),
    problems: [],
  } as unknown as PodKeyring;
  const now = (): number => nowMs;
  const cache = createCache({ ttlMs: 60_000, staleIfErrorMs: 0, random: () => 0 });
  const flights = createFlights({
    cache,
    now,
    limits: {
      inNamespace: async (_who: unknown, act: () => Promise<unknown>) => {
        await wait(3);
        return act();
      },
      hold: async (_wish: unknown, act: () => Promise<unknown>) => {
        await wait(4);
        return act();
      },
      hasAnswered: () => {},
    } as unknown as Limits,
    route: {
      closedFor: async () => undefined,
      lookup: async ({ times }: Journey) => {
        await wait(20);
        if (times !== undefined) times.tokenMs += 20;
        await wait(30);
        return answer();
      },
    } as unknown as Route,
  });
  const resolver = createResolver({
    pullSecrets: {
      keyringOf: async () => {
        await wait(5);
        return keyring;
      },
      known: () => keyring,
      reread: async () => keyring,
    },
    flights,
    cache,
    now,
    observe: () => {},
  });
  const phases: Record<string, number> = {};
  const ask = (): ReturnType<typeof resolver.resolve> =>
    resolver.resolve(REFERENCE, {
      identity: { namespace: 'shop', pullSecrets: ['regcred'], serviceAccount: undefined },
      deadlineAtMs: nowMs + 10_000,
      notBeforeMs: undefined,
      observe: (reference, phase, ms) => {
        expect(reference).toBe(REFERENCE);
        phases[phase] = (phases[phase] ?? 0) + ms;
      },
    });
  return { ask, phases };
}

describe('createResolver()', () => {
  it('tells how long a look-up waited for secrets, its turn, a token and the rest', async () => {
    const { ask, phases } = createWaits();
    expect(await ask()).toMatchObject({ digest: FOUND.digest });
    expect(phases).toEqual({ secretMs: 5, queueMs: 7, tokenMs: 20, manifestMs: 30 });
  });

  it('tells the same of one that fails', async () => {
    const { ask, phases } = createWaits(() => {
      throw new PinError('not_found', 'it is not there');
    });
    expect(await ask()).toMatchObject({ code: 'not_found' });
    expect(phases).toEqual({ secretMs: 5, queueMs: 7, tokenMs: 20, manifestMs: 30 });
  });

  it('tells of what is in the cache that secrets were waited for, and nothing else', async () => {
    const { ask, phases } = createWaits();
    await ask();
    for (const phase of Object.keys(phases)) delete phases[phase];
    await ask();
    expect(phases).toEqual({ secretMs: 5 });
  });

  it('tells who joins a look-up on its way how long that still took', async () => {
    const { ask, phases } = createWaits();
    await Promise.all([ask(), ask()]);
    const { secretMs = 0, queueMs = 0, tokenMs = 0, manifestMs = 0 } = phases;
    expect(secretMs + queueMs + tokenMs + manifestMs).toBeGreaterThan(100);
    expect(Math.min(secretMs, queueMs, tokenMs, manifestMs)).toBeGreaterThan(0);
  });
});
