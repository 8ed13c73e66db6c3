import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** A Service of one endpoint at a time: what connects to its port reaches the one it points at. */
export class Switch {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #target: number | undefined;

  constructor() {
    this.#server = createServer((socket) => this.#forward(socket));
  }

  async listen(port: number): Promise<void> {
    this.#server.listen(port, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  /** From now on; connections that stand, which an API server would use on, are ended. */
  pointAt(port: number): void {
    this.#target = port;
    for (const socket of this.#sockets) socket.destroy();
  }

  /** New connections alone, as in a rollout: those that stand are their server's to end. */
  leadTo(port: number): void {
    this.#target = port;
  }

  async close(): Promise<void> {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await once(this.#server, 'close');
  }

  #forward(socket: Socket): void {
    if (this.#target === undefined) {
      socket.destroy();
      return;
    }
    const upstream = connect({ port: this.#target, host: '127.0.0.1', noDelay: true });
    this.#sockets.add(socket);
    const end = (): void => {
      this.#sockets.delete(socket);
      socket.destroy();
      upstream.destroy();
    };
    for (const side of [socket, upstream]) {
      side.on('error', end);
      side.on('close', end);
    }
    socket.pipe(upstream).pipe(socket);
  }
}
