import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import {
  Agent,
  request as httpRequest,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

import { startTokenServer, type TokenServer } from '../../test/support/token-server.ts';
import { buildBinaries } from '../support/binaries.ts';
import { createCertificateAuthority } from '../support/certificate.ts';
import { type RunningDistribution, startDistribution } from '../support/distribution.ts';
import { copyTag, pushIndex } from '../support/image.ts';
import { type Proxy, startToxiproxy } from '../support/toxiproxy.ts';

/** A distribution registry over TLS that wants tokens, behind toxiproxy: some way off. */
export interface FarRegistry {
  /** Another name of it, so far unknown to everybody; no connection, no token and no tag of it is kept. */
  readonly anotherHost: () => Promise<Proxy>;
  /** What it was asked, tokens and all: `HEAD /v2/…`. */
  readonly requests: readonly string[];
  /** A PEM file of who signed its certificate. */
  readonly authorityFile: string;
  readonly stop: () => Promise<void>;
}

export interface FarRegistryOptions {
  readonly directory: string;
  readonly repositories: readonly string[];
  /** Of each repository. */
  readonly tags: readonly string[];
  readonly roundTripMs: number;
}

const ANYBODY = { username: 'nobody', password: 'not-a-secret', identityToken: 'not-a-secret' };

/**
 * Tokens are given out by the same host, as by ghcr.io, quay.io and Harbor: behind the proxy
 * stands one TLS server, which hands `/token` to a token server and all else to distribution.
 */
export async function startFarRegistry(options: FarRegistryOptions): Promise<FarRegistry> {
  const { directory, roundTripMs } = options;
  await buildBinaries(['registry', 'toxiproxy']);
  // Whatever fails, nothing that was started stays.
  await using started = new AsyncDisposableStack();
  const storage = join(directory, 'storage');
  mkdirSync(storage);
  await publish(storage, options);
  const tokens = started.use(await startTokenServer({ account: ANYBODY, publicPrefix: '' }));
  const registry = await startGuarded(directory, storage, tokens);
  started.defer(registry.stop);
  const front = await startFront(directory, { '/token': tokens.host, '/': registry.host });
  started.defer(front.close);
  const toxiproxy = await startToxiproxy();
  started.defer(toxiproxy.stop);
  const all = started.move();
  return {
    anotherHost: async () => {
      const proxy = await toxiproxy.before(front.host);
      await proxy.poison({ type: 'latency', attributes: { latency: roundTripMs } });
      return proxy;
    },
    requests: front.requests,
    authorityFile: front.authorityFile,
    stop: () => all.disposeAsync(),
  };
}

/** Where tokens are had, it says by the name that it is called by. */
async function startGuarded(
  directory: string,
  storage: string,
  { jwks, service, issuer, realm }: TokenServer,
): Promise<RunningDistribution> {
  const file = join(directory, 'tokens.jwks');
  writeFileSync(file, JSON.stringify(jwks));
  const token = {
    realm,
    autoredirect: true,
    autoredirectpath: '/token',
    service,
    issuer,
    jwks: file,
  };
  return startDistribution({
    name: 'far-registry',
    directory,
    config: { storage: { filesystem: { rootdirectory: storage } }, auth: { token } },
  });
}

/** By a registry that is open to everybody, on the same storage. */
async function publish(
  storage: string,
  { directory, repositories, tags: [first = 'latest', ...others] }: FarRegistryOptions,
): Promise<void> {
  const { host, logFile, stop } = await startDistribution({
    name: 'far-publisher',
    directory,
    config: { storage: { filesystem: { rootdirectory: storage } } },
  });
  for (const repository of repositories) {
    const target = { registry: { host, logFile }, repository, tag: first };
    await pushIndex(target, 'oci');
    for (const tag of others) await copyTag(target, tag);
  }
  await stop();
}

interface Front {
  readonly host: string;
  readonly requests: readonly string[];
  readonly authorityFile: string;
  readonly close: () => void;
}

/** @param upstreams by how a path begins, by plain http */
async function startFront(
  directory: string,
  upstreams: Readonly<Record<string, string>>,
): Promise<Front> {
  const authority = await createCertificateAuthority();
  const pair = await authority.issueServer('127.0.0.1');
  const authorityFile = join(directory, 'far-registry-ca.crt');
  writeFileSync(authorityFile, authority.certificate);
  const requests: string[] = [];
  const agent = new Agent({ keepAlive: true });
  const server = createServer({ cert: pair.certificate, key: pair.key }, (request, response) => {
    requests.push(`${request.method} ${request.url}`);
    const [, upstream = ''] =
      Object.entries(upstreams).find(([path]) => request.url?.startsWith(path)) ?? [];
    passOn(request, response, { agent, upstream });
  });
  server.keepAliveTimeout = 60_000;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    authorityFile,
    close: () => {
      server.close();
      server.closeAllConnections();
      agent.destroy();
    },
  };
}

/** With the `Host` that was asked for: distribution names it in its challenges. */
function passOn(
  request: IncomingMessage,
  response: ServerResponse,
  { agent, upstream }: { readonly agent: Agent; readonly upstream: string },
): void {
  const { method, headers, url = '/' } = request;
  const passed = httpRequest(`http://${upstream}${url}`, { agent, method, headers }, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(response);
  });
  passed.on('error', (error) => response.destroy(error));
  request.pipe(passed);
}
