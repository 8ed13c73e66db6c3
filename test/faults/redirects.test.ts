import { describe, expect, it } from '@jest/globals';

import {
  INDEX_DIGEST,
  methodsOf,
  OTHER_DIGEST,
  told,
  unauthorized,
  withAuthorization,
} from '../support/answers.ts';
import type { Rule } from '../support/scripted-registry.ts';
import { inWorld } from '../support/world.ts';

function redirects(location: string, digest?: string): Rule {
  return {
    status: 302,
    headers: { location, ...(digest !== undefined && { 'docker-content-digest': digest }) },
  };
}

describe('a registry redirects a manifest', () => {
  it(
    'fault 47: to another host → followed without Authorization, the digest is that of the last answer',
    inWorld(async (world) => {
      const registry = await world.place({ names: ['registry.example.com'] });
      const store = await world.place({ names: ['store.example.net'] });
      store.answer(told());
      registry.answer(
        withAuthorization(
          registry.basic,
          redirects(`${store.origin}/blob?signature=1`, OTHER_DIGEST),
        ),
        unauthorized('Basic realm="r"'),
      );
      expect(await world.digestOf(registry.image)).toBe(INDEX_DIGEST);
      expect(registry.requests.at(-1)?.headers.authorization).toBe(registry.basic);
      expect(store.requests[0]?.headers).not.toHaveProperty('authorization');
    }),
  );

  it.each([
    ['a metadata service', 'https://169.254.169.254/latest/meta-data'],
    ['a port that nobody allowed', 'https://store.example.net:8444/'],
    ['a private address', 'https://10.0.0.1/'],
  ])(
    'fault 47: to %s → refused',
    inWorld(async (world, _what: string, location: string) => {
      const registry = await world.place({ names: ['registry.example.com'] });
      registry.answer(redirects(location));
      expect(await world.digestOf(registry.image)).toBe('blocked_address');
      expect(methodsOf(registry)).toEqual(['HEAD']);
    }),
  );

  it(
    'fault 48: to another host that asks for Basic → no credential (containerd#13894)',
    inWorld(async (world) => {
      const registry = await world.place({ names: ['registry.example.com'] });
      const store = await world.place({ names: ['evil.test'] });
      store.answer(unauthorized('Basic realm="r"'));
      registry.answer(
        withAuthorization(registry.basic, redirects(`${store.origin}/manifest`)),
        unauthorized('Basic realm="r"'),
      );
      expect(await world.digestOf(registry.image)).toBe('unauthorized');
      for (const { headers } of store.requests) expect(headers).not.toHaveProperty('authorization');
    }),
  );

  it(
    'fault 48: to another host that asks for a token of a realm of its own → no credential there',
    inWorld(async (world) => {
      const registry = await world.place({ names: ['registry.example.com'] });
      const store = await world.place({ names: ['evil.test'] });
      store.answer(unauthorized(`Bearer realm="${store.origin}/token"`));
      registry.answer(
        withAuthorization(registry.basic, redirects(`${store.origin}/manifest`)),
        unauthorized('Basic realm="r"'),
      );
      expect(await world.digestOf(registry.image)).not.toBe(INDEX_DIGEST);
      for (const { headers } of store.requests) expect(headers).not.toHaveProperty('authorization');
    }),
  );

  it(
    'to a host that says 429 for an hour → this tag fails, and the registry is asked for others',
    inWorld(async (world) => {
      const registry = await world.place({ names: ['registry.example.com'] });
      const target = await world.place({ names: ['target.example.com'] });
      target.answer({ status: 429, headers: { 'retry-after': '3600' } });
      const ofEvil: Rule['when'] = { path: '/v2/evil/app/manifests/1' };
      registry.answer({ ...redirects(`${target.origin}/429`), when: ofEvil }, told());
      expect(await world.digestOf(`${registry.host}/evil/app:1`)).toBe('rate_limited');
      expect(await world.digestOf(registry.image)).toBe(INDEX_DIGEST);
    }),
  );

  it(
    'to a host that asks for a token, and says 429 of that for an hour → this tag fails alone',
    inWorld(async (world) => {
      const registry = await world.place({ names: ['registry.example.com'] });
      const target = await world.place({ names: ['target.example.com'] });
      target.answer(
        { when: { path: '/token' }, status: 429, headers: { 'retry-after': '3600' } },
        unauthorized(`Bearer realm="${target.origin}/token"`),
      );
      const ofEvil: Rule['when'] = { path: '/v2/evil/app/manifests/1' };
      registry.answer({ ...redirects(`${target.origin}/m`), when: ofEvil }, told());
      expect(await world.digestOf(`${registry.host}/evil/app:1`)).toBe('rate_limited');
      expect(await world.digestOf(registry.image)).toBe(INDEX_DIGEST);
    }),
  );

  it(
    'to a host that knows no HEAD → asked by GET for this tag, and the registry by HEAD for others',
    inWorld(async (world) => {
      const registry = await world.place({ names: ['registry.example.com'] });
      const target = await world.place({ names: ['target.example.com'] });
      target.answer({ status: 405 });
      const ofEvil: Rule['when'] = { path: '/v2/team/evil/manifests/1' };
      registry.answer({ ...redirects(`${target.origin}/405`), when: ofEvil }, told());
      await world.digestOf(`${registry.host}/team/evil:1`);
      expect(await world.digestOf(registry.image)).toBe(INDEX_DIGEST);
      expect(methodsOf(registry)).toEqual(['HEAD', 'GET', 'HEAD']);
    }),
  );

  it.each([
    ['from https to http', 'http://registry.example.com/v2/'],
    ['to a file', 'file:///etc/passwd'],
    ['to nowhere', 'https://'],
    ['to something that is no address', 'javascript:alert(1)'],
  ])(
    'fault 49: %s → refused',
    inWorld(async (world, _what: string, location: string) => {
      const registry = await world.place({ names: ['registry.example.com'] });
      registry.answer(redirects(location));
      expect(['blocked_address', 'invalid_response']).toContain(
        await world.digestOf(registry.image),
      );
      expect(methodsOf(registry)).toEqual(['HEAD']);
    }),
  );

  it(
    'fault 49: from https to http, with a host that may speak http → refused all the same',
    inWorld(async (world) => {
      const registry = await world.place({ names: ['registry.example.com'] });
      const plain = await world.place();
      plain.answer(told());
      registry.answer(redirects(`${plain.origin}/manifest`));
      expect(await world.digestOf(registry.image)).toBe('blocked_address');
      expect(plain.requests).toEqual([]);
    }),
  );

  it(
    'fault 49: in a circle, or 11 times → refused after five',
    inWorld(async (world) => {
      const registry = await world.place();
      const hops = Array.from(
        { length: 11 },
        (_, n): Rule => ({ ...redirects(`/${n + 1}`), when: { path: `/${n}` } }),
      );
      registry.answer(
        { ...redirects('/loop'), when: { path: '/v2/team/app/manifests/1.0' } },
        { ...redirects('/loop'), when: { path: '/loop' } },
        { ...redirects('/0'), when: { path: '/v2/team/app/manifests/2.0' } },
        ...hops,
        told(),
      );
      for (const tag of ['1.0', '2.0']) {
        expect(await world.failureOf(`${registry.host}/team/app:${tag}`)).toMatchObject({
          code: 'invalid_response',
          message: `${registry.host} redirects more than 5 times`,
        });
      }
      expect(registry.requests).toHaveLength(12);
    }),
  );
});
