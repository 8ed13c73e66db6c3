import { describe, expect, it } from '@jest/globals';

import {
  INDEX_DIGEST,
  issues,
  methodsOf,
  unauthorized,
  withAuthorization,
} from '../support/answers.ts';
import { inWorld, type Place, type World } from '../support/world.ts';

/** A registry that asks with these lines, and is content with a token of its own `/token`. */
async function registryWith(world: World, ...challenges: readonly string[]): Promise<Place> {
  const registry = await world.place();
  const token = world.canaries.hatch('token', registry);
  registry.answer(
    withAuthorization(`Bearer ${token}`),
    issues({ token }),
    unauthorized(...challenges),
  );
  return registry;
}

function tokenQueryOf({ requests }: Place): URLSearchParams | undefined {
  return requests.find(({ path }) => path === '/token')?.query;
}

const BOTH = 'Negotiate, Bearer realm="/token",service="s",scope="x:y:pull", Basic realm="r"';

describe('how a registry asks for credentials', () => {
  it(
    'fault 22: Basic is asked for and there is no credential → unauthorized, one request',
    inWorld(async (world) => {
      const registry = await world.place();
      registry.answer(unauthorized('Basic realm="r"'));
      expect(await world.failureOf(registry.image, { pullSecrets: [] })).toMatchObject({
        code: 'unauthorized',
        message: expect.stringContaining('asks for a user name and password'),
      });
      expect(await world.digestOf(registry.image, { pullSecrets: [] })).toBe('unauthorized');
      expect(methodsOf(registry)).toEqual(['HEAD']);
    }),
  );

  it(
    'fault 23: Bearer without scope or service → the scope of the repository, and no service',
    inWorld(async (world) => {
      const registry = await registryWith(world, 'Bearer realm="/token"');
      expect(await world.digestOf(registry.image)).toBe(INDEX_DIGEST);
      const query = tokenQueryOf(registry);
      expect(query?.get('scope')).toBe('repository:team/app:pull');
      expect(query?.has('service')).toBe(false);
    }),
  );

  it(
    'fault 23: Bearer without realm → unauthorized, nobody else is asked',
    inWorld(async (world) => {
      const registry = await registryWith(world, 'Bearer service="s",scope="x:y:pull"');
      expect(await world.failureOf(registry.image)).toMatchObject({
        code: 'unauthorized',
        message: expect.stringContaining('names no token server'),
      });
      expect(methodsOf(registry)).toEqual(['HEAD']);
    }),
  );

  it.each<[string, readonly string[]]>([
    ['one header', [BOTH]],
    ['three headers', BOTH.split(/, (?=Bearer|Basic)/)],
  ])(
    'fault 24: Negotiate, Bearer and Basic in %s → Bearer, with all its parameters',
    inWorld(async (world, _what: string, lines: readonly string[]) => {
      const registry = await registryWith(world, ...lines);
      expect(await world.digestOf(registry.image)).toBe(INDEX_DIGEST);
      expect(Object.fromEntries(tokenQueryOf(registry) ?? [])).toEqual({
        client_id: 'tagpin',
        service: 's',
        scope: 'x:y:pull',
      });
    }),
  );

  it.each([
    { what: 'an escaped quote', line: 'Bearer realm="/token",service="a\\"b"', service: 'a"b' },
    { what: 'a comma in quotes', line: 'Bearer realm="/token",service="a,b"', service: 'a,b' },
    { what: 'an escaped letter', line: 'Bearer realm="/\\t\\oken",service="s"', service: 's' },
  ])(
    'fault 25: $what in a challenge → read as RFC 9110 has it',
    inWorld(async (world, { line, service }: { line: string; service: string }) => {
      const registry = await registryWith(world, line);
      expect(await world.digestOf(registry.image)).toBe(INDEX_DIGEST);
      expect(tokenQueryOf(registry)?.get('service')).toBe(service);
    }),
  );

  it.each([
    ['no closing quote', 'Bearer realm="/token'],
    ['nothing but separators', ',,, ,,'],
    ['15 KiB of open quotes and escapes', `Bearer realm="${'\\"'.repeat(7500)}`],
    ['15 KiB of schemes', 'a '.repeat(7500)],
  ])(
    'fault 25: %s → unauthorized, soon',
    inWorld(async (world, _what: string, line: string) => {
      const registry = await registryWith(world, line);
      expect(await world.digestOf(registry.image)).toBe('unauthorized');
      expect(methodsOf(registry)).toEqual(['HEAD']);
    }),
  );

  it.each(['/token', 'token', './token?x=1'])(
    'fault 26: the relative realm %s → resolved against the origin of the registry',
    inWorld(async (world, realm: string) => {
      const registry = await registryWith(world, `Bearer realm="${realm}"`);
      expect(await world.digestOf(registry.image)).toBe(INDEX_DIGEST);
      expect(tokenQueryOf(registry)).toBeDefined();
      expect(registry.requests[1]?.headers.authorization).toBe(registry.basic);
    }),
  );
});

