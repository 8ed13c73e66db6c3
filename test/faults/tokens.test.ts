import { describe, expect, it } from '@jest/globals';

import {
  INDEX_DIGEST,
  issues,
  methodsOf,
  served,
  told,
  unauthorized,
  withAuthorization,
} from '../support/answers.ts';
import { inWorld, type Place, type World } from '../support/world.ts';

const ASKS = unauthorized('Bearer realm="/token",service="s"');

function tokenRequestsOf({ requests }: Place): number {
  return requests.filter(({ path }) => path === '/token').length;
}

/** A registry, and a token that it will be content with. */
async function registryWithToken(world: World): Promise<{ registry: Place; token: string }> {
  const registry = await world.place();
  return { registry, token: world.canaries.hatch('token', registry) };
}

describe('what a token server answers', () => {
  it.each([302, 307, 308])(
    'fault 33: %i to another host → not followed',
    inWorld(async (world, status: number) => {
      const registry = await world.place({ names: ['registry.example.com'] });
      const other = await world.place({ names: ['evil.test'] });
      other.answer(issues({ token: 'stolen' }));
      registry.answer(
        { when: { path: '/token' }, status, headers: { location: `${other.origin}/token` } },
        ASKS,
      );
      expect(await world.failureOf(registry.image)).toMatchObject({
        code: 'unauthorized',
        message: expect.stringContaining(`the token server ${registry.host} answered ${status}`),
      });
      expect(other.requests).toEqual([]);
    }),
  );

  it.each<[string, string]>([
    ['no token', '{}'],
    ['a token that is a number', '{"token":5}'],
    ['a token that would break a header', '{"token":"a\\r\\nx: y"}'],
    ['no JSON', 'token=canary-body'],
    ['HTML', '<html>canary-body</html>'],
    ['1 MiB', JSON.stringify({ token: 'canary-body'.repeat(100_000) })],
  ])(
    'fault 34: 200 with %s → invalid_response, and nothing of it is told',
    inWorld(async (world, _what: string, body: string) => {
      const registry = await world.place();
      registry.answer({ when: { path: '/token' }, body }, ASKS);
      const failure = await world.failureOf(registry.image);
      expect(failure).toMatchObject({ code: 'invalid_response' });
      expect(failure.message).not.toContain('canary-body');
      expect(methodsOf(registry)).toEqual(['HEAD', 'GET']);
    }),
  );

  it(
    'fault 35: access_token alone → works; both and different → token',
    inWorld(async (world) => {
      const { registry, token } = await registryWithToken(world);
      const [alone, both] = ['/v2/a/manifests/1', '/v2/b/manifests/1'];
      registry.answer(
        withAuthorization(`Bearer ${token}`, { ...told(), when: { path: alone } }),
        withAuthorization(`Bearer ${token}`, { ...told(), when: { path: both } }),
        issues({ access_token: token }, { times: 1 }),
        issues({ token, access_token: 'another' }),
        ASKS,
      );
      expect(await world.digestOf(`${registry.host}/a:1`)).toBe(INDEX_DIGEST);
      expect(await world.digestOf(`${registry.host}/b:1`)).toBe(INDEX_DIGEST);
    }),
  );

  it.each<[unknown, number]>([
    [0, 60],
    [5, 60],
    [-1, 60],
    ['300', 60],
    [undefined, 60],
    [null, 60],
    [300, 300],
    [1e12, 3600],
  ])(
    'fault 35: expires_in %p → good for %i s, and no longer',
    inWorld(async (world, expiresIn: unknown, lifeS: number) => {
      const { registry, token } = await registryWithToken(world);
      registry.answer(
        withAuthorization(`Bearer ${token}`),
        issues({ token, expires_in: expiresIn }),
        ASKS,
      );
      const ask = (tag: string): Promise<string> =>
        world.digestOf(`${registry.host}/team/app:${tag}`);
      expect(await ask('1')).toBe(INDEX_DIGEST);
      world.pass((lifeS - 6) * 1000);
      expect(await ask('2')).toBe(INDEX_DIGEST);
      expect(tokenRequestsOf(registry)).toBe(1);
      world.pass(6 * 1000);
      expect(await ask('3')).toBe(INDEX_DIGEST);
      expect(tokenRequestsOf(registry)).toBe(2);
    }),
  );

  it.each([-3_600_000, 3_600_000])(
    'fault 36: issued_at %i ms from now → the life counts from now',
    inWorld(async (world, offMs: number) => {
      const { registry, token } = await registryWithToken(world);
      const issued_at = new Date(Date.now() + offMs).toISOString();
      registry.answer(
        withAuthorization(`Bearer ${token}`),
        issues({ token, expires_in: 300, issued_at }),
        ASKS,
      );
      expect(await world.digestOf(`${registry.host}/team/app:1`)).toBe(INDEX_DIGEST);
      world.pass(290_000);
      expect(await world.digestOf(`${registry.host}/team/app:2`)).toBe(INDEX_DIGEST);
      expect(tokenRequestsOf(registry)).toBe(1);
      world.pass(10_000);
      expect(await world.digestOf(`${registry.host}/team/app:3`)).toBe(INDEX_DIGEST);
      expect(tokenRequestsOf(registry)).toBe(2);
    }),
  );

  it(
    'fault 37: a token ends between HEAD and GET → one new token',
    inWorld(async (world) => {
      const { registry, token: first } = await registryWithToken(world);
      const second = world.canaries.hatch('token', registry);
      registry.answer(
        withAuthorization(`Bearer ${first}`, { when: { method: 'HEAD' } }),
        withAuthorization(`Bearer ${second}`, { ...served(), when: { method: 'GET' } }),
        issues({ token: first }, { times: 1 }),
        issues({ token: second }),
        ASKS,
      );
      expect(await world.digestOf(registry.image)).toBe(INDEX_DIGEST);
      expect(tokenRequestsOf(registry)).toBe(2);
    }),
  );

  it(
    'fault 38: 401 to every token → the next credential, then a failure; two requests a credential',
    inWorld(async (world) => {
      const registry = await world.place();
      const [one, two] = [world.canaries.credential(registry), world.canaries.credential(registry)];
      world.secret('one', { [registry.host]: one });
      world.secret('two', { [registry.host]: two });
      const token = world.canaries.hatch('token', registry);
      registry.answer(issues({ token }), ASKS);
      expect(await world.digestOf(registry.image, { pullSecrets: ['one', 'two'] })).toBe(
        'unauthorized',
      );
      expect(tokenRequestsOf(registry)).toBe(2);
      expect(methodsOf(registry).filter((method) => method === 'HEAD')).toHaveLength(4);
    }),
  );

  it(
    'fault 39: insufficient_scope with another scope → one more token, for that scope',
    inWorld(async (world) => {
      const { registry, token: narrow } = await registryWithToken(world);
      const wide = world.canaries.hatch('token', registry);
      registry.answer(
        withAuthorization(`Bearer ${wide}`),
        withAuthorization(
          `Bearer ${narrow}`,
          unauthorized(
            'Bearer realm="/token",error="insufficient_scope",scope="repository:wider:pull"',
          ),
        ),
        issues(
          { token: wide },
          {
            when: {
              path: '/token',
              also: ({ query }) => query.get('scope') === 'repository:wider:pull',
            },
          },
        ),
        issues({ token: narrow }),
        ASKS,
      );
      expect(await world.digestOf(registry.image)).toBe(INDEX_DIGEST);
      expect(tokenRequestsOf(registry)).toBe(2);
    }),
  );

  it(
    'fault 39: insufficient_scope for ever → unauthorized after one more',
    inWorld(async (world) => {
      const { registry, token } = await registryWithToken(world);
      const { headers } = unauthorized(
        'Bearer realm="/token",error="insufficient_scope",scope="repository:wider:pull"',
      );
      registry.answer(
        withAuthorization(`Bearer ${token}`, { status: 401, ...(headers && { headers }) }),
        issues({ token }),
        ASKS,
      );
      expect(await world.digestOf(registry.image)).toBe('unauthorized');
      expect(tokenRequestsOf(registry)).toBe(2);
    }),
  );

  it.each<[number, string]>([
    [400, 'public.ecr.aws'],
    [403, 'ECR'],
  ])(
    'fault 40: %i to a remembered token, as %s answers an expired one → a new token, once',
    inWorld(async (world, status: number) => {
      const { registry, token: first } = await registryWithToken(world);
      const second = world.canaries.hatch('token', registry);
      registry.answer(
        withAuthorization(`Bearer ${first}`, { ...told(), times: 1 }),
        withAuthorization(`Bearer ${first}`, { status }),
        withAuthorization(`Bearer ${second}`),
        issues({ token: first }, { times: 1 }),
        issues({ token: second }),
        ASKS,
      );
      expect(await world.digestOf(`${registry.host}/team/app:1`)).toBe(INDEX_DIGEST);
      expect(await world.digestOf(`${registry.host}/team/app:2`)).toBe(INDEX_DIGEST);
      expect(tokenRequestsOf(registry)).toBe(2);
    }),
  );
});
