import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';

import { afterEach, beforeAll, describe, expect, it } from '@jest/globals';

import { type Connection, RefusedByServer } from '../../src/shared-cache/connection.ts';
import { loadRedis } from '../../src/shared-cache/redis-connection.ts';

let connect: Awaited<ReturnType<typeof loadRedis>>;
let server: Server | undefined;
let connection: Connection | undefined;

beforeAll(async () => {
  connect = await loadRedis();
});

afterEach(async () => {
  connection?.close();
  server?.close();
  if (server?.listening === false) await once(server, 'close');
});

/** A connection to whoever says that nothing stands under the first name, and then says this. */
async function connectionTo(answer: string): Promise<Connection> {
  const answers = ['$0\r\n\r\n'];
  server = createServer((socket) => {
    socket.on('data', () => void socket.write(answers.shift() ?? answer));
    socket.on('error', () => {});
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- of a server that listens on a port
  const { port } = server.address() as AddressInfo;
  connection = await connect({
    host: '127.0.0.1',
    port,
    tls: false,
    database: 0,
    credentials: () => ({ username: undefined, password: undefined }),
    authorities: () => undefined,
  });
  return connection;
}

describe('loadRedis() gives a connection that', () => {
  it.each([
    ['what stands under a name', '$3\r\nabc\r\n', 'abc'],
    ['nothing', '$0\r\n\r\n', ''],
    ['nothing, by the protocol of others', '$-1\r\n', ''],
  ])('reads %s', async (_what, answer, value) => {
    expect(await (await connectionTo(answer)).read('name', 10)).toBe(value);
  });

  it.each([
    ['a number', ':5\r\n'],
    ['a truth', '#t\r\n'],
    ['a map', '%1\r\n+a\r\n+b\r\n'],
    ['a list', '*1\r\n$3\r\nabc\r\n'],
  ])('takes %s for no value', async (_what, answer) => {
    const asked = (await connectionTo(answer)).read('name', 10);
    await expect(asked).rejects.toThrow('it answered with something that is no text');
  });

  it('repeats no more of a refusal than its code', async () => {
    const asked = (await connectionTo('-WRONGPASS for hunter2\r\n')).read('name', 10);
    await expect(asked).rejects.toEqual(new RefusedByServer('it answered WRONGPASS'));
  });

  it.each([
    ['more answers than there were questions', '$1\r\na\r\n$1\r\nb\r\n'],
    ['what is no answer', 'HTTP/1.1 400 Bad Request\r\n\r\n'],
    ['lists in lists without an end', '*1\r\n'.repeat(100_000)],
  ])('is lost to %s', async (_what, answer) => {
    const made = await connectionTo(answer);
    made.read('name', 10).catch(() => {});
    expect(Error.isError(await made.lost)).toBe(true);
  });
});
