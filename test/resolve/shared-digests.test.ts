import { beforeEach, describe, expect, it } from '@jest/globals';

import { PinError } from '../../src/errors.ts';
import type { Digest } from '../../src/image/digest.ts';
import { parseReference } from '../../src/image/reference.ts';
import type { Lookup } from '../../src/registry/client.ts';
import { type CachedLookup, createCache, type DigestCache } from '../../src/resolve/cache.ts';
import { createFlights, type Flights, type Target } from '../../src/resolve/flights.ts';
import { createLimits } from '../../src/resolve/limits.ts';
import { until } from '../support/until.ts';

const KEY = 'registry.example.com/app:1 anonymous';
const OURS: Digest = `sha256:${'1'.repeat(64)}`;
const THEIRS: Digest = `sha256:${'2'.repeat(64)}`;

/** What the registry says now; asked so often. */
let registry: { answer: () => Promise<Lookup>; asked: number };
/** What another replica has told, and what was told to others. */
let told: CachedLookup | undefined;
let hold: Promise<void> | undefined;
let asked: string[];
let kept: [string, CachedLookup][];
let nowMs: number;
let cache: DigestCache;
let flights: Flights;

function lookup(digest: Digest, source: Lookup['source']): Lookup {
  return { digest, mediaType: undefined, source, host: 'registry.example.com', attempts: 1 };
}

beforeEach(() => {
  registry = { answer: async () => lookup(OURS, 'header'), asked: 0 };
  told = undefined;
  hold = undefined;
  asked = [];
  kept = [];
  nowMs = 100_000;
  const now = (): number => nowMs;
  cache = createCache({ ttlMs: 60_000, staleIfErrorMs: 3_600_000, random: () => 0 });
  const ask = async (): Promise<Lookup> => {
    registry.asked += 1;
    return registry.answer();
  };
  flights = createFlights({
    route: {
      lookup: ask,
      ask: () => Promise.reject(new Error('not here')),
      closedFor: async () => undefined,
    },
    cache,
    limits: createLimits(),
    sharedDigests: {
      find: async (key) => {
        asked.push(key);
        await hold;
        return told;
      },
      keep: (key, found) => void kept.push([key, found]),
    },
    now,
  });
});

async function digestOf(more: Partial<Target> = {}): Promise<string> {
  const target: Target = {
    reference: parseReference('registry.example.com/app:1'),
    access: { own: [], lent: [], fingerprint: 'anonymous' },
    key: KEY,
    namespace: 'team',
    deadlineAtMs: nowMs + 2000,
    notBeforeMs: undefined,
    ...more,
  };
  const found = await flights.join(target).ended;
  return found instanceof PinError ? found.code : found.lookup.digest;
}

describe('createFlights(), with replicas that share', () => {
  it('takes what another replica found, and remembers it with its age', async () => {
    told = { lookup: lookup(THEIRS, 'shared'), askedAtMs: nowMs - 20_000 };
    expect(await digestOf()).toBe(THEIRS);
    expect(registry.asked).toBe(0);
    expect(cache.fresh(KEY, nowMs)).toMatchObject(told);
    expect(cache.fresh(KEY, nowMs + 40_000)).toBeUndefined();
    // What was told is not told again.
    expect(kept).toEqual([]);
  });

  it('asks the registry for what nobody told, and tells', async () => {
    expect(await digestOf()).toBe(OURS);
    expect(asked).toEqual([KEY]);
    expect(kept).toEqual([[KEY, { lookup: lookup(OURS, 'header'), askedAtMs: nowMs }]]);
  });

  it('asks the others once for all who wait, and nobody for what is fresh', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    hold = promise;
    const all = ['one', 'two', 'one'].map((namespace) => digestOf({ namespace }));
    await until(() => asked.length > 0);
    resolve();
    expect(await Promise.all(all)).toEqual([OURS, OURS, OURS]);
    expect(await digestOf()).toBe(OURS);
    expect(asked).toEqual([KEY]);
    expect(registry.asked).toBe(1);
  });

  it('refreshes at the registry whatever the others say, and tells', async () => {
    told = { lookup: lookup(THEIRS, 'shared'), askedAtMs: nowMs };
    expect(await digestOf({ notBeforeMs: nowMs })).toBe(OURS);
    expect(asked).toEqual([]);
    expect(kept).toHaveLength(1);
  });

  it('refreshes at the registry though a digest of another replica came after the review', async () => {
    told = { lookup: lookup(THEIRS, 'shared'), askedAtMs: nowMs + 1 };
    expect(await digestOf()).toBe(THEIRS);
    nowMs += 1;
    expect(await digestOf({ notBeforeMs: nowMs - 1 })).toBe(OURS);
  });

  it('refreshes by itself while a look-up that began later waits for the others', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    hold = promise;
    told = { lookup: lookup(THEIRS, 'shared'), askedAtMs: nowMs - 1000 };
    const waiting = digestOf();
    await until(() => asked.length > 0);
    expect(await digestOf({ notBeforeMs: nowMs - 1 })).toBe(OURS);
    resolve();
    // The younger look-up is what is remembered.
    expect(await waiting).toBe(OURS);
    expect(cache.fresh(KEY, nowMs)).toMatchObject({ lookup: { digest: OURS } });
  });

  it('asks the registry where it refused after the others had its digest', async () => {
    registry.answer = () => Promise.reject(new PinError('not_found', 'it has no such tag'));
    expect(await digestOf()).toBe('not_found');
    told = { lookup: lookup(THEIRS, 'shared'), askedAtMs: nowMs - 1 };
    nowMs += 10_000;
    expect(await digestOf()).toBe('not_found');
    expect([asked.length, registry.asked]).toEqual([2, 2]);
  });

  it('tells no failure', async () => {
    registry.answer = () => Promise.reject(new PinError('not_found', 'it has no such tag'));
    expect(await digestOf()).toBe('not_found');
    expect(kept).toEqual([]);
  });
});
