import { beforeEach, describe, expect, it } from '@jest/globals';

import type { CachedLookup } from '../../src/resolve/cache.ts';
import { type Connection, RefusedByServer } from '../../src/shared-cache/connection.ts';
import { createSealing } from '../../src/shared-cache/sealed-digests.ts';
import { createSharedDigests } from '../../src/shared-cache/shared-digests.ts';
import { installationKeyOf } from '../support/installation-key.ts';
import { until } from '../support/until.ts';

const KEY = 'registry.example.com/app:1 anonymous';
const TTL_MS = 60_000;
const UNIX_MS = 1_700_000_000_000;
/** As much older than it says a digest counts. */
const CLOCKS_DIFFER_MS = 2000;
const SEALED_UNDER = createSealing(installationKeyOf('ours'), 'settings');

interface Written {
  readonly value: string;
  readonly ttlMs: number;
}

/** A server in memory, and replicas that began at different times, with clocks of their own. */
let entries: Map<string, Written>;
let observed: string[];
let linked: string[];
let passedMs: number;

beforeEach(() => {
  entries = new Map();
  observed = [];
  linked = [];
  passedMs = 0;
});

const SERVER: Connection = {
  read: async (name, maxChars) => (entries.get(name)?.value ?? '').slice(0, maxChars),
  write: async (name, value, ttlMs) => void entries.set(name, { value, ttlMs }),
  lost: new Promise(() => {}),
  close: () => {},
};

interface ReplicaOptions {
  readonly startedAtMs?: number;
  /** How much its clock is ahead. */
  readonly aheadMs?: number;
  readonly connection?: Connection | undefined;
  readonly ttlMs?: number;
}

function replica(options: ReplicaOptions = {}) {
  const { startedAtMs = 0, aheadMs = 0, ttlMs = TTL_MS } = options;
  const connection = 'connection' in options ? options.connection : SERVER;
  const now = (): number => passedMs - startedAtMs;
  const digests = createSharedDigests({
    link: {
      connection: () => connection,
      answered: () => linked.push('answered'),
      failed: (_which, why) => linked.push(String(why)),
    },
    sealedUnder: SEALED_UNDER,
    ttlMs,
    now,
    wallClock: () => UNIX_MS + passedMs + aheadMs,
    observe: (operation, result) => observed.push(`${operation} ${result}`),
  });
  return { ...digests, now };
}

function lookupAt(askedAtMs: number): CachedLookup {
  const digest = `sha256:${'1'.repeat(64)}` as const;
  const host = 'registry.example.com';
  return {
    lookup: { digest, mediaType: 'm', host, attempts: 1, source: 'header' },
    askedAtMs,
  };
}

function failing(error: Error): Connection {
  return {
    ...SERVER,
    read: async () => {
      throw error;
    },
  };
}

/** Told by a replica whose look-up began now, with its clock so far ahead. */
async function told(aheadMs: number = 0): Promise<void> {
  const teller = replica({ aheadMs });
  teller.keep(KEY, lookupAt(teller.now()));
  await until(() => observed.includes('write written'));
  observed.length = 0;
}

describe('createSharedDigests()', () => {
  it('gives another replica what one found, with its age on the clock of that one', async () => {
    passedMs = 5000;
    await told();
    passedMs = 15_000;
    const found = await replica({ startedAtMs: 8000 }).find(KEY);
    const { lookup } = lookupAt(0);
    expect(found).toEqual({
      lookup: { ...lookup, source: 'shared' },
      askedAtMs: 5000 - 8000 - CLOCKS_DIFFER_MS,
    });
    expect(observed).toEqual(['read hit']);
  });

  it('knows nothing of another key', async () => {
    await told();
    expect(await replica().find(`${KEY}x`)).toBeUndefined();
    expect(observed).toEqual(['read miss']);
  });

  it.each([
    ['while it is fresh', TTL_MS - CLOCKS_DIFFER_MS - 1, 0, 'read hit'],
    [
      'not when it no longer is, though it was put back',
      TTL_MS - CLOCKS_DIFFER_MS,
      0,
      'read outdated',
    ],
    ['from a clock that is a little ahead', 0, CLOCKS_DIFFER_MS, 'read hit'],
    ['not from one that is further ahead', 0, CLOCKS_DIFFER_MS + 1, 'read outdated'],
  ])('believes what is told %s', async (...[, laterMs, aheadMs, result]) => {
    await told(aheadMs);
    passedMs += laterMs;
    await replica().find(KEY);
    expect(observed).toEqual([result]);
  });

  it('never makes a digest younger than it is, however the clocks differ within their bound', async () => {
    await told(CLOCKS_DIFFER_MS);
    const found = await replica().find(KEY);
    expect(found?.askedAtMs).toBeLessThanOrEqual(0);
  });

  it('writes for the rest of the fresh time, and not what is no longer fresh', async () => {
    const teller = replica();
    passedMs = 10_000;
    teller.keep(KEY, lookupAt(3000));
    expect([...entries.values()]).toMatchObject([{ ttlMs: TTL_MS - 7000 }]);
    passedMs = 3000 + TTL_MS;
    entries.clear();
    teller.keep(KEY, lookupAt(3000));
    expect(entries.size).toBe(0);
  });

  it('does not believe what no replica wrote', async () => {
    entries.set(SEALED_UNDER(KEY).name, { value: 'planted', ttlMs: 1 });
    expect(await replica().find(KEY)).toBeUndefined();
    expect(observed).toEqual(['read rejected']);
    expect(linked).toEqual(['answered']);
  });

  it('does not believe what is longer than any value, of which it reads no more', async () => {
    await told();
    const { name } = SEALED_UNDER(KEY);
    const asked: number[] = [];
    const value = (entries.get(name)?.value ?? '').padEnd(1_000_000, 'A');
    entries.set(name, { value, ttlMs: 1 });
    const read: Connection['read'] = (one, maxChars) => {
      asked.push(maxChars);
      return SERVER.read(one, maxChars);
    };
    expect(await replica({ connection: { ...SERVER, read } }).find(KEY)).toBeUndefined();
    expect(asked).toEqual([2049]);
    expect(observed).toEqual(['read rejected']);
  });

  it('does without while the server is left alone', async () => {
    const alone = replica({ connection: undefined });
    expect(await alone.find(KEY)).toBeUndefined();
    alone.keep(KEY, lookupAt(0));
    expect(observed).toEqual(['read skipped', 'write skipped']);
    expect(linked).toEqual([]);
  });

  it('does not wait for a server that is silent', async () => {
    const silent: Connection = {
      ...SERVER,
      read: () => new Promise(() => {}),
      write: () => new Promise(() => {}),
    };
    const patient = replica({ connection: silent });
    patient.keep(KEY, lookupAt(0));
    expect(await patient.find(KEY)).toBeUndefined();
    await until(() => observed.length === 2);
    expect(observed.toSorted()).toEqual(['read error', 'write error']);
    expect(linked).toEqual(Array(2).fill('Error: no answer within 50 ms'));
  });

  it('counts a broken connection against it, and a refusal as an answer', async () => {
    await replica({ connection: failing(new Error('reset')) }).find(KEY);
    await replica({ connection: failing(new RefusedByServer('it answered NOPERM')) }).find(KEY);
    expect(observed).toEqual(['read error', 'read error']);
    expect(linked).toEqual(['Error: reset', 'answered']);
  });
});
