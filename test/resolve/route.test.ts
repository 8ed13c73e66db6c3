import { afterEach, describe, expect, it, jest } from '@jest/globals';

import type { PinErrorCode } from '../../src/error-codes.ts';
import { PinError, type PinErrorDetails } from '../../src/errors.ts';
import type { Digest } from '../../src/image/digest.ts';
import { parseReference } from '../../src/image/reference.ts';
import type { Lookup } from '../../src/registry/client.ts';
import type { Endpoint } from '../../src/registry/hosts.ts';
import type { Breaker } from '../../src/resolve/breaker.ts';
import { createGate } from '../../src/resolve/gate.ts';
import { createRoute, type Route } from '../../src/resolve/route.ts';

const DIGEST: Digest = `sha256:${'a'.repeat(64)}`;
const DEADLINE_MS = 8000;

/** How a place answers: with a digest, or with failures, one after the other and the last for ever. */
type Answers = readonly (PinError | 'digest')[];

/** Never leaves anybody alone. */
const NO_BREAKER: Breaker = { closedFor: () => undefined, ask: async (_question, act) => act() };

/** A route along these places, whose answers take no time unless told. */
class Journeys {
  /** Who was asked, in order. */
  readonly asked: string[] = [];
  nowMs = 0;
  /** How long each answer takes. */
  answerMs = 0;
  wanted = true;
  readonly #route: Route;
  readonly #answers: Readonly<Record<string, Answers>>;

  constructor(answers: Readonly<Record<string, Answers>>, change: Partial<Endpoint> = {}) {
    this.#answers = answers;
    const hosts = Object.keys(answers);
    const endpoints = hosts.map((registry, n) => ({
      origin: `https://${registry}`,
      registry,
      root: '/v2',
      repository: 'app',
      isRegistry: n === hosts.length - 1,
      ...(n === hosts.length - 1 && change),
    }));
    this.#route = createRoute({
      client: { lookup: async ({ registry }) => this.#answer(registry) },
      endpointsOf: async () => endpoints,
      gate: createGate(() => {}),
      breaker: NO_BREAKER,
      now: () => this.nowMs,
    });
  }

  go(): Promise<Lookup> {
    return this.#route.lookup({
      reference: parseReference('registry/app:1'),
      access: { own: [], lent: [], fingerprint: 'anonymous' },
      namespaces: () => ['team'],
      deadlineAtMs: DEADLINE_MS,
      wanted: () => this.wanted,
    });
  }

  #answer(registry: string): Lookup {
    const earlier = this.asked.filter((one) => one === registry).length;
    this.asked.push(registry);
    this.nowMs += this.answerMs;
    const answers = this.#answers[registry] ?? [];
    const answer = answers[Math.min(earlier, answers.length - 1)] ?? 'digest';
    if (answer !== 'digest') throw answer;
    return { digest: DIGEST, mediaType: undefined, host: registry, source: 'header', attempts: 1 };
  }
}

function failure(code: PinErrorCode, details: PinErrorDetails = {}): PinError {
  return new PinError(code, `said ${code}`, details);
}

afterEach(() => {
  jest.restoreAllMocks();
});

describe('createRoute()', () => {
  it('asks in order, and nobody behind the first who answers', async () => {
    const journeys = new Journeys({
      one: [failure('not_found')],
      two: ['digest'],
      registry: ['digest'],
    });
    await expect(journeys.go()).resolves.toMatchObject({ host: 'two', digest: DIGEST });
    expect(journeys.asked).toEqual(['one', 'two']);
  });

  it.each<PinErrorCode>([
    'not_found',
    'unauthorized',
    'unsupported_manifest',
    'rate_limited',
    'unavailable',
    'dns_failed',
    'tls_failed',
    'invalid_response',
    'deadline_exceeded',
    'blocked_address',
    'internal',
  ])('asks the next place after %s, once', async (code) => {
    const journeys = new Journeys({ mirror: [failure(code)], registry: ['digest'] });
    await expect(journeys.go()).resolves.toMatchObject({ host: 'registry' });
    expect(journeys.asked).toEqual(['mirror', 'registry']);
  });

  it('fails as the registry does, and tells what failed before', async () => {
    const journeys = new Journeys({
      one: [failure('unavailable')],
      two: [failure('tls_failed')],
      registry: [failure('not_found', { host: 'registry' })],
    });
    await expect(journeys.go()).rejects.toMatchObject({
      code: 'not_found',
      message: 'said not_found (before: said unavailable; said tls_failed)',
      host: 'registry',
    });
  });

  it('passes the failure of an only place on as it is', async () => {
    const only = failure('rate_limited', { retryAfterMs: 5 });
    await expect(new Journeys({ registry: [only] }).go()).rejects.toBe(only);
  });

  it('has asked where anybody was asked', async () => {
    const notAsked = failure('unavailable', { asked: false });
    const both = new Journeys({ mirror: [notAsked], registry: [notAsked] });
    await expect(both.go()).rejects.toMatchObject({ asked: false });
    const one = new Journeys({ mirror: [failure('not_found')], registry: [notAsked] });
    await expect(one.go()).rejects.toMatchObject({ asked: true });
  });

  it('says so where there is no place at all', async () => {
    await expect(new Journeys({}).go()).rejects.toMatchObject({
      code: 'invalid_config',
      message: expect.stringContaining('may resolve tags of'),
    });
  });
});

