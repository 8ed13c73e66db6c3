import { describe, expect, it } from '@jest/globals';

import {
  INDEX_DIGEST,
  methodsOf,
  told,
  unauthorized,
  withAuthorization,
} from '../support/answers.ts';
import { inWorld } from '../support/world.ts';

const NAME = 'registry.example.com';

describe('the addresses of a name', () => {
  it(
    'fault 30: public with the first question and private with the second → the second is refused, only vetted addresses are dialled',
    inWorld(async (world) => {
      world.set('allowAddress', '127.0.0.1/32');
      const registry = await world.place({ names: [NAME] });
      const answers = [['127.0.0.1'], ['127.0.0.2'], ['169.254.169.254']];
      let asked = 0;
      world.names.set(NAME, () => answers[asked++] ?? []);
      const closing = { ...told(), headers: { ...told().headers, connection: 'close' } };
      registry.answer(closing);
      expect(await world.digestOf(`${registry.host}/team/app:1`)).toBe(INDEX_DIGEST);
      expect(await world.digestOf(`${registry.host}/team/app:2`)).toBe('blocked_address');
      expect(await world.digestOf(`${registry.host}/team/app:3`)).toBe('blocked_address');
      expect(asked).toBe(3);
      expect(registry.requests).toHaveLength(1);
    }),
  );

  it(
    'fault 30: between a challenge and its answer → no credential is sent',
    inWorld(async (world) => {
      world.set('allowAddress', '127.0.0.1/32');
      const registry = await world.place({ names: [NAME] });
      let asked = 0;
      world.names.set(NAME, () => [asked++ === 0 ? '127.0.0.1' : '127.0.0.2']);
      const asks = unauthorized('Basic realm="r"');
      registry.answer(withAuthorization(registry.basic), {
        ...asks,
        headers: { ...asks.headers, connection: 'close' },
      });
      expect(await world.digestOf(registry.image)).toBe('blocked_address');
      expect(methodsOf(registry)).toEqual(['HEAD']);
    }),
  );

  it.each([
    ['loopback', ['127.0.0.1', '127.0.0.2']],
    ['private', ['127.0.0.1', '10.0.0.1']],
    ['link-local', ['127.0.0.1', '169.254.169.254']],
    ['IPv6 loopback', ['127.0.0.1', '::1']],
    ['IPv4 in IPv6', ['127.0.0.1', '::ffff:a9fe:a9fe']],
    ['NAT64 of a metadata service', ['127.0.0.1', '64:ff9b::a9fe:a9fe']],
  ])(
    'fault 31: one that is allowed and one that is %s → none is dialled',
    inWorld(async (world, what: string, addresses: string[]) => {
      world.set('allowAddress', '127.0.0.1/32');
      const registry = await world.place({ names: [NAME], isNamed: what !== 'private' });
      world.names.set(NAME, addresses);
      if (what === 'private') world.set('allowRegistry', `other.example.com:${registry.port}`);
      registry.answer(told());
      expect(await world.digestOf(registry.image)).toBe('blocked_address');
      expect(registry.requests).toEqual([]);
    }),
  );

  it(
    'fault 67: the IPv6 address refuses and the IPv4 one answers → pinned',
    inWorld(async (world) => {
      const registry = await world.place({ names: [NAME] });
      world.names.set(NAME, ['::1', '127.0.0.1']);
      registry.answer(told());
      expect(await world.digestOf(registry.image)).toBe(INDEX_DIGEST);
    }),
  );

  it(
    'fault 67: both families are vetted → an address that is refused spoils the other',
    inWorld(async (world) => {
      const registry = await world.place({ names: [NAME] });
      world.names.set(NAME, ['fe80::1', '127.0.0.1']);
      registry.answer(told());
      expect(await world.digestOf(registry.image)).toBe('blocked_address');
      expect(registry.requests).toEqual([]);
    }),
  );
});
