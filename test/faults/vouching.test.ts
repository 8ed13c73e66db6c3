import { describe, expect, it } from '@jest/globals';

import {
  INDEX_DIGEST,
  issues,
  methodsOf,
  told,
  unauthorized,
  withAuthorization,
} from '../support/answers.ts';
import { Files } from '../support/files.ts';
import { inWorld, type Place, type World } from '../support/world.ts';

/** By its address, which all images may name here: no flag names it, and it shares no domain. */
function strangerAt({ port }: Place): string {
  return `127.0.0.1:${port}`;
}

/** A registry that anybody runs, and a host that the operator named. */
async function strangerAndInner(world: World): Promise<{
  readonly evil: Place;
  readonly stranger: string;
  readonly inner: Place;
}> {
  const evil = await world.place({ names: ['evil.io'], isNamed: false });
  const inner = await world.place({ names: ['registry.corp.example'] });
  inner.answer(issues({ token: 'of-the-inner-host' }), told());
  return { evil, stranger: strangerAt(evil), inner };
}

const redirect = (location: string): { status: number; headers: { location: string } } => ({
  status: 307,
  headers: { location },
});

describe('a stranger leads to a host that the operator named', () => {
  it(
    'by a redirect → refused before anything is dialled, with the name of both',
    inWorld(async (world) => {
      const { evil, stranger, inner } = await strangerAndInner(world);
      evil.answer(redirect(`${inner.origin}/admin/delete?id=1`));
      expect(await world.failureOf(`${stranger}/a/b:1`)).toMatchObject({
        code: 'blocked_address',
        message: `${inner.host} is not asked: its port is not 443, and ${stranger}, which names it, is not allowed to (--allow-registry ${stranger},${inner.host} allows it)`,
      });
      expect(inner.requests).toEqual([]);
    }),
  );

  it(
    'by a realm → refused, and no token of it is told',
    inWorld(async (world) => {
      const { evil, stranger, inner } = await strangerAndInner(world);
      evil.answer(unauthorized(`Bearer realm="${inner.origin}/token?user=root"`));
      expect(await world.failureOf(`${stranger}/a/b:1`, { pullSecrets: [] })).toMatchObject({
        code: 'blocked_address',
        message: expect.stringContaining(`${stranger}, which names it, is not allowed to`),
      });
      expect(inner.requests).toEqual([]);
      expect(methodsOf(evil)).toEqual(['HEAD']);
    }),
  );

  it(
    'that speaks plain http, by a realm → refused',
    inWorld(async (world) => {
      const { evil, stranger } = await strangerAndInner(world);
      const plain = await world.place();
      evil.answer(unauthorized(`Bearer realm="http://localhost:${plain.port}/token"`));
      world.set('plainHttp', `localhost:${plain.port}`);
      expect(await world.failureOf(`${stranger}/a/b:1`, { pullSecrets: [] })).toMatchObject({
        code: 'blocked_address',
        message: `localhost:${plain.port} is not asked: it does not speak https, and ${stranger}, which names it, is not allowed to (--allow-registry ${stranger} with --plain-http localhost:${plain.port} allows it)`,
      });
      expect(plain.requests).toEqual([]);
    }),
  );

  it(
    'through a connection that was made for the operator → refused all the same',
    inWorld(async (world) => {
      const { evil, stranger, inner } = await strangerAndInner(world);
      evil.answer(redirect(`${inner.origin}/admin`));
      expect(await world.digestOf(inner.image)).toBe(INDEX_DIGEST);
      const asked = inner.requests.length;
      expect(await world.digestOf(`${stranger}/a/b:1`)).toBe('blocked_address');
      expect(inner.requests).toHaveLength(asked);
    }),
  );

  it(
    'by a realm behind a redirect of its own → refused',
    inWorld(async (world) => {
      const { evil, stranger, inner } = await strangerAndInner(world);
      const second = await world.place({ names: ['second.evil.io'], isNamed: false });
      second.answer(unauthorized(`Bearer realm="${inner.origin}/token"`));
      evil.answer(redirect(`https://${strangerAt(second)}/v2/a/b/manifests/1`));
      expect(await world.digestOf(`${stranger}/a/b:1`)).toBe('blocked_address');
      expect(second.requests).not.toEqual([]);
      expect(inner.requests).toEqual([]);
    }),
  );
});

describe('whoever may lead to a host that the operator named', () => {
  it(
    'is a registry that is named itself, on whatever domain',
    inWorld(async (world) => {
      const registry = await world.place({ names: ['registry.corp.example'] });
      const auth = await world.place({ names: ['auth.example.net'] });
      const token = world.canaries.hatch('token', registry, auth);
      auth.answer(issues({ token }));
      registry.answer(
        withAuthorization(`Bearer ${token}`),
        unauthorized(`Bearer realm="${auth.origin}/token"`),
      );
      expect(await world.digestOf(registry.image)).toBe(INDEX_DIGEST);
      expect(auth.requests).toHaveLength(1);
    }),
  );

  it(
    'is a registry that a hosts.toml names',
    inWorld(async (world) => {
      const mirror = await world.place({ names: ['mirror.example.net'], isNamed: false });
      const inner = await world.place({ names: ['registry.corp.example'] });
      inner.answer(told());
      mirror.answer(redirect(`${inner.origin}/v2/team/app/manifests/1.0`));
      const files = world.use(new Files());
      world.set('hostsDir', files.directory);
      files.write('example.org/hosts.toml', `server = "${mirror.origin}"`);
      expect(await world.digestOf('example.org/team/app:1.0')).toBe(INDEX_DIGEST);
      expect(inner.requests).toHaveLength(1);
    }),
  );

  it(
    'is the same host, though only its other port is named',
    inWorld(async (world) => {
      const registry = await world.place({ names: ['registry.example.com'], isNamed: false });
      const auth = await world.place();
      const token = world.canaries.hatch('token', registry, auth);
      auth.answer(issues({ token }));
      registry.answer(
        withAuthorization(`Bearer ${token}`),
        unauthorized(`Bearer realm="${auth.origin}/token"`),
      );
      const image = `${strangerAt(registry)}/team/app:1.0`;
      expect(await world.digestOf(image, { pullSecrets: [] })).toBe(INDEX_DIGEST);
      expect(auth.requests).toHaveLength(1);
    }),
  );
});
