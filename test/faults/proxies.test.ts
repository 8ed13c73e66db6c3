import { describe, expect, it } from '@jest/globals';

import { INDEX_DIGEST, told, unauthorized, withAuthorization } from '../support/answers.ts';
import { startProxy } from '../support/proxy.ts';
import { inWorld } from '../support/world.ts';

const NAME = 'registry.example.com';

describe('a proxy before the registries', () => {
  it.each([407, 502])(
    'fault 66: %i to CONNECT → a failure that names the proxy, and nothing it said',
    inWorld(async (world, status: number) => {
      await using proxy = await startProxy({ status });
      const password = world.canaries.hatch('proxy');
      world.environment['HTTPS_PROXY'] = `http://user:${password}@${proxy.host}`;
      const registry = await world.place({ names: [NAME] });
      registry.answer(told());
      const failure = await world.failureOf(registry.image);
      expect(failure).toMatchObject({
        code: 'unavailable',
        message: expect.stringContaining(proxy.host),
      });
      expect(failure.message).toContain(String(status));
      expect(failure.message).not.toContain('canary');
      expect(registry.requests).toEqual([]);
    }),
  );

  it(
    'fault 66: a proxy that lets pass → the registry, whose credential the proxy does not see, nor it the proxy’s',
    inWorld(async (world) => {
      await using proxy = await startProxy();
      const password = world.canaries.hatch('proxy');
      world.environment['HTTPS_PROXY'] = `http://user:${password}@${proxy.host}`;
      const registry = await world.place({ names: [NAME] });
      registry.answer(withAuthorization(registry.basic), unauthorized('Basic realm="r"'));
      expect(await world.digestOf(registry.image)).toBe(INDEX_DIGEST);
      expect(proxy.tunnels.map(({ target }) => target)).toContain(registry.host);
      for (const { headers } of proxy.tunnels) {
        expect(headers['proxy-authorization']).toBe(`Basic ${btoa(`user:${password}`)}`);
        expect(headers).not.toHaveProperty('authorization');
      }
    }),
  );

  it(
    'fault 66: NO_PROXY has the host → asked directly',
    inWorld(async (world) => {
      await using proxy = await startProxy({ status: 502 });
      world.environment['HTTPS_PROXY'] = proxy.origin;
      world.environment['NO_PROXY'] = '.example.com';
      const registry = await world.place({ names: [NAME] });
      registry.answer(told());
      expect(await world.digestOf(registry.image)).toBe(INDEX_DIGEST);
      expect(proxy.tunnels).toEqual([]);
    }),
  );

  it.each([
    [
      'NO_PROXY and an address of the metadata service',
      'disguised.example.com',
      'disguised.example.com',
    ],
    ['a proxy and a literal address of it', '169.254.169.254', ''],
    ['a proxy and a name of it', 'metadata.google.internal', ''],
  ])(
    'fault 66: %s → the guard refuses all the same',
    inWorld(async (world, ...row: string[]) => {
      const [, host = '', noProxy = ''] = row;
      await using proxy = await startProxy();
      world.environment['HTTPS_PROXY'] = proxy.origin;
      world.environment['NO_PROXY'] = noProxy;
      world.names.set('disguised.example.com', ['169.254.169.254']);
      expect(await world.digestOf(`${host}/team/app:1.0`)).toBe('blocked_address');
      expect(proxy.tunnels).toEqual([]);
    }),
  );
});
