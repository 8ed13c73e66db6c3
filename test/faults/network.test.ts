import { createServer, type Server, type Socket } from 'node:net';

import { describe, expect, it } from '@jest/globals';

import { PinError } from '../../src/errors.ts';
import { INDEX_DIGEST, methodsOf, served, told } from '../support/answers.ts';
import type { Fault } from '../support/fault.ts';
import { until } from '../support/until.ts';
import { inWorld } from '../support/world.ts';

/** A port that accepts connections and says nothing. */
async function silentPort(): Promise<{ readonly port: number } & AsyncDisposable> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => void sockets.add(socket));
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  return {
    port: typeof address === 'object' ? (address?.port ?? 0) : 0,
    [Symbol.asyncDispose]: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

describe('what the network does', () => {
  it.each<Fault>(['drip', 'silent_body'])(
    'fault 18: a body in a "%s" → ends at the deadline of whoever asks',
    inWorld(async (world, fault: Fault) => {
      const registry = await world.place();
      registry.answer({ when: { method: 'HEAD' } }, { fault });
      expect(await world.digestOf(registry.image, { deadlineMs: 150 })).toBe('deadline_exceeded');
    }),
  );

  it(
    'fault 18: a body that drips → its connection is closed at the deadline of the look-up, its place is free',
    inWorld(async (world) => {
      const registry = await world.place();
      const open = { count: 0 };
      registry.answer(
        { when: { method: 'HEAD' } },
        {
          fault: 'drip',
          observe: ({ socket }) => {
            open.count += 1;
            socket?.once('close', () => {
              open.count -= 1;
            });
          },
        },
      );
      // Loaded late: a world must be the first to load what asks DNS.
      await world.metrics();
      const { createRegistryStack } = await import('../support/registry-stack.ts');
      await using stack = createRegistryStack({ plainHttp: [registry.host] });
      const credentials = [registry.credential];
      const signal = AbortSignal.timeout(100);
      const drip = stack.lookup(registry.image, { credentials, signal });
      await expect(drip).rejects.toMatchObject({ code: 'deadline_exceeded' });
      await until(() => open.count === 0);
      expect(methodsOf(registry)).toEqual(['HEAD', 'GET']);
    }),
  );

  it(
    'fault 19: headers never arrive → deadline_exceeded',
    inWorld(async (world) => {
      const registry = await world.place();
      registry.answer({ fault: 'silence' });
      expect(await world.digestOf(registry.image, { deadlineMs: 100 })).toBe('deadline_exceeded');
    }),
  );

  it(
    'fault 19: a TLS handshake that stalls → deadline_exceeded',
    inWorld(async (world) => {
      await using silent = await silentPort();
      world.set('allowRegistry', `127.0.0.1:${silent.port}`);
      const image = `127.0.0.1:${silent.port}/team/app:1.0`;
      expect(await world.digestOf(image, { deadlineMs: 100 })).toBe('deadline_exceeded');
    }),
  );

  it(
    'fault 19: DNS that never answers → deadline_exceeded',
    inWorld(async (world) => {
      world.names.set('registry.example.com', 'silence');
      const image = 'registry.example.com/team/app:1.0';
      expect(await world.digestOf(image, { deadlineMs: 100 })).toBe('deadline_exceeded');
    }),
  );

  it(
    'fault 20: a header of 32 KiB, or 2,000 of them → a failure, and the next look-up works',
    inWorld(async (world) => {
      const registry = await world.place();
      const many = Object.fromEntries(
        Array.from({ length: 2000 }, (_, n) => [`x-${n}`, 'a'.repeat(10)]),
      );
      registry.answer(
        { when: { path: '/v2/team/app/manifests/long' }, fault: 'large_header' },
        { when: { path: '/v2/team/app/manifests/many' }, headers: many },
        told(),
      );
      for (const tag of ['long', 'many']) {
        expect(await world.failureOf(`${registry.host}/team/app:${tag}`)).toMatchObject({
          code: 'invalid_response',
          message: `${registry.host} does not speak HTTP properly`,
        });
        world.pass(30_000);
      }
      expect(await world.digestOf(registry.image)).toBe(INDEX_DIGEST);
    }),
  );

  it(
    'fault 21: a reset before the answer → one more attempt, on a fresh connection',
    inWorld(async (world) => {
      const registry = await world.place();
      registry.answer({ fault: 'reset', times: 1 }, told());
      expect(await world.digestOf(registry.image)).toBe(INDEX_DIGEST);
      expect(methodsOf(registry)).toEqual(['HEAD', 'HEAD']);
    }),
  );

  // GOAWAY is of HTTP/2, which is not spoken: the like of it is a kept connection that is reset.
  it(
    'fault 21: a kept connection is reset with the next request → one more attempt',
    inWorld(async (world) => {
      const registry = await world.place();
      registry.answer({ ...told(), times: 1 }, { fault: 'reset', times: 1 }, told());
      expect(await world.digestOf(registry.image)).toBe(INDEX_DIGEST);
      expect(await world.digestOf(`${registry.host}/team/app:2`)).toBe(INDEX_DIGEST);
      expect(methodsOf(registry)).toEqual(['HEAD', 'HEAD', 'HEAD']);
    }),
  );

  it(
    'fault 21: resets for ever → unavailable after two attempts',
    inWorld(async (world) => {
      const registry = await world.place();
      registry.answer({ fault: 'reset' });
      expect(await world.digestOf(registry.image)).toBe('unavailable');
      expect(methodsOf(registry)).toEqual(['HEAD', 'HEAD']);
    }),
  );

  it.each([500, 502, 503, 504])(
    'fault 52: %i once, then 200 → the second attempt, then the cache',
    inWorld(async (world, status: number) => {
      const registry = await world.place();
      registry.answer({ status, times: 1 }, told());
      expect(await world.digestOf(registry.image)).toBe(INDEX_DIGEST);
      expect(await world.digestOf(registry.image)).toBe(INDEX_DIGEST);
      expect(methodsOf(registry)).toEqual(['HEAD', 'HEAD']);
      expect(world.observed).toEqual(['miss', 'hit']);
    }),
  );

  it.each<[string, string | Buffer]>([
    ['HTML', '<html><body>canary-body</body></html>'],
    ['empty', ''],
    ['JSON of another kind', '{"details":"canary-body"}'],
    ['10 MiB', Buffer.alloc(10 * 1024 * 1024, 'canary-body ')],
    ['of terminal escapes and new lines', '\u001b[31mcanary-body\r\nAuthorization: Basic Zm9v'],
    [
      'an error in the form of the specification',
      '{"errors":[{"code":"canary-body","message":"canary-body"}]}',
    ],
  ])(
    'fault 54: an error body that is %s → cut off, and nothing of it is told',
    inWorld(async (world, _what: string, body: string | Buffer) => {
      const [registry, hop] = [await world.place(), await world.place()];
      registry.answer({ when: { method: 'HEAD' }, status: 405 }, { status: 404, body });
      hop.answer({ when: { method: 'HEAD' }, status: 405 }, { status: 503, body });
      for (const image of [registry.image, hop.image]) {
        const failure = await world.failureOf(image);
        expect(failure).toBeInstanceOf(PinError);
        expect(failure.message).not.toMatch(/canary-body|\p{Cc}/u);
        expect(failure.message.length).toBeLessThan(300);
      }
      expect(await world.metrics()).not.toContain('canary-body');
    }),
  );

  it(
    'fault 68: the clock of the day jumps by an hour → caches go on by the monotonic one',
    inWorld(async (world) => {
      const registry = await world.place();
      registry.answer(
        {
          when: { headers: { authorization: null } },
          status: 401,
          headers: { 'www-authenticate': 'Bearer realm="/token"' },
        },
        { when: { path: '/token' }, body: JSON.stringify({ token: 't1', expires_in: 300 }) },
        served({ 'docker-content-digest': INDEX_DIGEST }),
      );
      const { now } = Date;
      const seen: string[] = [];
      try {
        for (const jumpMs of [0, 3_600_000, -3_600_000]) {
          Date.now = () => now() + jumpMs;
          seen.push(await world.digestOf(registry.image));
        }
        expect(seen).toEqual([INDEX_DIGEST, INDEX_DIGEST, INDEX_DIGEST]);
        expect(world.observed).toEqual(['miss', 'hit', 'hit']);
        expect(registry.requests).toHaveLength(3);
        world.pass(60_000);
        expect(await world.digestOf(registry.image)).toBe(INDEX_DIGEST);
        // The digest was an hour old in no clock but the one that jumped; the token is good still.
        expect(registry.requests).toHaveLength(4);
      } finally {
        Date.now = now;
      }
    }),
  );
});
