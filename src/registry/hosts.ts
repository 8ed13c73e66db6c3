import { PinError } from '../errors.ts';
import type { ImageReference } from '../image/reference.ts';

/** Where a registry is asked. */
export interface Endpoint {
  /** Scheme, host and port, as `URL.origin` writes them. */
  readonly origin: string;
  /** The host as the user knows it, for messages and metrics. */
  readonly registry: string;
}

/** Docker Hub answers under another name than its references carry (containerd's DefaultHost). */
const WIRE_HOSTS: ReadonlyMap<string, string> = new Map([['docker.io', 'registry-1.docker.io']]);

/** Finds the endpoint of a reference; plain http is spoken with named hosts alone. */
export function createHosts(plainHttp: readonly string[]): (reference: ImageReference) => Endpoint {
  const plain = new Set(plainHttp.map((host) => withPort(host.toLowerCase())));
  return ({ registry }) => {
    const host = WIRE_HOSTS.get(registry) ?? registry.toLowerCase();
    const scheme = plain.has(withPort(host)) ? 'http' : 'https';
    return { registry, origin: originOf(scheme, host) };
  };
}

/** `--plain-http HOST` means its port 80, and so does `HOST:80` in a reference. */
function withPort(host: string): string {
  return /:\d+$/.test(host) ? host : `${host}:80`;
}

/**
 * A URL parser rewrites hosts that the reference grammar lets pass: `2130706433` becomes
 * `127.0.0.1`. What it rewrites is refused, so that every later check sees what is dialled.
 */
function originOf(scheme: string, host: string): string {
  const url = URL.parse(`${scheme}://${host}`);
  const name = host.replace(/:\d+$/, '');
  if (url === null || url.hostname !== name || url.pathname !== '/') {
    throw new PinError(
      'blocked_address',
      `${JSON.stringify(host)} is no plain host name or address`,
      {
        host,
      },
    );
  }
  return url.origin;
}
