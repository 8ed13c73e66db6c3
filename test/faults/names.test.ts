import { describe, expect, it } from '@jest/globals';

import { INDEX_DIGEST, told } from '../support/answers.ts';
import { inWorld, type World } from '../support/world.ts';

/** Images of names that DNS never answers for, each asked for by a namespace of its own. */
function askForHangingNames(world: World, count: number): readonly Promise<string>[] {
  return Array.from({ length: count }, (_, n) => {
    const name = `x${n}.example.net`;
    world.names.set(name, 'silence');
    const how = { namespace: `tenant-${n}`, pullSecrets: [], deadlineMs: 500 };
    return world.digestOf(`${name}/a/b:1`, how);
  });
}

describe('names that DNS never answers for', () => {
  it(
    'hold up neither a registry that answered before nor a new one',
    inWorld(async (world) => {
      // Slots for 64 of them.
      world.environment['UV_THREADPOOL_SIZE'] = '256';
      const [known, other] = [
        await world.place({ names: ['known.example.com'] }),
        await world.place({ names: ['new.example.com'] }),
      ];
      known.answer({ ...told(), headers: { ...told().headers, connection: 'close' } });
      other.answer(told());
      expect(await world.digestOf(known.image)).toBe(INDEX_DIGEST);
      const codes = await Promise.all(askForHangingNames(world, 60));
      expect(new Set(codes)).toEqual(new Set(['deadline_exceeded']));
      // Too late for a second attempt.
      world.pass(8000);
      expect(await world.digestOf(`${known.host}/team/app:2.0`)).toBe(INDEX_DIGEST);
      expect(await world.digestOf(other.image, { deadlineMs: 8000 })).toBe(INDEX_DIGEST);
    }),
  );

  it(
    'take no more than their part, and what is named is asked all the same',
    inWorld(async (world) => {
      world.environment['UV_THREADPOOL_SIZE'] = '16';
      const named = await world.place({ names: ['named.example.com'] });
      named.answer(told());
      await Promise.all(askForHangingNames(world, 60));
      world.pass(8000);
      world.names.set('new.example.org', ['127.0.0.1']);
      const how = { pullSecrets: [], deadlineMs: 8000 };
      expect(await world.failureOf('new.example.org/a/b:1', how)).toMatchObject({
        code: 'dns_failed',
        message: 'new.example.org is not asked: too many names are being looked up',
        asked: false,
      });
      expect(await world.digestOf(named.image)).toBe(INDEX_DIGEST);
    }),
  );
});
