import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';

/** A registry in this process that serves a few tags, and counts what it is asked. */
export interface SampleRegistry {
  /** `127.0.0.1:PORT`. */
  readonly host: string;
  /** `HEAD /v2/…`, in the order of arrival. */
  readonly requests: readonly string[];
  /** The digest under a tag such as `shop/web:1.4`. */
  readonly digestOf: (tag: string) => string;
  readonly close: () => void;
}

/** An index of two platforms, so small that its bytes can be told apart by their tag alone. */
function indexOf(tag: string): Buffer {
  const child = (architecture: string) => ({
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    digest: digestOf(Buffer.from(`${tag} for ${architecture}`)),
    size: 1000,
    platform: { os: 'linux', architecture },
  });
  const index = {
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.index.v1+json',
    manifests: [child('amd64'), child('arm64')],
  };
  return Buffer.from(JSON.stringify(index));
}

function digestOf(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

/** Serves the tags, each as an index of its own. `delayMs` makes it a registry far away. */
export async function startSampleRegistry(
  tags: readonly string[],
  delayMs = 0,
): Promise<SampleRegistry> {
  const indexes = new Map(tags.map((tag) => [tag, indexOf(tag)]));
  const requests: string[] = [];
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    setTimeout(() => answer(indexes, request, response), delayMs);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    host: `127.0.0.1:${portOf(server)}`,
    requests,
    digestOf: (tag) => {
      const index = indexes.get(tag);
      if (index === undefined) throw new Error(`The sample registry has no ${tag}`);
      return digestOf(index);
    },
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

function answer(
  indexes: ReadonlyMap<string, Buffer>,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const [, repository, tag] = /^\/v2\/(.+)\/manifests\/(.+)$/.exec(request.url ?? '') ?? [];
  const index = indexes.get(`${repository}:${tag}`);
  if (index === undefined) {
    response.writeHead(404).end();
    return;
  }
  response.writeHead(200, {
    'content-type': 'application/vnd.oci.image.index.v1+json',
    'content-length': index.length,
    'docker-content-digest': digestOf(index),
  });
  response.end(request.method === 'HEAD' ? undefined : index);
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('No port was assigned');
  return address.port;
}
