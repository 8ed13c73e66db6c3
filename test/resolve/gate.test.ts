import { describe, expect, it } from '@jest/globals';

import { PinError } from '../../src/errors.ts';
import { type Asker, createGate, type Gate } from '../../src/resolve/gate.ts';

const NOW_MS = 1_000_000;
const HOST = 'registry.example.com';
const ASKER: Asker = { registry: HOST, upstream: undefined, fingerprint: 'anonymous' };

function limited(retryAfterMs?: number): PinError {
  const details = retryAfterMs === undefined ? {} : { retryAfterMs };
  return new PinError('rate_limited', 'answered 429', details);
}

function named(n: number): Asker {
  return { ...ASKER, registry: `host-${n}` };
}

function gate(observed: [string, number][] = []): Gate {
  return createGate((registry, untilMs) => observed.push([registry, untilMs]));
}

describe('createGate()', () => {
  it('is open to begin with, and for all registries but the one that was closed', () => {
    const { closedFor, close } = gate();
    expect(closedFor(ASKER, NOW_MS)).toBeUndefined();
    close(ASKER, limited(5000), NOW_MS);
    expect(closedFor({ ...ASKER, registry: 'other.example.com' }, NOW_MS)).toBeUndefined();
  });

  it('stays open for those who ask with other credentials', () => {
    const { closedFor, close } = gate();
    close({ ...ASKER, fingerprint: 'spent' }, limited(5000), NOW_MS);
    expect(closedFor({ ...ASKER, fingerprint: 'spent' }, NOW_MS)).toBeDefined();
    expect(closedFor({ ...ASKER, fingerprint: 'other' }, NOW_MS)).toBeUndefined();
    expect(closedFor(ASKER, NOW_MS)).toBeUndefined();
  });

  it('stays open for the other registries that a mirror stands for', () => {
    const { closedFor, close } = gate();
    close({ ...ASKER, upstream: 'evil.example.net' }, limited(5000), NOW_MS);
    expect(closedFor({ ...ASKER, upstream: 'evil.example.net' }, NOW_MS)).toBeDefined();
    expect(closedFor({ ...ASKER, upstream: 'docker.io' }, NOW_MS)).toBeUndefined();
  });

  it('stays closed for as long as the registry asked, and says how long', () => {
    const { closedFor, close } = gate();
    close(ASKER, limited(5000), NOW_MS);
    expect(closedFor(ASKER, NOW_MS + 2500)).toMatchObject({
      code: 'rate_limited',
      host: HOST,
      retryAfterMs: 2500,
      message: `${HOST} answered 429 before and is not asked for another 3 s`,
    });
    expect(closedFor(ASKER, NOW_MS + 4999)).toBeDefined();
    expect(closedFor(ASKER, NOW_MS + 5000)).toBeUndefined();
  });

  it('stays closed for a second where the registry did not say how long', () => {
    const { closedFor, close } = gate();
    close(ASKER, limited(), NOW_MS);
    expect(closedFor(ASKER, NOW_MS + 999)).toBeDefined();
    expect(closedFor(ASKER, NOW_MS + 1000)).toBeUndefined();
  });

  it('is not opened by a later answer that asks for less', () => {
    const observed: [string, number][] = [];
    const { closedFor, close } = gate(observed);
    close(ASKER, limited(5000), NOW_MS);
    close(ASKER, limited(1000), NOW_MS + 1000);
    expect(closedFor(ASKER, NOW_MS + 4999)).toBeDefined();
    close(ASKER, limited(9000), NOW_MS + 1000);
    expect(closedFor(ASKER, NOW_MS + 9999)).toBeDefined();
    expect(observed).toEqual([
      [HOST, NOW_MS + 5000],
      [HOST, NOW_MS + 10_000],
    ]);
  });

  it('does not grow with the names that it is told', () => {
    const { closedFor, close } = gate();
    for (let n = 0; n < 1001; n += 1) close(named(n), limited(5000), NOW_MS);
    expect(closedFor(named(0), NOW_MS)).toBeUndefined();
    expect(closedFor(named(1000), NOW_MS)).toBeDefined();
  });
});
