import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';

import type { KeyPair } from '../support/certificate.ts';

/** A registry in this process that has every tag. */
export interface TagRegistry {
  /** `127.0.0.1:PORT`. */
  readonly host: string;
  /** How many requests it has had. */
  readonly requests: () => number;
  readonly close: () => void;
}

export interface TagRegistryOptions {
  /** How far away it is; may be another time at each request. */
  readonly delayMs?: () => number;
  /** Speaks https with it; http without. */
  readonly pair?: KeyPair;
  /** The status of the next answer; 200 unless told otherwise. */
  readonly status?: () => number;
}

/** Answers every question with a digest that belongs to the tag. */
export async function startTagRegistry(options: TagRegistryOptions = {}): Promise<TagRegistry> {
  const { pair, delayMs } = options;
  let requests = 0;
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    requests += 1;
    const waitMs = delayMs?.() ?? 0;
    if (waitMs === 0) answer(options, request, response);
    else setTimeout(() => answer(options, request, response), waitMs);
  };
  const server =
    pair === undefined
      ? createServer(listener)
      : createTlsServer({ cert: pair.certificate, key: pair.key }, listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('No port was assigned');
  return {
    host: `127.0.0.1:${address.port}`,
    requests: () => requests,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

function answer(
  { status }: TagRegistryOptions,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const code = status?.() ?? 200;
  if (code !== 200) {
    response.writeHead(code, { 'retry-after': '1' }).end();
    return;
  }
  const digest = createHash('sha256')
    .update(request.url ?? '')
    .digest('hex');
  const headers = {
    'content-type': 'application/vnd.oci.image.index.v1+json',
    'docker-content-digest': `sha256:${digest}`,
  };
  response.writeHead(200, headers).end();
}
