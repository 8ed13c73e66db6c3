import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { binaryPath } from './binaries.ts';
import { startProcess } from './child-process.ts';
import { freePort } from './free-port.ts';

/** What is wrong with a connection, by toxiproxy's own names (its README, "Toxics"). */
interface Toxic {
  readonly type:
    | 'latency'
    | 'bandwidth'
    | 'slow_close'
    | 'timeout'
    | 'slicer'
    | 'limit_data'
    | 'reset_peer';
  /** Milliseconds, bytes or KB/s, as the type has it; a slicer's delay is in microseconds. */
  readonly attributes: Readonly<Record<string, number>>;
  /** What is asked, or (without this) what is answered. */
  readonly stream?: 'upstream';
}

/** A TCP proxy before one server. */
export interface Proxy {
  /** `127.0.0.1:PORT`. */
  readonly host: string;
  /** From now on, what goes through it is like this. */
  readonly poison: (toxic: Toxic) => Promise<void>;
  /** All is well again. */
  readonly heal: () => Promise<void>;
  /** Ends its connections, and refuses others until it is up. */
  readonly setUp: (up: boolean) => Promise<void>;
}

/** Shopify's proxy that breaks connections. */
export interface Toxiproxy {
  readonly before: (upstream: string) => Promise<Proxy>;
  readonly stop: () => Promise<void>;
}

/**
 * Starts a toxiproxy without a proxy in it.
 *
 * @param place of the log and the process id; without it a temporary one, until it is stopped
 * @throws Error with the end of its log when it does not come up
 */
export async function startToxiproxy(place?: string): Promise<Toxiproxy> {
  const directory = place ?? (await mkdtemp(join(tmpdir(), 'tagpin-toxiproxy-')));
  const port = await freePort();
  const api = `http://127.0.0.1:${port}`;
  const running = await startProcess({
    name: 'toxiproxy',
    directory,
    command: binaryPath('toxiproxy'),
    args: ['-host=127.0.0.1', `-port=${port}`],
    ready: async () => void (await call(`${api}/version`, 'GET')),
  });
  return {
    before: async (upstream) => {
      const name = `to-${randomUUID()}`;
      const { listen } = await call(`${api}/proxies`, 'POST', {
        name,
        listen: '127.0.0.1:0',
        upstream,
        enabled: true,
      });
      return proxyAt(`${api}/proxies/${name}`, String(listen));
    },
    stop: async () => {
      await running.stop();
      if (place === undefined) await rm(directory, { recursive: true });
    },
  };
}

function proxyAt(url: string, host: string): Proxy {
  const toxics: string[] = [];
  return {
    host,
    poison: async ({ type, attributes, stream = 'downstream' }) => {
      await call(`${url}/toxics`, 'POST', { name: type, type, stream, attributes });
      toxics.push(type);
    },
    heal: async () => {
      for (const toxic of toxics.splice(0)) await call(`${url}/toxics/${toxic}`, 'DELETE');
    },
    setUp: async (enabled) => void (await call(url, 'POST', { enabled })),
  };
}

async function call(
  url: string,
  method: 'GET' | 'POST' | 'DELETE',
  body?: object,
): Promise<Record<string, unknown>> {
  const response = await fetch(url, { method, ...(body && { body: JSON.stringify(body) }) });
  const text = await response.text();
  if (!response.ok) throw new Error(`toxiproxy answered ${response.status} to ${url}: ${text}`);
  return text.startsWith('{') ? (JSON.parse(text) as Record<string, unknown>) : {};
}
