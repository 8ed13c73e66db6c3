import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

/** A server of plain files on a loopback address: it knows nothing of registries. */
export interface StaticServer extends AsyncDisposable {
  /** `127.0.0.1:PORT`, as it stands in a reference. */
  readonly host: string;
}

/** Serves a directory, all of it under one content type, or without any. */
export async function startStaticServer(
  directory: string,
  contentType: string | undefined,
): Promise<StaticServer> {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '', 'http://static.invalid');
    const file = join(directory, decodeURIComponent(pathname));
    if (!existsSync(file)) {
      response.writeHead(404).end();
      return;
    }
    if (contentType !== undefined) response.setHeader('content-type', contentType);
    response.end(readFileSync(file));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    host: `127.0.0.1:${port}`,
    [Symbol.asyncDispose]: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
