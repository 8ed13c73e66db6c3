import { describe, expect, it } from '@jest/globals';

import { ResolverStack } from '../support/resolver-stack.ts';
import { type Rule, startRegistry } from '../support/scripted-registry.ts';

const DIGEST = `sha256:${'1'.repeat(64)}`;
const PER_NAMESPACE = 8;
const PER_STRANGER = 5;

/** Answers `known` and `wanted` at once, and anything else when it is told to. */
function script(release: Promise<void>): Rule[] {
  const found: Rule = { headers: { 'docker-content-digest': DIGEST } };
  return [
    { ...found, when: { path: '/v2/known/manifests/1' } },
    { ...found, when: { path: '/v2/wanted/manifests/1' } },
    { ...found, hold: release },
  ];
}

describe('createFlights()', () => {
  it('holds eight look-ups of a namespace at a time, and none of the others up', async () => {
    const hold = Promise.withResolvers<void>();
    await using registry = await startRegistry(script(hold.promise));
    await using stack = new ResolverStack(registry);
    // A registry that has answered does not share the places of strangers.
    await stack.resolve(`${registry.host}/known:1`);
    const greedy = Array.from({ length: PER_NAMESPACE + 3 }, (_, n) =>
      stack.digestOf(`${registry.host}/app:${n}`, { namespace: 'greedy' }),
    );
    const queued = stack.digestOf(`${registry.host}/wanted:1`, { namespace: 'greedy' });
    await registry.received(1 + PER_NAMESPACE);
    const modest = { namespace: 'modest' };
    expect(await stack.digestOf(`${registry.host}/wanted:1`, modest)).toBe(DIGEST);
    expect(registry.requests).toHaveLength(1 + PER_NAMESPACE + 1);
    hold.resolve();
    expect(new Set(await Promise.all([...greedy, queued]))).toEqual(new Set([DIGEST]));
    // What the queue wanted as well was known when its turn came.
    expect(registry.requests).toHaveLength(1 + PER_NAMESPACE + 3 + 1);
  });

  it('never makes a look-up that all have given up on when its turn comes', async () => {
    const hold = Promise.withResolvers<void>();
    await using registry = await startRegistry(script(hold.promise));
    await using stack = new ResolverStack(registry);
    await stack.resolve(`${registry.host}/known:1`);
    const running = Array.from({ length: PER_NAMESPACE }, (_, n) =>
      stack.digestOf(`${registry.host}/app:${n}`),
    );
    const givenUp = stack.digestOf(`${registry.host}/late:1`, { deadlineMs: 20 });
    const first = stack.digestOf(`${registry.host}/late:2`, { deadlineMs: 20 });
    const second = stack.digestOf(`${registry.host}/late:2`, { deadlineMs: 2000 });
    expect(await Promise.all([givenUp, first])).toEqual(['deadline_exceeded', 'deadline_exceeded']);
    stack.pass(20);
    hold.resolve();
    expect(new Set(await Promise.all([...running, second]))).toEqual(new Set([DIGEST]));
    const paths = registry.requests.map(({ path }) => path);
    expect(paths).toContain('/v2/late/manifests/2');
    expect(paths).not.toContain('/v2/late/manifests/1');
    // Nor was it remembered as a failure.
    expect(await stack.digestOf(`${registry.host}/late:1`)).toBe(DIGEST);
  });

  it('forgets those, too, that wait for a place of their registry', async () => {
    const hold = Promise.withResolvers<void>();
    await using registry = await startRegistry(script(hold.promise));
    await using stack = new ResolverStack(registry);
    const running = Array.from({ length: PER_STRANGER }, (_, n) =>
      stack.digestOf(`${registry.host}/app:${n}`, { namespace: `namespace-${n}` }),
    );
    await registry.received(PER_STRANGER);
    const late = stack.digestOf(`${registry.host}/late:1`, { namespace: 'late', deadlineMs: 20 });
    expect(await late).toBe('deadline_exceeded');
    stack.pass(20);
    hold.resolve();
    await Promise.all(running);
    // The place that was waited for is free again: the next look-up is the last request.
    await stack.resolve(`${registry.host}/known:1`);
    expect(registry.requests).toHaveLength(PER_STRANGER + 1);
  });
});
