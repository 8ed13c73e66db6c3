import { describe, expect, it } from '@jest/globals';

import type { PinErrorCode } from '../../src/error-codes.ts';
import { PinError, type Silence } from '../../src/errors.ts';
import type { Endpoint } from '../../src/registry/hosts.ts';
import { type Breaker, createBreaker, type Question } from '../../src/resolve/breaker.ts';

const START_MS = 1_000_000;
const FAILURES = 5;
const REGISTRY = 'registry.example.com';
const ORIGIN = `https://${REGISTRY}`;

function endpoint(repository = 'team/app', registry = REGISTRY): Endpoint {
  const origin = `https://${registry}`;
  return { origin, registry, root: '/v2', repository, isRegistry: true };
}

function questionOf(where: Endpoint, namespaces: readonly string[]): Question {
  return { endpoint: where, namespaces: () => (namespaces.length > 0 ? namespaces : ['team']) };
}

/** No connection came about. */
function unreachable(origin = ORIGIN, code: PinErrorCode = 'unavailable'): PinError {
  return failure(code, { origin, connected: false });
}

/** A connection stood, and nothing came. */
function silent(origin = ORIGIN): PinError {
  return failure('deadline_exceeded', { origin, connected: true });
}

function failure(code: PinErrorCode, silence?: Silence): PinError {
  return new PinError(code, `${REGISTRY} did not answer in time`, silence && { silence });
}

/** A breaker with a clock moved by hand, and no jitter unless told. */
class Case {
  nowMs = START_MS;
  random = 0.5;
  readonly observed: [string, number][] = [];
  readonly breaker: Breaker = createBreaker({
    now: () => this.nowMs,
    random: () => this.random,
    observe: (registry, untilMs) => this.observed.push([registry, untilMs - START_MS]),
  });

  /** The code of what came of it, `answer`, or `shut` where nobody was asked. */
  async ask(
    how: PinError | undefined,
    where: Endpoint = endpoint(),
    ...namespaces: readonly string[]
  ): Promise<string> {
    let asked = false;
    try {
      return await this.breaker.ask(questionOf(where, namespaces), async () => {
        asked = true;
        if (how !== undefined) throw how;
        return 'answer';
      });
    } catch (caught) {
      if (!asked) return 'shut';
      return caught instanceof PinError ? caught.code : String(caught);
    }
  }

  async fail(how: PinError, times: number = FAILURES): Promise<void> {
    for (let n = 0; n < times; n += 1) await this.ask(how);
  }

  isShut(where: Endpoint = endpoint(), ...namespaces: readonly string[]): boolean {
    return this.closedFor(where, ...namespaces) !== undefined;
  }

  closedFor(where: Endpoint = endpoint(), ...namespaces: readonly string[]): PinError | undefined {
    return this.breaker.closedFor(questionOf(where, namespaces));
  }
}

