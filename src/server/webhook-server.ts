import type { RequestListener } from 'node:http';
import { Server, type ServerOptions } from 'node:https';
import type { Socket } from 'node:net';

/** An idle connection of the API server lives 90 s; ours must outlive it, or a call meets its end. */
const KEEP_ALIVE_MS = 100_000;
/** The longest call is 30 s. */
const HEADERS_TIMEOUT_MS = 32_000;
const REQUEST_TIMEOUT_MS = 35_000;
const MAX_HEADERS = 100;
/** Several API servers with 25 idle connections each, and room. */
const MAX_CONNECTIONS = 1000;
/** A first call follows its connection at once; a server that closes waits so long for it. */
const FIRST_CALL_MS = 1000;

/**
 * Go's client dials while it waits for a connection that is free, and keeps what it then did not need
 * (net/http, Transport). Node counts a connection that never had a call as busy: without this a server
 * that closes waits for it as for a call.
 */
class WebhookServer extends Server {
  readonly #unused = new Set<Socket>();

  constructor(options: ServerOptions, app: RequestListener) {
    super(options, app);
    this.on('secureConnection', (socket) => {
      this.#unused.add(socket);
      socket.once('close', () => this.#unused.delete(socket));
    });
    this.on('request', ({ socket }) => this.#unused.delete(socket));
  }

  /** Those that never had a call as well. `close()` begins with this. */
  override closeIdleConnections(): void {
    super.closeIdleConnections();
    setTimeout(() => {
      for (const socket of this.#unused) socket.destroy();
    }, FIRST_CALL_MS).unref();
  }
}

/** The HTTPS server around the app, before it has a certificate. HTTP/1.1 alone, as the API server asks. */
export function createWebhookServer(app: RequestListener, clients: ServerOptions = {}): Server {
  const server = new WebhookServer(
    {
      ...clients,
      minVersion: 'TLSv1.2',
      ALPNProtocols: ['http/1.1'],
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
    },
    app,
  );
  server.maxHeadersCount = MAX_HEADERS;
  server.maxConnections = MAX_CONNECTIONS;
  return server;
}
