import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';

import { describe, expect, it } from '@jest/globals';

import { createRegistryStack } from '../support/registry-stack.ts';
import { until } from '../support/until.ts';

const REQUESTS = 4;

describe('createTransport() with a host that never speaks TLS', () => {
  it('makes the connections of several requests side by side, and does not wait for the first', async () => {
    const sockets: Socket[] = [];
    const server = createServer((socket) => {
      sockets.push(socket.on('error', () => {}));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const stack = createRegistryStack();
    const signal = new AbortController().signal;
    const asking = Array.from({ length: REQUESTS }, (_, n) =>
      stack.lookup(`127.0.0.1:${port}/app:${n}`, { credentials: [], signal }),
    );
    const ended = Promise.allSettled(asking);
    await until(() => sockets.length === REQUESTS);
    expect(sockets).toHaveLength(REQUESTS);
    for (const socket of sockets) socket.destroy();
    server.close();
    await ended;
    await stack.transport.close();
  });
});
