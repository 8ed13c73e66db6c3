import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { Server, type ServerOptions } from 'node:https';
import type { Socket } from 'node:net';

/** An idle connection of the API server lives 90 s; ours must outlive it, or a call meets its end. */
const KEEP_ALIVE_MS = 100_000;
/** Of whoever calls: an API server does all three within milliseconds. */
const HANDSHAKE_TIMEOUT_MS = 5000;
const HEADERS_TIMEOUT_MS = 5000;
const REQUEST_TIMEOUT_MS = 10_000;
/** How often the last two are looked at. */
const CHECK_EVERY_MS = 1000;
const MAX_HEADERS = 100;
/** Several API servers with 25 idle connections each, and room. */
const MAX_CONNECTIONS = 1000;
/** A call follows its connection at once, and its body the head; a server that closes waits so long for both. */
const LAST_CALL_MS = 2000;

/** A connection from its first packet on. */
interface Connection {
  /** What the kernel has, below TLS. */
  readonly socket: Socket;
  /** The call that came last on it. */
  request: IncomingMessage | undefined;
  /** With 200, at some time: whoever calls here may call. */
  wasAnswered: boolean;
}

/**
 * Anybody may connect, and hold a connection open without ever calling. Where there are too many, the
 * oldest goes on which no call was answered, in place of the newest, which may be the API server's.
 *
 * Go's client dials while it waits for a connection that is free, and keeps what it then did not need
 * (net/http, Transport). Node counts a connection that never had a call as busy: without this a server
 * that closes waits for it as for a call.
 */
class WebhookServer extends Server {
  readonly #observeDropped: () => void;
  /** By address and port of the other side, oldest first. */
  readonly #connections = new Map<string, Connection>();
  /** By what TLS makes of their sockets. */
  readonly #byTlsSocket = new WeakMap<Socket, Connection>();

  constructor(options: ServerOptions, app: RequestListener, observeDropped: () => void) {
    super(options, app);
    this.#observeDropped = observeDropped;
    this.on('connection', (socket: Socket) => this.#admit(socket));
    this.on('secureConnection', (socket) => {
      const connection = this.#connections.get(keyOf(socket));
      if (connection !== undefined) this.#byTlsSocket.set(socket, connection);
    });
    this.on('request', (request, response) => this.#remember(request, response));
  }

  #admit(socket: Socket): void {
    const key = keyOf(socket);
    const connection = { socket, request: undefined, wasAnswered: false };
    this.#connections.set(key, connection);
    socket.once('close', () => {
      // The port may be in use by another connection by now.
      if (this.#connections.get(key) === connection) this.#connections.delete(key);
    });
    if (this.#connections.size <= MAX_CONNECTIONS) return;
    const strangers = [...this.#connections.values()].filter(({ wasAnswered }) => !wasAnswered);
    const oldest = strangers.find((one) => !isUnderWay(one)) ?? strangers[0];
    this.#observeDropped();
    oldest?.socket.destroy();
  }

  #remember(request: IncomingMessage, response: ServerResponse): void {
    const connection = this.#byTlsSocket.get(request.socket);
    if (connection === undefined) return;
    connection.request = request;
    if (connection.wasAnswered) return;
    response.once('finish', () => {
      connection.wasAnswered ||= response.statusCode === 200;
    });
  }

  /**
   * Those as well that never had a call, or have one that does not come to its end: Node looks at its
   * own limits no more once it closes. `close()` begins with this.
   */
  override closeIdleConnections(): void {
    super.closeIdleConnections();
    setTimeout(() => {
      for (const connection of this.#connections.values()) {
        if (!isUnderWay(connection)) connection.socket.destroy();
      }
    }, LAST_CALL_MS).unref();
  }
}

/** Whether all of a call has come. */
function isUnderWay({ request }: Connection): boolean {
  return request?.complete === true;
}

/** The same of a socket and of TLS over it. */
function keyOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}

export interface WebhookServerParts {
  /** For what callers show of themselves. */
  readonly clients?: ServerOptions;
  /** Told of each connection that went because there were too many. */
  readonly observeDropped: () => void;
}

/** The HTTPS server around the app, before it has a certificate. HTTP/1.1 alone, as the API server asks. */
export function createWebhookServer(
  app: RequestListener,
  { clients = {}, observeDropped }: WebhookServerParts,
): Server {
  const server = new WebhookServer(
    {
      ...clients,
      minVersion: 'TLSv1.2',
      ALPNProtocols: ['http/1.1'],
      handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      connectionsCheckingInterval: CHECK_EVERY_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
    },
    app,
    observeDropped,
  );
  server.maxHeadersCount = MAX_HEADERS;
  return server;
}
