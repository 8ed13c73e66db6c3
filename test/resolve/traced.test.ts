import { describe, expect, it } from '@jest/globals';

import { PinError } from '../../src/errors.ts';
import { parseReference } from '../../src/image/reference.ts';
import type { Endpoint } from '../../src/registry/hosts.ts';
import { createRoute, type RouteParts } from '../../src/resolve/route.ts';
import { type Trace, tracedRoute } from '../../src/resolve/traced.ts';
import { digest } from '../support/admission.ts';

const ENDPOINT: Endpoint = {
  origin: 'https://r.example.com',
  registry: 'r.example.com',
  root: '/v2',
  repository: 'a',
  isRegistry: true,
};
const ACCESS = { own: [], lent: [], fingerprint: 'anonymous' };
const LOOKUP = {
  digest: digest('a'),
  mediaType: undefined,
  source: 'header',
  host: 'r.example.com',
  attempts: 1,
} as const;
const SHUT = new PinError('rate_limited', 'r.example.com answered 429 before', { asked: false });

function namespaces(): readonly string[] {
  return ['shop'];
}

/** What is told while a route with these parts is taken. */
async function toldBy(shut: 'gate' | 'breaker' | 'nobody'): Promise<readonly string[]> {
  const lines: string[] = [];
  const trace: Trace = {
    access: () => lines.push('access'),
    places: (places) => lines.push(`places ${places.map(({ origin }) => origin).join(' ')}`),
    leftAlone: (registry, { code }) => lines.push(`leftAlone ${registry} ${code}`),
    asking: ({ origin }) => lines.push(`asking ${origin}`),
    answered: (_, answer) =>
      lines.push(`answered ${answer instanceof PinError ? answer.code : answer.digest}`),
  };
  const parts: RouteParts = {
    client: { lookup: async () => LOOKUP },
    endpointsOf: async () => [ENDPOINT],
    gate: { closedFor: () => (shut === 'gate' ? SHUT : undefined), close: () => {} },
    breaker: {
      closedFor: () => (shut === 'breaker' ? SHUT : undefined),
      ask: async (_, act) => act(),
    },
    now: () => 0,
  };
  const route = createRoute(tracedRoute(parts, trace));
  const who = { reference: parseReference('r.example.com/a:1'), access: ACCESS };
  const closed = await route.closedFor({ ...who, namespaces });
  if (closed === undefined) {
    await route.lookup({ ...who, namespaces, deadlineAtMs: 1000, wanted: () => true });
  }
  return lines;
}

describe('tracedRoute()', () => {
  it('tells where a route leads, and what is answered there', async () => {
    expect(await toldBy('nobody')).toEqual([
      'places https://r.example.com',
      'places https://r.example.com',
      'asking https://r.example.com',
      `answered ${LOOKUP.digest}`,
    ]);
  });

  it.each(['gate', 'breaker'] as const)('tells that the %s leaves a place alone', async (shut) => {
    expect(await toldBy(shut)).toEqual([
      'places https://r.example.com',
      'leftAlone r.example.com rate_limited',
    ]);
  });
});
