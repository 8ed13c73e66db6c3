import { beforeEach, describe, expect, it } from '@jest/globals';

import type { RegistryState } from '../../src/debug/registries.ts';
import { createDebugClock, type DebugClock } from '../support/debug.ts';

const HOST = 'registry.example.com';

let time: DebugClock;

beforeEach(() => {
  time = createDebugClock();
});

function states(): readonly RegistryState[] {
  return time.overview().registries;
}

function ask(host: string, code: string): void {
  time.record.registries.registryRequest({ host, code });
}

describe('createRegistries()', () => {
  it('tells how a registry answers, and what is on its way', () => {
    ask(HOST, '200');
    ask(HOST, '404');
    expect(states()).toEqual([
      {
        registry: HOST,
        health: 'answers',
        leftAloneMs: 0,
        requests: 2,
        unanswered: 0,
        lastCode: '404',
        lastRequestMs: time.dayMs,
        quota: undefined,
        places: { limit: 16, inFlight: 2, waiting: 1 },
      },
    ]);
  });

  it('tells of one that does not answer, until it does', () => {
    ask(HOST, 'tls_failed');
    expect(states()).toMatchObject([{ health: 'failing', unanswered: 1, lastCode: 'tls_failed' }]);
    ask(HOST, '200');
    expect(states()).toMatchObject([{ health: 'answers', unanswered: 1, lastCode: '200' }]);
  });

  it.each([
    ['limited', 'registryGated'],
    ['silent', 'registrySilent'],
  ] as const)('tells for how long one that is %s is left alone', (health, told) => {
    time.record.registries[told](HOST, time.nowMs + 5000);
    time.nowMs += 2000;
    expect(states()).toMatchObject([{ registry: HOST, health, leftAloneMs: 3000 }]);
    time.nowMs += 3000;
    expect(states()).toMatchObject([{ health: 'answers', leftAloneMs: 0 }]);
  });

  it('has the quota that was told last', () => {
    const quota = { remaining: 76, limit: 100, windowS: 21_600 };
    time.record.registries.registryRequest({ host: HOST, code: '200', quota });
    ask(HOST, '200');
    expect(states()).toMatchObject([{ quota }]);
  });

  it('knows a registry by one name', () => {
    ask(HOST.toUpperCase(), '200');
    ask(HOST, '200');
    expect(states()).toMatchObject([{ registry: HOST, requests: 2 }]);
  });

  it('forgets none that answers for the sake of names that were invented', () => {
    ask(HOST, '200');
    for (let n = 0; n < 1000; n += 1) ask(`invented-${n}.example.com`, 'dns_failed');
    expect(states()).toHaveLength(51);
    expect(states().at(-1)?.registry).toBe(HOST);
  });

  it.each(['200', 'dns_failed'])(
    'forgets whom it asked least, of hosts of a wildcard domain too: %s',
    (code) => {
      for (let n = 0; n < 3; n += 1) ask(HOST, code);
      for (let n = 0; n < 1000; n += 1) ask(`invented-${n}.example.com`, code);
      expect(states()).toHaveLength(50);
      expect(states().at(-1)).toMatchObject({ registry: HOST, requests: 3 });
    },
  );

  it('tells of one that was not asked before, though all others were asked more', () => {
    for (let n = 0; n < 50; n += 1) {
      for (const code of ['200', '200']) ask(`asked-${n}.example.com`, code);
    }
    ask(HOST, '200');
    expect(states()).toHaveLength(50);
    expect(states().at(-1)).toMatchObject({ registry: HOST, requests: 1 });
  });

  it('forgets the one that came last, of those that were asked as often', () => {
    ask(HOST, '200');
    for (let n = 0; n < 100; n += 1) ask(`invented-${n}.example.com`, '200');
    expect(states().at(-1)).toMatchObject({ registry: HOST });
  });
});
