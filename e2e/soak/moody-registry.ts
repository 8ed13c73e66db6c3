import { createHash, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';

import type { TagStore } from './soak-tag.ts';

/** How it answers: as it should, or as other registries were seen to. */
export type Mood = 'well' | 'limits' | 'fails' | 'nonsense' | 'no digest';

interface Manifest {
  readonly digest: string;
  readonly bytes: Buffer;
}

const MEDIA_TYPE = 'application/vnd.oci.image.index.v1+json';
const MANIFEST = /^\/v2\/(.+)\/manifests\/([^/]+)$/;

/** A registry in this process that misbehaves when it is told to. */
export class MoodyRegistry implements TagStore {
  /** By `REPOSITORY:TAG`. */
  readonly #tags = new Map<string, Manifest>();
  readonly #server = createServer((request, response) => this.#answer(request, response));
  #mood: Mood = 'well';
  #host = '';

  /** `127.0.0.1:PORT`. */
  get host(): string {
    return this.#host;
  }

  async start(): Promise<void> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('No port was assigned');
    this.#host = `127.0.0.1:${address.port}`;
  }

  stop(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  become(mood: Mood): void {
    this.#mood = mood;
  }

  push(repository: string, version: string): Promise<string> {
    const annotations = { 'e2e.example.com/id': randomUUID() };
    const index = { schemaVersion: 2, mediaType: MEDIA_TYPE, manifests: [], annotations };
    const bytes = Buffer.from(JSON.stringify(index));
    const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
    this.#tags.set(`${repository}:${version}`, { digest, bytes });
    return Promise.resolve(digest);
  }

  point(repository: string, tag: string, version: string): Promise<void> {
    const manifest = this.#tags.get(`${repository}:${version}`);
    if (manifest === undefined) throw new Error(`${repository} has no version ${version}`);
    this.#tags.set(`${repository}:${tag}`, manifest);
    return Promise.resolve();
  }

  remove(repository: string, tag: string): Promise<void> {
    this.#tags.delete(`${repository}:${tag}`);
    return Promise.resolve();
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    if (this.#mood === 'limits') response.writeHead(429, { 'retry-after': '1' }).end();
    else if (this.#mood === 'fails') response.writeHead(500).end();
    else if (this.#mood === 'nonsense') answerNonsense(response);
    else this.#serve(request, response);
  }

  #serve({ method, url = '' }: IncomingMessage, response: ServerResponse): void {
    const [, repository, tag] = MANIFEST.exec(url) ?? [];
    const manifest = this.#tags.get(`${repository}:${tag}`);
    if (manifest === undefined) {
      response.writeHead(404, { 'content-type': 'application/json' });
      response.end('{"errors":[{"code":"MANIFEST_UNKNOWN"}]}');
      return;
    }
    response.writeHead(200, {
      'content-type': MEDIA_TYPE,
      'content-length': manifest.bytes.length,
      ...(this.#mood === 'well' && { 'docker-content-digest': manifest.digest }),
    });
    response.end(method === 'HEAD' ? undefined : manifest.bytes);
  }
}

/** As a portal does that wants its users to log in first. */
function answerNonsense(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/html' }).end('<html>Welcome</html>');
}
