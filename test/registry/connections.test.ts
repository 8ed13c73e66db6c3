import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';

import { describe, expect, it } from '@jest/globals';

import { createRegistryStack } from '../support/registry-stack.ts';
import { startRegistry } from '../support/scripted-registry.ts';
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

describe('createTransport() with what follows from an answer', () => {
  it('asks the whole of a first look-up, token and all, over one connection', async () => {
    await using registry = await startRegistry([
      { when: { path: '/token' }, body: '{"token":"t","expires_in":300}' },
      {
        when: { headers: { authorization: 'Bearer t' } },
        headers: { 'docker-content-digest': `sha256:${'a'.repeat(64)}` },
      },
      { status: 401, headers: { 'www-authenticate': 'Bearer realm="/token",service="s"' } },
    ]);
    await using stack = createRegistryStack({ plainHttp: [registry.host] });
    const signal = AbortSignal.timeout(30_000);

    await stack.lookup(`${registry.host}/app:1`, { credentials: [], signal });

    expect(registry.requests.map(({ method }) => method)).toEqual(['HEAD', 'GET', 'HEAD']);
    expect(registry.accepted()).toBe(1);
  });
});