describe('createBreaker()', () => {
  it.each<[string, PinError]>([
    ['no connection', unreachable()],
    ['no name', unreachable(ORIGIN, 'dns_failed')],
    ['no TLS', unreachable(ORIGIN, 'tls_failed')],
  ])('leaves a host alone after five times %s, whatever is asked of it', async (_what, error) => {
    const test = new Case();
    await test.fail(error, FAILURES - 1);
    expect(test.isShut()).toBe(false);
    await test.fail(error, 1);
    expect(test.isShut()).toBe(true);
    expect(test.isShut(endpoint('other/app'))).toBe(true);
    expect(test.isShut(endpoint(), 'other')).toBe(true);
    expect(await test.ask(undefined)).toBe('shut');
    expect(test.isShut(endpoint('team/app', 'other.example.com'))).toBe(false);
  });

  it('says who failed, since when, and when it is asked again; and that nobody was asked', async () => {
    const test = new Case();
    await test.fail(unreachable(ORIGIN, 'tls_failed'), FAILURES - 1);
    test.nowMs += 12_000;
    await test.fail(unreachable(ORIGIN, 'dns_failed'), 1);
    test.nowMs += 400;
    expect(test.closedFor()).toMatchObject({
      code: 'dns_failed',
      message: `${REGISTRY} did not answer in time; that began 13 s ago, and it is asked again in 1 s`,
      host: REGISTRY,
      retryAfterMs: 600,
      asked: false,
    });
  });

  it.each<[string, PinError | undefined]>([
    ['a digest', undefined],
    ['a 404', failure('not_found')],
    ['a 401 or 403', failure('unauthorized')],
    ['a 429', failure('rate_limited')],
    ['a 5xx', failure('unavailable')],
    ['what is no registry', failure('invalid_response')],
    ['a token server that is silent', unreachable('https://auth.example.com')],
  ])('takes %s for an answer, and counts anew', async (_what, answer) => {
    const test = new Case();
    await test.fail(unreachable(), FAILURES - 1);
    await test.ask(answer);
    await test.fail(unreachable(), FAILURES - 1);
    expect(test.isShut()).toBe(false);
    for (let n = 0; n < 20; n += 1) await test.ask(answer);
    expect(test.isShut()).toBe(false);
  });

  it.each<PinErrorCode>(['blocked_address', 'credential_source_failed', 'deadline_exceeded'])(
    'learns nothing from the failure "%s" of which no host is the cause',
    async (code) => {
      const test = new Case();
      await test.fail(unreachable(), FAILURES - 1);
      await test.fail(failure(code), 20);
      expect(test.isShut()).toBe(false);
      await test.fail(unreachable(), 1);
      expect(test.isShut()).toBe(true);
    },
  );

  it('leaves one project alone that is silent, and goes on asking for the others', async () => {
    const test = new Case();
    const slow = endpoint('slow-proxy/library/app');
    for (let n = 0; n < 20; n += 1) await test.ask(silent(), slow);
    expect(test.isShut(slow)).toBe(true);
    expect(test.isShut(endpoint('slow-proxy/other'))).toBe(true);
    expect(test.isShut(endpoint('team/app'))).toBe(false);
    expect(test.observed).toEqual([]);
  });

  it('tells the projects of the upstreams of a mirror apart', async () => {
    const test = new Case();
    const evil = { ...endpoint('library/app'), upstream: 'evil.example.net' };
    for (let n = 0; n < 20; n += 1) await test.ask(silent(), evil);
    expect(test.isShut(evil)).toBe(true);
    expect(test.isShut({ ...evil, upstream: 'docker.io' })).toBe(false);
  });

  it('takes five silent projects for a silent host, where none has answered meanwhile', async () => {
    const test = new Case();
    for (const name of ['a', 'b', 'c', 'd']) await test.ask(silent(), endpoint(`${name}/app`));
    await test.ask(undefined, endpoint('good/app'));
    for (const name of ['e', 'f', 'g', 'h']) await test.ask(silent(), endpoint(`${name}/app`));
    expect(test.isShut()).toBe(false);
    await test.ask(silent(), endpoint('i/app'));
    expect(test.isShut()).toBe(true);
    expect(test.observed).toEqual([[REGISTRY, 1000]]);
  });

  it('shuts a host for no namespace but the one that met with its silence, however often', async () => {
    const test = new Case();
    for (let n = 0; n < 200; n += 1) {
      await test.ask(silent(), endpoint(`p${n}/app`), 'attacker');
      expect(await test.ask(undefined, endpoint('p/app'), 'victim')).toBe('answer');
      test.nowMs += 1000;
    }
    expect(test.isShut(endpoint('new/app'), 'attacker')).toBe(true);
    expect(test.isShut(endpoint('p1/app'), 'victim')).toBe(false);
  });

  it('shuts no project for others either', async () => {
    const test = new Case();
    for (let n = 0; n < 20; n += 1) await test.ask(silent(), endpoint('library/bad'), 'attacker');
    expect(test.isShut(endpoint('library/app'), 'attacker')).toBe(true);
    expect(test.isShut(endpoint('library/app'), 'victim')).toBe(false);
  });

  it('asks on behalf of several unless it is shut for each of them, and counts for all', async () => {
    const test = new Case();
    for (let n = 0; n < FAILURES; n += 1) await test.ask(silent(), endpoint(), 'one');
    expect(test.isShut(endpoint(), 'one', 'two')).toBe(false);
    for (let n = 0; n < FAILURES; n += 1) {
      expect(await test.ask(silent(), endpoint(), 'one', 'two')).toBe('deadline_exceeded');
    }
    // What came after the first was shut did not shut it for longer.
    expect(test.closedFor(endpoint(), 'one')).toMatchObject({ retryAfterMs: 1000 });
    expect(await test.ask(silent(), endpoint(), 'one', 'two')).toBe('shut');
  });

  it('opens a host to all where a connection came about, though nothing came over it', async () => {
    const test = new Case();
    await test.fail(unreachable());
    test.nowMs += 1000;
    expect(await test.ask(silent(), endpoint('p1/app'), 'attacker')).toBe('deadline_exceeded');
    const late = Promise.withResolvers<string>();
    const asking = test.breaker.ask(questionOf(endpoint(), ['victim']), () => late.promise);
    expect(await test.ask(undefined, endpoint(), 'other')).toBe('answer');
    late.resolve('answer');
    expect(await asking).toBe('answer');
    expect(test.observed).toEqual([
      [REGISTRY, 1000],
      [REGISTRY, -START_MS],
    ]);
  });

  it('counts once for a namespace that waits twice', async () => {
    const test = new Case();
    for (let n = 0; n < FAILURES - 1; n += 1) await test.ask(silent(), endpoint(), 'one', 'one');
    expect(test.isShut(endpoint(), 'one')).toBe(false);
  });

  it('does not open a host for what was connected before it was gone', async () => {
    const test = new Case();
    const late = Promise.withResolvers<string>();
    const asking = test.breaker.ask(questionOf(endpoint(), []), () => late.promise);
    await test.fail(unreachable());
    late.reject(silent());
    await expect(asking).rejects.toMatchObject({ code: 'deadline_exceeded' });
    expect(test.isShut()).toBe(true);
  });

  it('does not count against a host what another does that it was redirected from', async () => {
    const test = new Case();
    const hostile = endpoint('team/app', 'hostile.example.net');
    for (let n = 0; n < 20; n += 1) await test.ask(silent(), hostile);
    expect(test.isShut()).toBe(false);
    expect(test.isShut(hostile)).toBe(false);
  });

  it('keeps a connection that the operator configured apart from the same host without', async () => {
    const test = new Case();
    const configured = { ...endpoint(), connection: { named: true, tls: { id: 'company' } } };
    await test.fail(unreachable(ORIGIN, 'tls_failed'));
    expect(test.isShut()).toBe(true);
    expect(test.isShut(configured)).toBe(false);
  });

  it('waits a second at first, then twice as long each time, and a minute at most', async () => {
    const test = new Case();
    await test.fail(unreachable());
    const waits: number[] = [];
    for (let n = 0; n < 9; n += 1) {
      const waitMs = test.closedFor()?.retryAfterMs ?? 0;
      waits.push(waitMs);
      test.nowMs += waitMs - 1;
      expect(await test.ask(unreachable())).toBe('shut');
      test.nowMs += 1;
      expect(await test.ask(unreachable())).toBe('unavailable');
    }
    expect(waits).toEqual([1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000, 60_000]);
  });

  it.each([
    [0, 800],
    [0.5, 1000],
    [0.999_999, 1200],
  ])('waits a fifth less or more by chance (%d: %i ms)', async (random, waitMs) => {
    const test = new Case();
    test.random = random;
    await test.fail(unreachable());
    expect(Math.round(test.closedFor()?.retryAfterMs ?? 0)).toBe(waitMs);
  });

  it('lets one at a time find out, and is open to all after its answer', async () => {
    const test = new Case();
    await test.fail(unreachable());
    test.nowMs += 1000;
    const probe = Promise.withResolvers<string>();
    const asking = test.breaker.ask(questionOf(endpoint(), []), () => probe.promise);
    expect(test.closedFor(endpoint('other/app'))).toMatchObject({
      message: expect.stringContaining('it is being asked now'),
      asked: false,
    });
    expect(await test.ask(undefined)).toBe('shut');
    probe.resolve('answer');
    expect(await asking).toBe('answer');
    expect(await test.ask(undefined)).toBe('answer');
    // And it is as if nothing had been.
    await test.fail(unreachable(), FAILURES - 1);
    expect(test.isShut()).toBe(false);
  });

  it('lets another one find out where the first was prevented from asking', async () => {
    const test = new Case();
    await test.fail(unreachable());
    test.nowMs += 1000;
    expect(await test.ask(failure('blocked_address'))).toBe('blocked_address');
    expect(await test.ask(undefined)).toBe('answer');
  });

  it('learns nothing more from the failures that were on their way, but opens with their answer', async () => {
    const test = new Case();
    const stragglers = [Promise.withResolvers<string>(), Promise.withResolvers<string>()] as const;
    const asking = stragglers.map(({ promise }) =>
      test.breaker.ask(questionOf(endpoint(), []), () => promise),
    );
    await test.fail(unreachable());
    stragglers[0].reject(unreachable());
    await expect(asking[0]).rejects.toMatchObject({ code: 'unavailable' });
    expect(test.closedFor()).toMatchObject({ retryAfterMs: 1000 });
    stragglers[1].resolve('answer');
    await asking[1];
    expect(test.isShut()).toBe(false);
  });

  it('tells when a host is left alone, and when it has answered', async () => {
    const test = new Case();
    await test.fail(unreachable());
    test.nowMs += 1000;
    await test.ask(unreachable());
    test.nowMs += 2000;
    await test.ask(undefined);
    expect(test.observed).toEqual([
      [REGISTRY, 1000],
      [REGISTRY, 3000],
      [REGISTRY, -START_MS],
    ]);
  });

  it('does not grow with the names that it is told', async () => {
    const test = new Case();
    await test.fail(unreachable());
    for (let n = 0; n < 5000; n += 1) {
      const name = `host-${n}.example.net`;
      await test.ask(unreachable(`https://${name}`), endpoint('app', name));
    }
    expect(test.isShut()).toBe(false);
  });
});
