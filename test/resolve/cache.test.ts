import { describe, expect, it } from '@jest/globals';

import type { PinErrorCode } from '../../src/error-codes.ts';
import { PinError } from '../../src/errors.ts';
import type { Digest } from '../../src/image/digest.ts';
import { type CachedLookup, createCache, type DigestCache } from '../../src/resolve/cache.ts';

const NOW_MS = 1_000_000;
const TTL_MS = 60_000;
const STALE_MS = 600_000;
const KEY = 'registry.example.com/app:1.0 anonymous';

function cache(random = 0): DigestCache {
  return createCache({ ttlMs: TTL_MS, staleIfErrorMs: STALE_MS, random: () => random });
}

function found(askedAtMs: number, digest: Digest = 'sha256:1'): CachedLookup {
  const lookup = {
    digest,
    mediaType: undefined,
    host: 'r',
    source: 'header',
    attempts: 1,
  } as const;
  return { lookup, askedAtMs };
}

function failure(code: PinErrorCode): PinError {
  return new PinError(code, 'failed');
}

function at(askedAtMs: number): { askedAtMs: number; nowMs: number } {
  return { askedAtMs, nowMs: askedAtMs };
}

describe('createCache()', () => {
  it('knows a digest from the moment it was asked for, until its time has passed', () => {
    const { fresh, keep } = cache();
    expect(fresh(KEY, NOW_MS)).toBeUndefined();
    const known = found(NOW_MS);
    keep(KEY, known);
    expect(fresh(KEY, NOW_MS + TTL_MS - 1)).toStrictEqual(known);
    expect(fresh(KEY, NOW_MS + TTL_MS)).toBeUndefined();
    expect(fresh(`${KEY}x`, NOW_MS)).toBeUndefined();
  });

  it('knows the last digest for longer, for when a registry does not answer', () => {
    const { stale, keep } = cache();
    const known = found(NOW_MS);
    keep(KEY, known);
    expect(stale(KEY, NOW_MS + STALE_MS - 1)).toStrictEqual(known);
    expect(stale(KEY, NOW_MS + STALE_MS)).toBeUndefined();
  });

  it.each<[PinErrorCode, number]>([
    ['not_found', 5000],
    ['unauthorized', 5000],
    ['unsupported_manifest', 5000],
    ['rate_limited', 1000],
    ['unavailable', 1000],
    ['dns_failed', 1000],
    ['tls_failed', 1000],
    ['deadline_exceeded', 1000],
    ['invalid_response', 1000],
    ['blocked_address', 0],
    ['internal', 0],
  ])('remembers the failure "%s" for %i ms', (code, ttlMs) => {
    const { fresh, keepFailure, size } = cache();
    const error = failure(code);
    keepFailure(KEY, error, at(NOW_MS));
    expect(fresh(KEY, NOW_MS + ttlMs - 1)).toBe(ttlMs === 0 ? undefined : error);
    expect(fresh(KEY, NOW_MS + ttlMs)).toBeUndefined();
    expect(size()).toBe(ttlMs === 0 ? 0 : 1);
  });

  it.each<PinErrorCode>([
    'rate_limited',
    'unavailable',
    'dns_failed',
    'tls_failed',
    'deadline_exceeded',
  ])('keeps the last digest behind the failure "%s"', (code) => {
    const { fresh, stale, keep, keepFailure } = cache();
    const known = found(NOW_MS);
    keep(KEY, known);
    const laterMs = NOW_MS + TTL_MS;
    const error = failure(code);
    keepFailure(KEY, error, at(laterMs));
    expect(fresh(KEY, laterMs)).toBe(error);
    expect(stale(KEY, laterMs)).toStrictEqual(known);
    expect(fresh(KEY, laterMs + 1000)).toBeUndefined();
    expect(stale(KEY, laterMs + 1000)).toStrictEqual(known);
  });

  it.each<PinErrorCode>([
    'not_found',
    'unauthorized',
    'unsupported_manifest',
    'invalid_response',
    'blocked_address',
  ])('forgets the last digest over the failure "%s"', (code) => {
    const { fresh, stale, keep, keepFailure } = cache();
    const known = found(NOW_MS);
    keep(KEY, known);
    keepFailure(KEY, failure(code), at(NOW_MS + 1));
    expect(fresh(KEY, NOW_MS + 1)).not.toStrictEqual(known);
    expect(stale(KEY, NOW_MS + 1)).toBeUndefined();
  });

  it('prefers a digest that is fresh to a failure without an answer', () => {
    const { fresh, keep, keepFailure } = cache();
    const known = found(NOW_MS);
    keep(KEY, known);
    keepFailure(KEY, failure('rate_limited'), at(NOW_MS + 1));
    expect(fresh(KEY, NOW_MS + 1)).toStrictEqual(known);
  });

  it('takes a digest over the failure before it', () => {
    const { fresh, keep, keepFailure } = cache();
    keepFailure(KEY, failure('not_found'), at(NOW_MS));
    const known = found(NOW_MS + 1);
    keep(KEY, known);
    expect(fresh(KEY, NOW_MS + 1)).toStrictEqual(known);
  });

  it('takes the answer to the younger question, whichever comes first', () => {
    const { fresh, keep } = cache();
    const younger = found(NOW_MS + 1, 'sha256:2');
    keep(KEY, younger);
    keep(KEY, found(NOW_MS, 'sha256:1'));
    expect(fresh(KEY, NOW_MS + 1)).toStrictEqual(younger);
  });

  it('keeps a digest against the late refusal of an older question', () => {
    const { fresh, keep, keepFailure } = cache();
    const younger = found(NOW_MS + 1);
    keep(KEY, younger);
    keepFailure(KEY, failure('not_found'), { askedAtMs: NOW_MS, nowMs: NOW_MS + 2 });
    expect(fresh(KEY, NOW_MS + 2)).toStrictEqual(younger);
  });

  it('keeps a refusal against the late digest of an older question', () => {
    const { fresh, keep, keepFailure } = cache();
    const refusal = failure('not_found');
    keepFailure(KEY, refusal, at(NOW_MS + 1));
    keep(KEY, found(NOW_MS));
    expect(fresh(KEY, NOW_MS + 2)).toBe(refusal);
  });

  it('takes the late digest of an older question where the younger one got no answer', () => {
    const { fresh, keep, keepFailure } = cache();
    keepFailure(KEY, failure('unavailable'), at(NOW_MS + 1));
    const known = found(NOW_MS);
    keep(KEY, known);
    expect(fresh(KEY, NOW_MS + 2)).toStrictEqual(known);
  });

  it.each([
    [0, 5000],
    [0.5, 4166],
    [0.999, 3335],
  ])('remembers a failure up to a third less by chance (%d: %i ms)', (random, ttlMs) => {
    const { fresh, keepFailure } = cache(random);
    const error = failure('not_found');
    keepFailure(KEY, error, at(NOW_MS));
    expect(fresh(KEY, NOW_MS + ttlMs - 1)).toBe(error);
    expect(fresh(KEY, NOW_MS + ttlMs + 1)).toBeUndefined();
  });

  it('keeps as many digests as it is told', () => {
    const { keep, size } = createCache({
      ttlMs: TTL_MS,
      staleIfErrorMs: STALE_MS,
      random: () => 0,
      maxDigests: 50_000,
    });
    for (let n = 0; n < 50_001; n += 1) keep(`${KEY}-${n}`, found(NOW_MS));
    expect(size()).toBe(50_000);
  });

  it('grows with the names that it is told to a bound, and loses no digest to failures', () => {
    const { fresh, stale, keep, keepFailure, size } = cache();
    const known = found(NOW_MS);
    keep(KEY, known);
    for (let n = 0; n < 40_000; n += 1) {
      keepFailure(`${KEY}-${n}`, failure('not_found'), at(NOW_MS));
    }
    expect(size()).toBe(5001);
    expect(fresh(KEY, NOW_MS)).toStrictEqual(known);
    expect(stale(KEY, NOW_MS + TTL_MS)).toStrictEqual(known);
    for (let n = 0; n < 30_001; n += 1) keep(`${KEY}-known-${n}`, found(NOW_MS));
    expect(size()).toBe(35_000);
  });

  it('takes what an earlier process knew as the last known, and never as fresh', () => {
    const { fresh, stale, restore, lastKnown, size } = cache();
    const known = found(NOW_MS - 1);
    expect(restore(KEY, known, NOW_MS)).toBe(true);
    expect(fresh(KEY, NOW_MS)).toBeUndefined();
    expect(stale(KEY, NOW_MS)).toStrictEqual(known);
    expect(stale(KEY, NOW_MS - 1 + STALE_MS)).toBeUndefined();
    expect(size()).toBe(1);
    expect([...lastKnown(NOW_MS)]).toStrictEqual([[KEY, known]]);
    expect([...lastKnown(NOW_MS - 1 + STALE_MS)]).toStrictEqual([]);
    expect(size()).toBe(0);
  });

  it('takes what began before the clock of this process, as its own', () => {
    const { stale, keep, restore } = cache();
    expect(restore(KEY, found(-5), 0)).toBe(true);
    expect(stale(KEY, 0)?.askedAtMs).toBe(-5);
    const other = `${KEY}x`;
    keep(other, found(-7));
    expect(stale(other, 0)?.askedAtMs).toBe(-7);
  });

  it('takes nothing of an earlier process that is too old, or that was asked since', () => {
    const { keep, keepFailure, restore, stale } = cache();
    expect(restore(KEY, found(NOW_MS - STALE_MS), NOW_MS)).toBe(false);
    keep(KEY, found(NOW_MS, 'sha256:2'));
    expect(restore(KEY, found(NOW_MS - 1), NOW_MS)).toBe(false);
    expect(stale(KEY, NOW_MS)?.lookup.digest).toBe('sha256:2');
    keepFailure(KEY, failure('not_found'), at(NOW_MS + 1));
    expect(restore(KEY, found(NOW_MS - 1), NOW_MS + 1)).toBe(false);
    expect(stale(KEY, NOW_MS + 1)).toBeUndefined();
  });

  it('lets what an earlier process knew give way to any answer, and to silence not', () => {
    const { keep, keepFailure, lastKnown, restore, stale } = cache();
    restore(KEY, found(NOW_MS - 1), NOW_MS);
    keepFailure(KEY, failure('unavailable'), at(NOW_MS));
    expect(stale(KEY, NOW_MS)?.lookup.digest).toBe('sha256:1');
    keep(KEY, found(NOW_MS, 'sha256:2'));
    expect(stale(KEY, NOW_MS)?.lookup.digest).toBe('sha256:2');
    expect([...lastKnown(NOW_MS)]).toHaveLength(1);
    keepFailure(KEY, failure('not_found'), at(NOW_MS + 1));
    expect(stale(KEY, NOW_MS + 1)).toBeUndefined();
    const other = `${KEY}x`;
    restore(other, found(NOW_MS - 1), NOW_MS);
    keepFailure(other, failure('unauthorized'), at(NOW_MS));
    expect(stale(other, NOW_MS)).toBeUndefined();
  });

  it('tells when the last known digests have changed', () => {
    const { changes, fresh, keep, keepFailure, restore } = cache();
    const seen = [changes()];
    const look = (): void => void seen.push(changes());
    restore(KEY, found(NOW_MS - 1), NOW_MS);
    fresh(KEY, NOW_MS);
    keepFailure(KEY, failure('unavailable'), at(NOW_MS));
    keepFailure(`${KEY}x`, failure('not_found'), at(NOW_MS));
    look();
    keep(KEY, found(NOW_MS));
    look();
    keepFailure(KEY, failure('not_found'), at(NOW_MS + 1));
    look();
    expect(seen.map((count) => count - (seen[0] ?? 0))).toEqual([0, 0, 1, 2]);
  });

  it('gives each of the last known digests once, whatever is used or refused meanwhile', () => {
    const { fresh, keep, keepFailure, lastKnown } = cache();
    const keys = Array.from({ length: 100 }, (_none, n) => `key-${n}`);
    for (const key of keys) keep(key, found(NOW_MS));
    const told: string[] = [];
    for (const [key] of lastKnown(NOW_MS)) {
      told.push(key);
      // The walk begins anew with it.
      if (told.length % 50 === 0) fresh(key, NOW_MS);
      if (told.length === 70) keepFailure(key, failure('not_found'), at(NOW_MS + 1));
    }
    expect(told.toSorted()).toEqual(keys.toSorted());
  });

  it('comes to an end where each digest is used while it is told', () => {
    const { fresh, keep, lastKnown } = cache();
    for (const key of ['a', 'b', 'c']) keep(key, found(NOW_MS));
    const told: string[] = [];
    for (const [key] of lastKnown(NOW_MS)) {
      told.push(key);
      fresh(key, NOW_MS);
    }
    expect(new Set(told).size).toBe(told.length);
  });

  it('gives the last known digests with the most used first', () => {
    const { fresh, keep, lastKnown } = cache();
    for (const key of ['a', 'b', 'c']) keep(key, found(NOW_MS));
    fresh('a', NOW_MS);
    expect([...lastKnown(NOW_MS)].map(([key]) => key)).toEqual(['a', 'c', 'b']);
  });
});
