import { createServer, type RequestListener } from 'node:http';
import { join } from 'node:path';

import type { Files } from './files.ts';

/** A real server on a socket of its own. */
export interface ScriptedDaemon extends AsyncDisposable {
  readonly socketPath: string;
}

/** Starts what listens where a container daemon would. */
export async function startDaemon(
  files: Files,
  name: string,
  listener: RequestListener,
): Promise<ScriptedDaemon> {
  const server = createServer(listener);
  const socketPath = join(files.directory, name);
  await new Promise<void>((resolve) => {
    server.listen(socketPath, resolve);
  });
  return {
    socketPath,
    [Symbol.asyncDispose]: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** What Docker answers that has these images (Docker Engine API, `GET /images/json`), or podman, by its name. */
export function dockerWith(
  images: unknown,
  server: string = 'Docker/28.0.1 (linux)',
): RequestListener {
  return (request, response) => {
    response.setHeader('Api-Version', '1.48');
    response.setHeader('Server', server);
    if (request.url === '/_ping') response.end('OK');
    else if (request.url === '/v1.48/images/json') response.end(JSON.stringify(images));
    else response.writeHead(404).end();
  };
}
