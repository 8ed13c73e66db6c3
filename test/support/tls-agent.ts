import { Agent } from 'node:https';
import { connect, type TLSSocket } from 'node:tls';

interface Target {
  readonly host?: string | null | undefined;
  readonly servername?: string | undefined;
}

/** Dials one port of this machine for every host, trusting `ca` alone for that host's name. */
export class LocalTlsAgent extends Agent {
  readonly #port: number;
  readonly #ca: string;

  constructor({ port, ca }: { readonly port: number; readonly ca: string }) {
    super();
    this.#port = port;
    this.#ca = ca;
  }

  override createConnection({ servername, host }: Target): TLSSocket {
    const name = servername ?? host ?? '';
    return connect({ host: '127.0.0.1', port: this.#port, servername: name, ca: this.#ca });
  }
}