describe('createRoute() and time', () => {
  it('gives a mirror three seconds, and the registry whatever is left', async () => {
    const limits = jest.spyOn(AbortSignal, 'timeout');
    const journeys = new Journeys({
      one: [failure('deadline_exceeded')],
      two: [failure('deadline_exceeded')],
      registry: ['digest'],
    });
    journeys.answerMs = 2500;
    await journeys.go();
    expect(limits.mock.calls).toEqual([[3000], [3000], [3000]]);
    journeys.nowMs = 0;
    journeys.answerMs = 0;
    await journeys.go();
    expect(limits.mock.calls.slice(3)).toEqual([[3000], [3000], [8000]]);
  });

  it('gives a mirror no more than the whole has left', async () => {
    const limits = jest.spyOn(AbortSignal, 'timeout');
    const journeys = new Journeys({ mirror: ['digest'], registry: ['digest'] });
    journeys.nowMs = 6000;
    await journeys.go();
    expect(limits.mock.calls).toEqual([[2000]]);
  });

  it.each<[string, PinErrorCode, number, boolean, string[]]>([
    ['the network failed', 'unavailable', 0, true, ['mirror', 'registry', 'registry']],
    ['there is no time', 'unavailable', 3500, true, ['mirror', 'registry']],
    ['nobody waits any more', 'unavailable', 0, false, ['mirror', 'registry']],
    ['it answered', 'not_found', 0, true, ['mirror', 'registry']],
  ])('asks the registry, and no mirror, a second time by whether %s', async (_what, ...row) => {
    const [code, answerMs, wanted, asked] = row;
    const journeys = new Journeys({ mirror: [failure(code)], registry: [failure(code), 'digest'] });
    Object.assign(journeys, { answerMs, wanted });
    await journeys.go().catch(() => {});
    expect(journeys.asked).toEqual(asked);
  });
});

describe('createRoute() and places that said 429', () => {
  it('leaves a mirror alone until its time, and asks the registry at once', async () => {
    const journeys = new Journeys({
      mirror: [failure('rate_limited', { retryAfterMs: 60_000, limitedBy: 'https://mirror' })],
      registry: ['digest'],
    });
    await journeys.go();
    await journeys.go();
    expect(journeys.asked).toEqual(['mirror', 'registry', 'registry']);
    journeys.nowMs = 60_001;
    await journeys.go().catch(() => {});
    expect(journeys.asked.slice(3)).toContain('mirror');
  });

  it('leaves none alone for the 429 of another host, to which it redirects', async () => {
    const limitedBy = 'https://other.example.net';
    const limited = failure('rate_limited', { retryAfterMs: 60_000, limitedBy });
    const journeys = new Journeys({ registry: [limited, 'digest'] });
    await expect(journeys.go()).rejects.toBe(limited);
    await expect(journeys.go()).resolves.toMatchObject({ digest: DIGEST });
  });
});

describe('createRoute() with http after https', () => {
  it.each<[PinErrorCode, boolean]>([
    ['tls_failed', true],
    ['unavailable', true],
    ['not_found', false],
    ['unauthorized', false],
    ['rate_limited', false],
    ['invalid_response', false],
    ['blocked_address', false],
  ])('after %s asks by http: %s', async (code, isAsked) => {
    const journeys = new Journeys(
      { https: [failure(code)], http: ['digest'] },
      { isFallback: true },
    );
    const ended = await journeys.go().catch((error: unknown) => error);
    expect(journeys.asked).toEqual(isAsked ? ['https', 'http'] : ['https']);
    expect(ended).toMatchObject(isAsked ? { host: 'http' } : { code, message: `said ${code}` });
  });
});
