import { mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';

import { beforeEach, describe, expect, it } from '@jest/globals';

import { PinError } from '../../src/errors.ts';
import { computeDigest } from '../../src/image/digest.ts';
import { type CachedLookup, createCache, type DigestCache } from '../../src/resolve/cache.ts';
import { createSnapshotKeeper, type SnapshotParts } from '../../src/snapshot/keeper.ts';
import { createSealing } from '../../src/snapshot/sealing.ts';
import { Files } from '../support/files.ts';
import { createRecordedLog } from '../support/recorded-log.ts';
import { until } from '../support/until.ts';

const KEY = Buffer.alloc(32, 1);
const STALE_MS = 3_600_000;
const MINUTE_MS = 60_000;
const APP = 'registry.example.com/app:1.0 anonymous';
const PRIVATE = 'registry.example.com/private:1.0 fingerprint-of-a-tenant';
const DAMAGED = 'it is damaged, or was written under another key or other settings of registries';

/** What passes between two processes, and what both have. */
let world: { unixMs: number; uptimeMs: number; bootId: string };

beforeEach(() => {
  world = { unixMs: 1_800_000_000_000, uptimeMs: 5_000_000, bootId: 'boot-1' };
});

function pass(ms: number): void {
  world.unixMs += ms;
  world.uptimeMs += ms;
}

/** A process: its cache, its clock, which begins with it, and its log. */
interface Process {
  readonly cache: DigestCache;
  readonly now: () => number;
  readonly keeper: ReturnType<typeof createSnapshotKeeper>;
  readonly lines: readonly string[];
  readonly results: readonly string[];
}

function start(file: string, change: Partial<SnapshotParts> = {}): Process {
  const startedAtMs = world.uptimeMs;
  const now = (): number => world.uptimeMs - startedAtMs;
  const cache = createCache({
    ttlMs: MINUTE_MS,
    staleIfErrorMs: STALE_MS,
    random: () => 0,
    maxDigests: 100,
  });
  const { log, lines } = createRecordedLog();
  const results: string[] = [];
  const keeper = createSnapshotKeeper({
    file,
    key: KEY,
    cache,
    everyMs: 0,
    maxBytes: 1_000_000,
    maxDigests: 1000,
    log,
    observe: (result) => void results.push(result),
    now,
    moment: () => ({
      unixMs: world.unixMs,
      boot: { id: world.bootId, uptimeMs: world.uptimeMs },
    }),
    ...change,
  });
  return { cache, now, keeper, lines, results };
}

function found(askedAtMs: number, of = 'app'): CachedLookup {
  const digest = computeDigest(Buffer.from(of));
  const host = 'registry.example.com';
  const lookup = { digest, mediaType: undefined, host, source: 'header', attempts: 1 } as const;
  return { lookup, askedAtMs };
}

/** A process that looked an image up at its start, and ended a second later. */
async function leaveSnapshot(file: string): Promise<Process> {
  const process = start(file);
  process.cache.keep(APP, found(process.now()));
  pass(1000);
  await process.keeper.stop();
  return process;
}

function knows({ cache, now }: Process, key = APP): number | undefined {
  const known = cache.stale(key, now());
  return known === undefined ? undefined : now() - known.askedAtMs;
}

describe('createSnapshotKeeper()', () => {
  it('hands digests from one process to the next with their age, for stale-if-error alone', async () => {
    await using files = new Files();
    const file = files.at('snapshot');
    await leaveSnapshot(file);
    pass(1000);
    const next = start(file);
    await next.keeper.restore();
    expect(next.cache.stale(APP, next.now())?.lookup).toEqual(found(0).lookup);
    expect(knows(next)).toBe(2000);
    // It is younger than digests are fresh.
    expect(next.cache.fresh(APP, next.now())).toBeUndefined();
    expect(next.lines).toEqual([
      `info snapshot read ${JSON.stringify({ file, ageMs: 1000, digests: 1 })}`,
    ]);
  });

  it('ends the life of a digest an hour after it was asked for, over any number of restarts', async () => {
    await using files = new Files();
    const file = files.at('snapshot');
    await leaveSnapshot(file);
    pass(30 * MINUTE_MS);
    const second = start(file);
    await second.keeper.restore();
    second.cache.keep(PRIVATE, found(second.now(), 'private'));
    await second.keeper.stop();
    pass(29 * MINUTE_MS);
    const third = start(file);
    await third.keeper.restore();
    expect(knows(third)).toBe(59 * MINUTE_MS + 1000);
    pass(MINUTE_MS);
    expect(knows(third)).toBeUndefined();
    const fourth = start(file);
    await fourth.keeper.restore();
    expect(knows(fourth)).toBeUndefined();
    expect(knows(fourth, PRIVATE)).toBe(30 * MINUTE_MS);
  });

  it('keeps what was restored until a registry answers', async () => {
    await using files = new Files();
    const file = files.at('snapshot');
    await leaveSnapshot(file);
    const next = start(file);
    await next.keeper.restore();
    const times = { askedAtMs: next.now(), nowMs: next.now() };
    next.cache.keepFailure(APP, new PinError('unavailable', 'away'), times);
    expect(knows(next)).toBe(0 + 1000);
    next.cache.keepFailure(APP, new PinError('not_found', 'gone'), times);
    expect(knows(next)).toBeUndefined();
    await next.keeper.stop();
    const last = start(file);
    await last.keeper.restore();
    expect(knows(last)).toBeUndefined();
  });

  it.each<[string, () => void, number | undefined]>([
    ['went back', () => void (world.unixMs -= 2 * STALE_MS), 11_000],
    ['went forward', () => void (world.unixMs += STALE_MS), undefined],
    [
      'went back while the machine was started anew',
      () => {
        world.unixMs -= MINUTE_MS;
        world.bootId = 'boot-2';
      },
      undefined,
    ],
    ['is right, and the machine was started anew', () => void (world.bootId = 'boot-2'), 11_000],
  ])('makes nothing younger where the clock %s', async (_what, change, expected) => {
    await using files = new Files();
    const file = files.at('snapshot');
    await leaveSnapshot(file);
    pass(10_000);
    change();
    const next = start(file);
    await next.keeper.restore();
    expect(knows(next)).toBe(expected);
  });

  it('says so where the clock tells nothing', async () => {
    await using files = new Files();
    const file = files.at('snapshot');
    await leaveSnapshot(file);
    world = { ...world, unixMs: 1, bootId: 'boot-2' };
    const next = start(file);
    await next.keeper.restore();
    const reason = 'the clock is behind the time at which it was written';
    expect(next.lines).toEqual([`warn snapshot not used ${JSON.stringify({ file, reason })}`]);
  });

  it('is content with a file that is not there yet', async () => {
    await using files = new Files();
    const file = files.at('snapshot');
    const first = start(file);
    await first.keeper.restore();
    expect(first.lines).toEqual([`info no snapshot yet ${JSON.stringify({ file })}`]);
  });

  it.each<[string, (file: string) => void, string]>([
    ['is cut off', (file) => truncateSync(file, 100), DAMAGED],
    ['is empty', (file) => truncateSync(file, 0), 'it is no snapshot'],
    ['is something else', (file) => writeFileSync(file, '{}'), 'it is no snapshot'],
    [
      'is of another version',
      (file) => writeFileSync(file, `tagpin snapshot 9\n${'x'.repeat(99)}`),
      'another version of tagpin wrote it',
    ],
    ['is too long', (file) => truncateSync(file, 1_000_001), 'it has more than 1000000 bytes'],
    [
      'has other lines',
      (file) => {
        const { begin, add, end } = createSealing(KEY);
        writeFileSync(file, Buffer.concat([begin(), add('lines\n'), end()]));
      },
      'a line of it is not understood',
    ],
  ])('starts empty where the file %s, and says why', async (_what, spoil, reason) => {
    await using files = new Files();
    const file = files.at('snapshot');
    await leaveSnapshot(file);
    spoil(file);
    const next = start(file);
    await next.keeper.restore();
    expect(next.lines).toEqual([`warn snapshot not used ${JSON.stringify({ file, reason })}`]);
    expect(next.cache.size()).toBe(0);
  });

  it('starts empty where the path is no file', async () => {
    await using files = new Files();
    const next = start(files.directory);
    await next.keeper.restore();
    expect(next.lines).toEqual([expect.stringContaining('it is no file')]);
  });

  it('plants nothing of a file that is cut off at any byte', async () => {
    await using files = new Files();
    const file = files.at('snapshot');
    await leaveSnapshot(file);
    const whole = readFileSync(file);
    for (let length = whole.length - 1; length >= 0; length -= 1) {
      truncateSync(file, length);
      const next = start(file);
      // oxlint-disable-next-line no-await-in-loop -- each cut is one byte shorter
      await next.keeper.restore();
      expect(next.cache.size()).toBe(0);
    }
  });

  it('takes nothing that was written under another key, and tells nothing without it', async () => {
    await using files = new Files();
    const file = files.at('snapshot');
    await leaveSnapshot(file);
    expect(readFileSync(file).includes('registry.example.com')).toBe(false);
    const stranger = start(file, { key: Buffer.alloc(32, 2) });
    await stranger.keeper.restore();
    expect(stranger.cache.size()).toBe(0);
    expect(stranger.lines).toEqual([expect.stringContaining(DAMAGED)]);
  });

  it('writes from time to time, where something was looked up or refused', async () => {
    await using files = new Files();
    const file = files.at('snapshot');
    const process = start(file, { everyMs: 1 });
    process.keeper.start();
    process.cache.keep(APP, found(0));
    await until(() => process.results.length === 1);
    process.cache.keep(PRIVATE, found(0, 'private'));
    await until(() => process.results.length === 2);
    await process.keeper.stop();
    expect(process.results).toEqual(['written', 'written']);
    const next = start(file);
    await next.keeper.restore();
    expect([knows(next), knows(next, PRIVATE)]).toEqual([0, 0]);
  });

  it('writes nothing where nothing has changed, at the end neither', async () => {
    await using files = new Files();
    const file = files.at('snapshot');
    const process = start(file);
    process.cache.keepFailure(APP, new PinError('unavailable', 'away'), { askedAtMs: 0, nowMs: 0 });
    await process.keeper.stop();
    expect(process.results).toEqual([]);
    expect(readdirSync(files.directory)).toEqual([]);
  });

  it('tells once that it cannot write, counts each time, goes on, and tells when it can', async () => {
    await using files = new Files();
    const file = files.at('volume/snapshot');
    const process = start(file, { everyMs: 1 });
    process.cache.keep(APP, found(0));
    process.keeper.start();
    await until(() => process.results.length >= 3);
    mkdirSync(files.at('volume'));
    await until(() => process.results.includes('written'));
    await process.keeper.stop();
    expect(process.results.slice(0, 3)).toEqual(['failed', 'failed', 'failed']);
    expect(process.lines).toEqual([
      expect.stringMatching(/^warn snapshot not written .*ENOENT/),
      `info snapshot written again ${JSON.stringify({ file })}`,
    ]);
  });

  it('leaves the least used digests out of a file that would be too long', async () => {
    await using files = new Files();
    const file = files.at('snapshot');
    const process = start(file, { maxBytes: 500 });
    for (const key of ['a', 'b', 'c', 'd']) process.cache.keep(key, found(0));
    process.cache.fresh('a', 0);
    await process.keeper.stop();
    expect(readFileSync(file).length).toBeLessThanOrEqual(500);
    const next = start(file, { maxBytes: 500 });
    await next.keeper.restore();
    expect(['a', 'b', 'c', 'd'].filter((key) => knows(next, key) !== undefined)).toEqual([
      'a',
      'c',
      'd',
    ]);
  });
});
