import { describe, expect, it } from '@jest/globals';

import { PinError } from '../../src/errors.ts';
import { createGate, type Gate } from '../../src/resolve/gate.ts';

const NOW_MS = 1_000_000;
const HOST = 'registry.example.com';

function limited(retryAfterMs?: number): PinError {
  const details = retryAfterMs === undefined ? {} : { retryAfterMs };
  return new PinError('rate_limited', 'answered 429', details);
}

function gate(observed: [string, number][] = []): Gate {
  return createGate((registry, untilMs) => observed.push([registry, untilMs]));
}

describe('createGate()', () => {
  it('is open to begin with, and for all registries but the one that was closed', () => {
    const { closedFor, close } = gate();
    expect(closedFor(HOST, NOW_MS)).toBeUndefined();
    close(HOST, limited(5000), NOW_MS);
    expect(closedFor('other.example.com', NOW_MS)).toBeUndefined();
  });

  it('stays closed for as long as the registry asked, and says how long', () => {
    const { closedFor, close } = gate();
    close(HOST, limited(5000), NOW_MS);
    expect(closedFor(HOST, NOW_MS + 2500)).toMatchObject({
      code: 'rate_limited',
      host: HOST,
      retryAfterMs: 2500,
      message: `${HOST} answered 429 before and is not asked for another 3 s`,
    });
    expect(closedFor(HOST, NOW_MS + 4999)).toBeDefined();
    expect(closedFor(HOST, NOW_MS + 5000)).toBeUndefined();
  });

  it('stays closed for a second where the registry did not say how long', () => {
    const { closedFor, close } = gate();
    close(HOST, limited(), NOW_MS);
    expect(closedFor(HOST, NOW_MS + 999)).toBeDefined();
    expect(closedFor(HOST, NOW_MS + 1000)).toBeUndefined();
  });

  it('is not opened by a later answer that asks for less', () => {
    const observed: [string, number][] = [];
    const { closedFor, close } = gate(observed);
    close(HOST, limited(5000), NOW_MS);
    close(HOST, limited(1000), NOW_MS + 1000);
    expect(closedFor(HOST, NOW_MS + 4999)).toBeDefined();
    close(HOST, limited(9000), NOW_MS + 1000);
    expect(closedFor(HOST, NOW_MS + 9999)).toBeDefined();
    expect(observed).toEqual([
      [HOST, NOW_MS + 5000],
      [HOST, NOW_MS + 10_000],
    ]);
  });

  it('does not grow with the names that it is told', () => {
    const { closedFor, close } = gate();
    for (let n = 0; n < 1001; n += 1) close(`host-${n}`, limited(5000), NOW_MS);
    expect(closedFor('host-0', NOW_MS)).toBeUndefined();
    expect(closedFor('host-1000', NOW_MS)).toBeDefined();
  });
});
