import { describe, expect, it } from '@jest/globals';

import { ResolverStack } from '../support/resolver-stack.ts';
import { startRegistry } from '../support/scripted-registry.ts';
import { until } from '../support/until.ts';

const DIGEST = `sha256:${'1'.repeat(64)}`;
const CROWD = 1000;
const NAMESPACES = 50;
const REFUSED = 5;

function toldBy(hold?: Promise<void>) {
  return { headers: { 'docker-content-digest': DIGEST }, ...(hold && { hold }) };
}

describe('a thousand look-ups', () => {
  it.each(['team', 'namespace-0'])(
    'at a dead registry are all still waiting when a healthy one has answered in %s',
    async (namespace) => {
      const hold = Promise.withResolvers<void>();
      await using dead = await startRegistry([toldBy(hold.promise)]);
      await using healthy = await startRegistry([toldBy()]);
      await using stack = new ResolverStack(dead, healthy);
      if (namespace === 'namespace-0') await stack.resolve(`${healthy.host}/known:1`);
      let ended = 0;
      const crowd = Array.from({ length: CROWD }, async (_, n) => {
        const ask = { namespace: `namespace-${n % NAMESPACES}`, deadlineMs: 8000 };
        await stack.resolve(`${dead.host}/app:${n}`, ask);
        ended += 1;
      });
      await dead.received(1);
      expect(await stack.digestOf(`${healthy.host}/app:1`, { namespace })).toBe(DIGEST);
      expect(ended).toBe(0);
      hold.resolve();
      await Promise.all(crowd);
      expect(ended).toBe(CROWD);
    },
  );

  it('at a host that refuses connections take five attempts, and no waiting for a place', async () => {
    const gone = await startRegistry([]);
    await gone[Symbol.asyncDispose]();
    const hold = Promise.withResolvers<void>();
    await using tarpit = await startRegistry([toldBy(hold.promise)]);
    await using stack = new ResolverStack(gone, tarpit);
    const image = (n: number): string => `${gone.host}/app:${n}`;
    for (let n = 0; n < REFUSED; n += 1) {
      expect(await stack.digestOf(image(n), { namespace: `namespace-${n}` })).toBe('unavailable');
    }
    expect(stack.silent).toEqual([[gone.host, stack.cluster.nowMs + 1000]]);
    // The namespace has every place of its own taken, and fails fast all the same.
    const stuck = Array.from({ length: 20 }, (_, n) => stack.digestOf(`${tarpit.host}/app:${n}`));
    await tarpit.received(1);
    const refused = await Promise.all(
      Array.from({ length: CROWD }, (_, n) => stack.failureOf(image(n + REFUSED))),
    );
    const messages = new Set(refused.map(({ message }) => message));
    expect([...messages]).toEqual([
      `${gone.host} refuses connections; that began 0 s ago, and it is asked again in 1 s`,
    ]);
    hold.resolve();
    await Promise.all(stuck);
  });
});

describe('a registry that does not answer', () => {
  it('is left alone by a refresh as well, which fails, while others get the last known digest', async () => {
    await using registry = await startRegistry([{ ...toldBy(), times: 1 }, { fault: 'reset' }]);
    await using stack = new ResolverStack(registry);
    const image = `${registry.host}/app:1`;
    expect(await stack.digestOf(image)).toBe(DIGEST);
    stack.pass(60_000);
    for (let n = 0; n < REFUSED; n += 1) await stack.resolve(`${registry.host}/app:other-${n}`);
    const before = registry.requests.length;
    expect(await stack.resolutionOf(image)).toMatchObject({ digest: DIGEST, stale: true });
    const notBeforeMs = stack.cluster.nowMs;
    expect(await stack.failureOf(image, { notBeforeMs })).toMatchObject({
      code: 'unavailable',
      asked: false,
    });
    expect(registry.requests).toHaveLength(before);
    // Nobody was asked, so nothing is remembered: when the time has come, it is asked.
    stack.pass(1000);
    await stack.resolve(image);
    expect(registry.requests).toHaveLength(before + 1);
  });

  it('is not asked again for those who have all given up', async () => {
    const hold = Promise.withResolvers<void>();
    await using registry = await startRegistry([{ fault: 'reset', hold: hold.promise }]);
    await using stack = new ResolverStack(registry);
    const waiting = stack.digestOf(`${registry.host}/app:1`, { deadlineMs: 20 });
    expect(await waiting).toBe('deadline_exceeded');
    stack.pass(20);
    hold.resolve();
    await until(() => stack.ended.length === 1);
    await stack.resolve(`${registry.host}/fence:1`);
    const paths = registry.requests.map(({ path }) => path);
    expect(paths.filter((path) => path === '/v2/app/manifests/1')).toHaveLength(1);
    expect(paths).toContain('/v2/fence/manifests/1');
  });
});
