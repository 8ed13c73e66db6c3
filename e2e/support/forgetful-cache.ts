import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

import { MANIFEST_ACCEPT } from '../../src/image/manifest.ts';
import type { Registry } from './registry.ts';

/** A pull-through cache that knows tags and no digests, as Amazon's does of what it has not imported. */
export interface ForgetfulCache extends AsyncDisposable {
  /** `127.0.0.1:PORT`, as it stands in a reference. */
  readonly host: string;
  /** From now on it knows digests as well. */
  remember(): void;
}

/** Starts one in front of a registry. */
export async function startForgetfulCache(upstream: Registry): Promise<ForgetfulCache> {
  let forgets = true;
  const answer = async (message: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { url = '', method = '' } = message;
    if (forgets && url.includes('/manifests/sha256:')) {
      response.writeHead(404).end();
      return;
    }
    const headers = { accept: MANIFEST_ACCEPT };
    const found = await fetch(`http://${upstream.host}${url}`, { method, headers });
    for (const name of ['content-type', 'docker-content-digest']) {
      response.setHeader(name, found.headers.get(name) ?? '');
    }
    response.writeHead(found.status).end(Buffer.from(await found.arrayBuffer()));
  };
  const server = createServer((message, response) => void answer(message, response));
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    remember: () => {
      forgets = false;
    },
    [Symbol.asyncDispose]: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
