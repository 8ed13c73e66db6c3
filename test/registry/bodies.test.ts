import { PassThrough } from 'node:stream';

import { describe, expect, it } from '@jest/globals';

import { type Bodies, createBodies } from '../../src/registry/bodies.ts';

const KIB = 1024;
const MIB = 1024 * KIB;
const NO_ROOM =
  'registry.test:5000 sent more than 256 KiB while too many long answers were being read';

/** A body that is being read. */
class Sending {
  readonly stream = new PassThrough({ highWaterMark: 64 * MIB });
  readonly read: Promise<Buffer>;

  constructor(bodies: Bodies) {
    const url = new URL('https://registry.test:5000/v2/');
    this.read = bodies.read(this.stream, { url, maxBodyBytes: 4 * MIB });
    // Looked at later.
    this.read.catch(() => {});
  }

  /** Resolves when it was read. */
  async send(bytes: number): Promise<void> {
    this.stream.write(Buffer.alloc(bytes, 'x'));
    while (this.stream.readableLength > 0) {
      // oxlint-disable-next-line no-await-in-loop -- one turn after the other
      await new Promise(setImmediate);
    }
    await new Promise(setImmediate);
  }
}

/** Bodies of so many MiB that do not end. */
async function sending(bodies: Bodies, sizes: readonly number[]): Promise<Sending[]> {
  return Promise.all(
    sizes.map(async (size) => {
      const body = new Sending(bodies);
      await body.send(size * MIB);
      return body;
    }),
  );
}

const FULL = [4, 4, 4, 4, 4, 4, 4, 4] as const;

describe('createBodies()', () => {
  it.each([[[]], [['all']], [['', 'a', 'bc', 'd', 'efg']], [Array.from({ length: 3000 }, String)]])(
    'gives back what came, in whatever pieces',
    async (pieces) => {
      const body = new Sending(createBodies());
      for (const piece of pieces) {
        // oxlint-disable-next-line no-await-in-loop -- piece by piece
        if (piece !== '') await body.send(0);
        body.stream.write(piece);
      }
      body.stream.end();
      expect((await body.read).toString()).toBe(pieces.join(''));
    },
  );

  it('changes no piece that somebody else may hold', async () => {
    const shared = Buffer.from('abcdef');
    const body = new Sending(createBodies());
    body.stream.write(shared.subarray(0, 2));
    await body.send(1);
    body.stream.end();
    expect((await body.read).toString()).toBe('abx');
    expect(shared.toString()).toBe('abcdef');
  });

  it('has room for 32 MiB, and refuses what is long beyond them', async () => {
    const bodies = createBodies();
    const held = await sending(bodies, FULL);
    const late = new Sending(bodies);
    await late.send(256 * KIB);
    await late.send(1);
    await expect(late.read).rejects.toMatchObject({
      code: 'unavailable',
      message: NO_ROOM,
      host: 'registry.test',
      asked: false,
    });
    expect(late.stream.destroyed).toBe(true);
    for (const { stream } of held) stream.end();
    const lengths = await Promise.all(held.map(async ({ read }) => (await read).length));
    expect(lengths).toStrictEqual(FULL.map((size) => size * MIB));
  });

  it('reads a small body however much is being read', async () => {
    const bodies = createBodies();
    await sending(bodies, FULL);
    const small = new Sending(bodies);
    await small.send(256 * KIB);
    small.stream.end();
    expect(await small.read).toHaveLength(256 * KIB);
  });

  it.each<[string, (body: Sending) => unknown]>([
    ['has ended', ({ stream }) => stream.end()],
    ['is broken off', ({ stream }) => stream.destroy(new Error('reset'))],
    ['is given up', ({ stream }) => stream.destroy()],
    ['is too long', (body) => body.send(1)],
  ])('has its room back when a body %s', async (_, end) => {
    const bodies = createBodies();
    const held = await sending(bodies, FULL);
    await Promise.all(held.map(end));
    await Promise.allSettled(held.map(({ read }) => read));
    const again = await sending(bodies, FULL);
    for (const { stream } of again) stream.end();
    expect(await Promise.all(again.map(({ read }) => read))).toHaveLength(FULL.length);
    const late = await sending(bodies, [4]);
    expect(late[0]?.stream.destroyed).toBe(false);
  });

  it('has its room back when a long body was refused', async () => {
    const bodies = createBodies();
    const held = await sending(bodies, FULL);
    const refused = await sending(bodies, [1, 2, 4]);
    await Promise.allSettled(refused.map(({ read }) => read));
    for (const { stream } of held) stream.end();
    await Promise.all(held.map(({ read }) => read));
    const again = await sending(bodies, FULL);
    for (const { stream } of again) stream.end();
    expect(await Promise.all(again.map(({ read }) => read))).toHaveLength(FULL.length);
  });
});
