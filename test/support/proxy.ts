import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, connect, type Socket } from 'node:net';

import type { KeyPair } from './certificate.ts';

/** What a proxy was asked for. */
interface Tunnel {
  /** `HOST:PORT` of the far end. */
  readonly target: string;
  readonly headers: IncomingHttpHeaders;
}

export interface ConnectProxyOptions {
  /** Instead of 200. */
  readonly status?: number;
  /** Nothing is ever answered. */
  readonly silent?: boolean;
  /** The proxy itself speaks TLS. */
  readonly pair?: KeyPair;
  /** Ports of 127.0.0.1, by the `HOST:PORT` that is asked for; otherwise its own. */
  readonly ports?: ReadonlyMap<string, number>;
}

/** A real CONNECT proxy, whose DNS knows 127.0.0.1 alone. */
export interface ConnectProxy extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
  readonly origin: string;
  readonly tunnels: readonly Tunnel[];
}

/** Starts a proxy on a free port of 127.0.0.1. */
export async function startProxy(options: ConnectProxyOptions = {}): Promise<ConnectProxy> {
  const { status = 200, silent = false, pair, ports } = options;
  const tunnels: Tunnel[] = [];
  const sockets = new Set<Socket>();
  const server = pair === undefined ? createServer() : createTlsServer(pair);
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
  });
  server.on('connect', ({ url = '', headers }, near) => {
    tunnels.push({ target: url, headers });
    near.on('error', () => {});
    if (silent) return;
    if (status !== 200) {
      near.end(`HTTP/1.1 ${status} No\r\ncontent-length: 6\r\n\r\ncanary`);
      return;
    }
    const port = ports?.get(url) ?? Number(url.split(':').at(-1));
    const far = connect(port, '127.0.0.1', () => {
      near.write('HTTP/1.1 200 OK\r\n\r\n');
      far.pipe(near).pipe(far);
    });
    sockets.add(far);
    far.on('error', () => near.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const host = `127.0.0.1:${port}`;
  return {
    host,
    port,
    origin: `${pair === undefined ? 'http' : 'https'}://${host}`,
    tunnels,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}
