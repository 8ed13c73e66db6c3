import { describe, expect, it } from '@jest/globals';

import {
  INDEX_DIGEST,
  methodsOf,
  OTHER_DIGEST,
  told,
  unauthorized,
  withAuthorization,
} from '../support/answers.ts';
import { Files } from '../support/files.ts';
import type { Rule } from '../support/scripted-registry.ts';
import { inWorld } from '../support/world.ts';

function limited(retryAfter?: string): Rule {
  return { status: 429, headers: retryAfter === undefined ? {} : { 'retry-after': retryAfter } };
}

/** What a mirror is asked of a registry. */
function asksFor(registry: string): Required<Pick<NonNullable<Rule['when']>, 'also'>> {
  return { also: ({ query }) => query.get('ns') === registry };
}

describe('what a registry can bear', () => {
  it.each<[string, string | undefined, number]>([
    ['1', '1', 1000],
    ['3600', '3600', 3_600_000],
    ['86400', '86400', 3_600_000],
    ['0.5', '0.5', 1000],
    ['812µs', '812.183µs', 1000],
    ['absent', undefined, 1000],
  ])(
    'fault 50: 429 with Retry-After %s → not asked for %s ms',
    inWorld(async (world, ...row: [string, string | undefined, number]) => {
      const [, retryAfter, waitMs] = row;
      const registry = await world.place();
      const header = retryAfter && Buffer.from(retryAfter).toString('latin1');
      registry.answer({ ...limited(header), times: 1 }, told());
      expect(await world.digestOf(registry.image)).toBe('rate_limited');
      world.pass(waitMs - 1);
      expect(await world.digestOf(`${registry.host}/other:1`)).toBe('rate_limited');
      expect(methodsOf(registry)).toEqual(['HEAD']);
      world.pass(1);
      expect(await world.digestOf(`${registry.host}/other:1`)).toBe(INDEX_DIGEST);
    }),
  );

  it(
    'fault 50: 429 with Retry-After as a date that is past → asked again at once',
    inWorld(async (world) => {
      const registry = await world.place();
      const past = new Date(Date.now() - 3_600_000).toUTCString();
      registry.answer({ ...limited(past), times: 1 }, told());
      expect(await world.digestOf(registry.image)).toBe('rate_limited');
      expect(await world.digestOf(`${registry.host}/other:1`)).toBe(INDEX_DIGEST);
    }),
  );

  it(
    'fault 50: 429 with Retry-After as a date in 100 s → not asked until then',
    inWorld(async (world) => {
      const registry = await world.place();
      registry.answer(
        { ...limited(new Date(Date.now() + 100_000).toUTCString()), times: 1 },
        told(),
      );
      expect(await world.digestOf(registry.image)).toBe('rate_limited');
      world.pass(95_000);
      expect(await world.digestOf(registry.image)).toBe('rate_limited');
      expect(methodsOf(registry)).toEqual(['HEAD']);
      world.pass(6000);
      expect(await world.digestOf(registry.image)).toBe(INDEX_DIGEST);
    }),
  );

  it(
    'fault 51: 429 for one repository → the whole host is left alone by that account, others are not touched',
    inWorld(async (world) => {
      const [registry, other] = [await world.place(), await world.place()];
      registry.answer({ ...limited('60'), times: 1 }, told());
      other.answer(told());
      expect(await world.digestOf(registry.image)).toBe('rate_limited');
      const tags = Array.from({ length: 50 }, (_, n) => n);
      const here = await Promise.all(tags.map((n) => world.digestOf(`${registry.host}/r${n}:1`)));
      const there = await Promise.all(tags.map((n) => world.digestOf(`${other.host}/r${n}:1`)));
      expect(new Set(here)).toEqual(new Set(['rate_limited']));
      expect(new Set(there)).toEqual(new Set([INDEX_DIGEST]));
      expect(registry.requests).toHaveLength(1);
      // Another account was not told to wait.
      expect(await world.digestOf(registry.image, { pullSecrets: [] })).toBe(INDEX_DIGEST);
      expect(await world.metrics()).toContain(
        `tagpin_registry_gated{registry="${registry.host}"} 1`,
      );
    }),
  );

  it(
    'fault 53: 404, then the tag is pushed → found after 5 s',
    inWorld(async (world) => {
      const registry = await world.place();
      registry.answer({ status: 404, times: 1 }, told());
      expect(await world.digestOf(registry.image)).toBe('not_found');
      world.pass(4999);
      expect(await world.digestOf(registry.image)).toBe('not_found');
      expect(methodsOf(registry)).toEqual(['HEAD']);
      world.pass(1);
      expect(await world.digestOf(registry.image)).toBe(INDEX_DIGEST);
    }),
  );

  it(
    'fault 55: 200 questions for one tag at once → one request',
    inWorld(async (world) => {
      const registry = await world.place();
      registry.answer(told());
      const all = await Promise.all(
        Array.from({ length: 200 }, (_, n) =>
          world.digestOf(registry.image, { deadlineMs: 1000 + n }),
        ),
      );
      expect(new Set(all)).toEqual(new Set([INDEX_DIGEST]));
      expect(methodsOf(registry)).toEqual(['HEAD']);
    }),
  );

  it(
    'fault 55: the first of several gives up → the others have the answer',
    inWorld(async (world) => {
      const registry = await world.place();
      const held = Promise.withResolvers<void>();
      registry.answer({ ...told(), hold: held.promise });
      const first = world.digestOf(registry.image, { deadlineMs: 50 });
      await registry.received(1);
      const followers = [1, 2, 3].map(() => world.digestOf(registry.image));
      expect(await first).toBe('deadline_exceeded');
      held.resolve();
      expect(await Promise.all(followers)).toEqual([INDEX_DIGEST, INDEX_DIGEST, INDEX_DIGEST]);
      expect(methodsOf(registry)).toEqual(['HEAD']);
    }),
  );

  it(
    'fault 56: the same tag from two namespaces with different secrets → two look-ups, no shared result',
    inWorld(async (world) => {
      const registry = await world.place();
      const ours = registry.credential;
      const theirs = world.canaries.credential(registry);
      const header = `Basic ${btoa(`${theirs.username}:${theirs.password}`)}`;
      world.secret('regcred', { [registry.host]: ours }, 'team');
      world.secret('regcred', { [registry.host]: theirs }, 'other');
      registry.answer(
        withAuthorization(registry.basic, told(INDEX_DIGEST)),
        withAuthorization(header, told(OTHER_DIGEST)),
        unauthorized('Basic realm="r"'),
      );
      const ask = (namespace: string, pullSecrets: readonly string[]): Promise<string> =>
        world.digestOf(registry.image, { namespace, pullSecrets });
      const both = await Promise.all([ask('team', ['regcred']), ask('other', ['regcred'])]);
      expect(both).toEqual([INDEX_DIGEST, OTHER_DIGEST]);
      // What is known by now is known to its own namespace alone.
      expect(await ask('third', [])).toBe('unauthorized');
      expect(await ask('team', ['regcred'])).toBe(INDEX_DIGEST);
      expect(await ask('other', ['regcred'])).toBe(OTHER_DIGEST);
      expect(world.observed.filter((result) => result === 'hit')).toHaveLength(2);
    }),
  );

  it(
    'fault 59: 1,000 questions for a dead host → refused without being asked, healthy hosts answer',
    inWorld(async (world) => {
      const [dead, healthy] = [await world.place(), await world.place()];
      dead.answer({ fault: 'reset' });
      healthy.answer(told());
      for (let n = 0; n < 20; n += 1) {
        // oxlint-disable-next-line no-await-in-loop -- one failure after the other
        expect(await world.digestOf(`${dead.host}/p${n}/app:1`)).toBe('unavailable');
      }
      const asked = dead.requests.length;
      expect(asked).toBeLessThanOrEqual(10);
      const storm = await Promise.all(
        Array.from({ length: 1000 }, (_, n) => world.digestOf(`${dead.host}/q${n}/app:1`)),
      );
      expect(new Set(storm)).toEqual(new Set(['unavailable']));
      expect(dead.requests).toHaveLength(asked);
      expect(await world.digestOf(healthy.image)).toBe(INDEX_DIGEST);
      world.pass(60_000);
      dead.answer(told());
    }),
  );

  it(
    'a mirror breaks off whatever it is asked of one registry → shut for the namespace that asks, and for no other',
    inWorld(async (world) => {
      const mirror = await world.place({ isNamed: false });
      const files = world.use(new Files());
      world.set('hostsDir', files.directory);
      files.write('_default/hosts.toml', `server = "${mirror.origin}"`);
      mirror.answer({ when: asksFor('evil.test'), fault: 'reset' }, told());
      for (let n = 0; n < 40; n += 1) {
        const [evil, good] = [`evil.test/p${n}/app:1`, `docker.io/library/app:${n}`];
        // oxlint-disable-next-line no-await-in-loop -- one after the other
        expect(await world.digestOf(evil, { namespace: 'attacker' })).toBe('unavailable');
        // oxlint-disable-next-line no-await-in-loop -- one after the other
        expect(await world.digestOf(good, { namespace: 'victim' })).toBe(INDEX_DIGEST);
        world.pass(500);
      }
      // And the mirror is spared: of 40 questions it heard a few, each of them twice.
      const heard = mirror.requests.filter(({ query }) => query.get('ns') === 'evil.test');
      expect(heard.length).toBeLessThan(25);
    }),
  );

  it(
    'a mirror passes the 429 and the 405 of one registry on → the others are asked for as ever',
    inWorld(async (world) => {
      const mirror = await world.place({ isNamed: false });
      const files = world.use(new Files());
      world.set('hostsDir', files.directory);
      files.write('_default/hosts.toml', `server = "${mirror.origin}"`);
      mirror.answer(
        { ...limited('3600'), when: asksFor('limited.test') },
        { status: 405, when: { ...asksFor('headless.test'), method: 'HEAD' } },
        told(),
      );
      expect(await world.digestOf('limited.test/app:1')).toBe('rate_limited');
      await world.digestOf('headless.test/library/app:1');
      expect(await world.digestOf('docker.io/library/app:1')).toBe(INDEX_DIGEST);
      expect(methodsOf(mirror)).toEqual(['HEAD', 'HEAD', 'GET', 'HEAD']);
    }),
  );
});

describe('a token server that says 429', () => {
  it.each([
    ['auth.example.com', 'the registry is left alone by that account', true],
    ['auth.example.net', 'only what it was asked for fails', false],
  ])(
    'for registry.example.com as %s → %s',
    inWorld(async (world, ...row: [string, string, boolean]) => {
      const [name, , isGated] = row;
      const registry = await world.place({ names: ['registry.example.com'] });
      const server = await world.place({ names: [name] });
      if (isGated) world.canaries.entrust(registry.credential, server);
      server.answer(limited('3600'));
      const ofTeam: Rule['when'] = { also: ({ path }) => path.startsWith('/v2/team/') };
      registry.answer(
        { ...unauthorized(`Bearer realm="${server.origin}/token"`), when: ofTeam },
        told(),
      );
      expect(await world.digestOf(registry.image)).toBe('rate_limited');
      const other = `${registry.host}/open/app:1`;
      expect(await world.digestOf(other)).toBe(isGated ? 'rate_limited' : INDEX_DIGEST);
      expect(await world.digestOf(other, { pullSecrets: [] })).toBe(INDEX_DIGEST);
    }),
  );
});
