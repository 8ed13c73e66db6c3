import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';

import type { KeyPair } from '../support/certificate.ts';

/** A registry in this process that has every tag. */
export interface TagRegistry {
  /** `ADDRESS:PORT`. */
  readonly host: string;
  /** How many requests it has had. */
  readonly requests: () => number;
  readonly close: () => void;
}

export interface TagRegistryOptions {
  /** Of loopback; 127.0.0.1 unless told otherwise. */
  readonly address?: string;
  /** How far away it is; may be another time at each request. Infinity: it does not answer. */
  readonly delayMs?: () => number;
  /** Speaks https with it; http without. */
  readonly pair?: KeyPair;
  /** The status of the next answer; 200 unless told otherwise. */
  readonly status?: () => number;
}

/** Answers every question with a digest that belongs to the tag. */
export async function startTagRegistry(options: TagRegistryOptions = {}): Promise<TagRegistry> {
  const { address = '127.0.0.1', pair, delayMs } = options;
  let requests = 0;
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    requests += 1;
    const waitMs = delayMs?.() ?? 0;
    if (waitMs === 0) answer(options, request, response);
    else if (waitMs !== Number.POSITIVE_INFINITY)
      setTimeout(() => answer(options, request, response), waitMs);
  };
  const server =
    pair === undefined
      ? createServer(listener)
      : createTlsServer({ cert: pair.certificate, key: pair.key }, listener);
  server.listen(0, address);
  await once(server, 'listening');
  const at = server.address();
  if (at === null || typeof at === 'string') throw new Error('No port was assigned');
  return {
    host: `${address}:${at.port}`,
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
