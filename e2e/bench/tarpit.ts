import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';

/** Hosts that accept a connection and say nothing, ever. */
export interface Tarpit {
  /** `ADDRESS:PORT`. */
  readonly hosts: readonly string[];
  readonly close: () => void;
}

/** So many hosts, each on a loopback address of its own; `net` differs from that of any other. */
export async function startTarpit(count: number, net: number): Promise<Tarpit> {
  const sockets = new Set<Socket>();
  const servers = Array.from({ length: count }, () =>
    createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => socket.destroy());
      socket.once('close', () => sockets.delete(socket));
      socket.resume();
    }),
  );
  const hosts: string[] = [];
  for (const [index, server] of servers.entries()) {
    const address = `127.${net}.${Math.floor(index / 250)}.${(index % 250) + 1}`;
    server.listen(0, address);
    await once(server, 'listening');
    hosts.push(`${address}:${portOf(server)}`);
  }
  return {
    hosts,
    close: () => {
      for (const server of servers) server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('No port was assigned');
  return address.port;
}