describe('where a registry sends for a token', () => {
  it(
    'fault 27: an http realm of an https registry → refused, nobody is asked',
    inWorld(async (world) => {
      const registry = await world.place({ names: ['registry.example.com'] });
      registry.answer(unauthorized(`Bearer realm="http://${registry.host}/token"`));
      expect(await world.failureOf(registry.image)).toMatchObject({
        code: 'blocked_address',
        message: expect.stringContaining('--plain-http'),
      });
      expect(methodsOf(registry)).toEqual(['HEAD']);
    }),
  );

  it(
    'fault 27: the same where the operator allows http with that host → asked without a credential',
    inWorld(async (world) => {
      const registry = await world.place({ names: ['registry.example.com'] });
      const plain = await world.place();
      const token = world.canaries.hatch('token', registry, plain);
      plain.answer(issues({ token }));
      registry.answer(
        withAuthorization(`Bearer ${token}`),
        unauthorized(`Bearer realm="${plain.origin}/token"`),
      );
      expect(await world.digestOf(registry.image)).toBe(INDEX_DIGEST);
      expect(plain.requests[0]?.headers).not.toHaveProperty('authorization');
    }),
  );

  it.each(['auth.evil.test', 'registry.example.com.evil.test', 'example.org'])(
    'fault 28: a realm on the unrelated host %s → asked anonymously, at most',
    inWorld(async (world, name: string) => {
      const registry = await world.place({ names: ['registry.example.com'] });
      const stranger = await world.place({ names: [name] });
      stranger.answer({ status: 401 });
      registry.answer(unauthorized(`Bearer realm="${stranger.origin}/token"`));
      expect(await world.failureOf(registry.image)).toMatchObject({
        code: 'unauthorized',
        message: expect.stringContaining('the credential is not sent'),
      });
      expect(stranger.requests).toHaveLength(1);
      expect(stranger.requests[0]?.headers).not.toHaveProperty('authorization');
    }),
  );

  it(
    'fault 28: a realm on a host of the same domain → asked with the credential',
    inWorld(async (world) => {
      const registry = await world.place({ names: ['registry.example.com'] });
      const auth = await world.place({ names: ['auth.example.com'] });
      world.canaries.entrust(registry.credential, auth);
      const token = world.canaries.hatch('token', registry, auth);
      auth.answer(issues({ token }));
      registry.answer(
        withAuthorization(`Bearer ${token}`),
        unauthorized(`Bearer realm="${auth.origin}/token"`),
      );
      expect(await world.digestOf(registry.image)).toBe(INDEX_DIGEST);
      expect(auth.requests[0]?.headers.authorization).toBe(registry.basic);
    }),
  );

  it.each([
    ['https://169.254.169.254/token'],
    ['https://[::ffff:a9fe:a9fe]/token'],
    ['https://0.0.0.0:PORT/token'],
    ['https://[::]:PORT/token'],
    ['https://2130706434:PORT/token'],
    ['https://0x7f.2:PORT/token'],
    ['https://metadata.google.internal/computeMetadata/v1/'],
    ['https://disguised.example.com:PORT/token'],
  ])(
    'fault 29: the realm %s → refused before anything is dialled',
    inWorld(async (world, realm: string) => {
      world.set('allowAddress', '127.0.0.1/32');
      const registry = await world.place({ names: ['registry.example.com'] });
      const decoy = await world.place({ names: ['disguised.example.com'] });
      world.names.set('disguised.example.com', ['169.254.169.254']);
      decoy.answer(issues({ token: 'stolen' }));
      registry.answer(unauthorized(`Bearer realm="${realm.replace('PORT', String(decoy.port))}"`));
      expect(await world.digestOf(registry.image)).toBe('blocked_address');
      expect(decoy.requests).toEqual([]);
      expect(methodsOf(registry)).toEqual(['HEAD']);
    }),
  );

  it(
    'fault 32: a realm with a user name in it → refused, nobody is asked',
    inWorld(async (world) => {
      const registry = await world.place({ names: ['registry.example.com'] });
      registry.answer(unauthorized(`Bearer realm="https://u:p@${registry.host}/token"`));
      expect(await world.failureOf(registry.image)).toMatchObject({
        code: 'blocked_address',
        message: expect.stringContaining('it holds a user name'),
      });
      expect(methodsOf(registry)).toEqual(['HEAD']);
    }),
  );
});
