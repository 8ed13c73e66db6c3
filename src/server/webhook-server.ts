import type { RequestListener } from 'node:http';
import { createServer, type Server, type ServerOptions } from 'node:https';

/** An idle connection of the API server lives 90 s; ours must outlive it, or a call meets its end. */
const KEEP_ALIVE_MS = 100_000;
/** The longest call is 30 s. */
const HEADERS_TIMEOUT_MS = 32_000;
const REQUEST_TIMEOUT_MS = 35_000;
const MAX_HEADERS = 100;
/** Several API servers with 25 idle connections each, and room. */
const MAX_CONNECTIONS = 1000;

/** The HTTPS server around the app, before it has a certificate. HTTP/1.1 alone, as the API server asks. */
export function createWebhookServer(app: RequestListener, clients: ServerOptions = {}): Server {
  const server = createServer(
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
