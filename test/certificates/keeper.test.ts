import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';

import { createCertificateKeeper, paceOf } from '../../src/certificates/keeper.ts';
import type { ReplicaParts } from '../../src/certificates/replica.ts';
import { PinError } from '../../src/errors.ts';
import { bareEntry, CertificateCluster, paperIssuer } from '../support/certificate-cluster.ts';
import { createRecordedLog } from '../support/recorded-log.ts';
import { until } from '../support/until.ts';

const HOUR_MS = 3_600_000;
const LIFETIMES = { leafMs: 168 * HOUR_MS, authorityMs: 8760 * HOUR_MS };
const POLL_MS = 10_000;

interface Kept {
  readonly cluster: CertificateCluster;
  readonly lines: readonly string[];
  readonly used: unknown[];
  readonly expiries: [string, number][];
  readonly entries: number[];
  reads: number;
}

function keep(read?: (kept: Kept) => ReturnType<ReplicaParts['read']>) {
  const { log, lines } = createRecordedLog();
  const cluster = new CertificateCluster([bareEntry()]);
  const kept: Kept = { cluster, lines, used: [], expiries: [], entries: [], reads: 0 };
  const keeper = createCertificateKeeper({
    read: () => {
      kept.reads += 1;
      return read === undefined ? cluster.read() : read(kept);
    },
    issuer: paperIssuer(),
    names: ['a.svc'],
    lifetimes: LIFETIMES,
    use: (pair) => kept.used.push(pair),
    knowTokens: () => undefined,
    observeExpiry: (...expiry) => kept.expiries.push(expiry),
    observeEntries: (entries) => kept.entries.push(entries.length),
    log,
    now: () => cluster.nowMs,
  });
  return { kept, keeper };
}

beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask', 'performance'] });
});
afterEach(() => {
  jest.useRealTimers();
});

/** One more look, and its end: each ends with a new wait. */
async function nextLook(ms: number): Promise<void> {
  jest.advanceTimersByTime(ms);
  await until(() => jest.getTimerCount() === 1);
}

describe('createCertificateKeeper()', () => {
  it('has a certificate after its first look, and tells when it and its authority expire', async () => {
    const { kept, keeper } = keep();
    expect(keeper.isLoaded()).toBe(false);
    await keeper.start();
    expect(keeper.isLoaded()).toBe(true);
    expect(kept.used).toHaveLength(1);
    const now = kept.cluster.nowMs;
    expect(kept.expiries).toEqual([
      ['serving', (now + LIFETIMES.leafMs) / 1000],
      ['authority', (now + LIFETIMES.authorityMs) / 1000],
    ]);
    keeper.stop();
  });

  it('changes nothing for as long as all is well, and makes both anew in time', async () => {
    const { kept, keeper } = keep();
    await keeper.start();
    const { writes } = kept.cluster;
    await nextLook(POLL_MS);
    expect(kept.cluster.writes).toBe(writes);
    kept.cluster.nowMs += (LIFETIMES.leafMs * 2) / 3;
    await nextLook(POLL_MS);
    expect(kept.used).toHaveLength(2);
    for (let days = 0; days < 300; days += 1) {
      kept.cluster.nowMs += 24 * HOUR_MS;
      await nextLook(POLL_MS);
    }
    expect(kept.cluster.state?.generations).toHaveLength(2);
    expect(kept.expiries.at(-1)?.[1]).toBeGreaterThan(kept.cluster.nowMs / 1000 + 200 * 86_400);
    keeper.stop();
  });

  it('says once what goes wrong, goes on, and says so again after it went well', async () => {
    let fails = true;
    const { kept, keeper } = keep(async ({ cluster }) => {
      if (fails) throw new PinError('cluster_unreadable', 'the API server did not answer');
      return cluster.read();
    });
    await keeper.start();
    await nextLook(1000);
    expect(kept.reads).toBe(2);
    expect(kept.lines.filter((line) => line.startsWith('error'))).toHaveLength(1);
    fails = false;
    await nextLook(1000);
    expect(keeper.isLoaded()).toBe(true);
    fails = true;
    await nextLook(POLL_MS);
    expect(kept.lines.filter((line) => line.startsWith('error'))).toHaveLength(2);
    expect(keeper.isLoaded()).toBe(true);
    keeper.stop();
  });

  it('says once that nobody calls, and looks again soon', async () => {
    const { kept, keeper } = keep();
    const { entries } = kept.cluster;
    kept.cluster.replaceEntries([]);
    await keeper.start();
    await nextLook(1000);
    const said = (): number => kept.lines.filter((line) => line.includes('calls tagpin')).length;
    expect(said()).toBe(1);
    expect(keeper.isLoaded()).toBe(true);
    kept.cluster.replaceEntries(entries);
    await nextLook(1000);
    expect(kept.cluster.entries[0]?.bundle).toHaveLength(1);
    expect([kept.entries[0], kept.entries.at(-1)]).toEqual([0, 1]);
    kept.cluster.replaceEntries([]);
    await nextLook(POLL_MS);
    expect(said()).toBe(2);
    keeper.stop();
  });

  it('gives up a round in which others are always faster, and tries again', async () => {
    const { kept, keeper } = keep(async ({ cluster }) => {
      const reading = await cluster.read();
      return { ...reading, store: async () => false };
    });
    await keeper.start();
    expect(kept.lines.at(-1)).toContain('Cannot keep up');
    expect(jest.getTimerCount()).toBe(1);
    keeper.stop();
  });

  it('logs neither a key nor a token', async () => {
    const { kept, keeper } = keep();
    await keeper.start();
    const { token = '' } = kept.cluster.state?.generations[0] ?? {};
    expect(token).toMatch(/^[0-9a-f]{64}$/);
    expect(kept.lines.join('\n')).not.toContain(token);
    keeper.stop();
  });

  it('looks no more when it is stopped', async () => {
    const { keeper } = keep();
    await keeper.start();
    keeper.stop();
    expect(jest.getTimerCount()).toBe(0);
  });
});

describe('paceOf()', () => {
  it.each([
    [LIFETIMES, 30_000, 10_000],
    [{ leafMs: 40_000, authorityMs: 60_000 }, 6000, 2000],
  ])('of %j settles within %i ms and looks every %i', (lifetimes, settleMs, pollMs) => {
    expect(paceOf(lifetimes)).toMatchObject({ settleMs, pollMs });
  });
});
