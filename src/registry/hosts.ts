import { PinError } from '../errors.ts';
import type { ImageReference } from '../image/reference.ts';
import type { Connection } from './transport.ts';

/** A place where an image may be asked for: its registry, or a mirror of it. */
export interface Endpoint {
  /** Scheme, host and port, as `URL.origin` writes them. */
  readonly origin: string;
  /** The host as the user knows it, for messages and metrics. */
  readonly registry: string;
  /** What stands before the repository in a path: `/v2`, but for mirrors that say otherwise. */
  readonly root: string;
  /** The image's name at this place, which a mirror may have changed. */
  readonly repository: string;
  /** The registry itself: no other place is sent the pod's own credentials. */
  readonly isRegistry: boolean;
  /** The `?ns=` of the distribution specification, which tells a mirror whose image is meant. */
  readonly upstream?: string;
  /** Headers of the operator's for this place. */
  readonly headers?: Readonly<Record<string, string>>;
  /** How it is connected to, where the operator said so. */
  readonly connection?: Connection;
}

/** Finds where a reference is asked for: mirrors first, the registry itself last. */
export type FindEndpoints = (reference: ImageReference) => Promise<readonly Endpoint[]>;

/** Docker Hub answers under another name than its references carry (containerd's DefaultHost). */
const WIRE_HOSTS: ReadonlyMap<string, string> = new Map([['docker.io', 'registry-1.docker.io']]);

/** Finds the registry of a reference; plain http is spoken with named hosts alone. */
export function createHosts(plainHttp: readonly string[]): (reference: ImageReference) => Endpoint {
  const plain = new Set(plainHttp.map((host) => withPort(host.toLowerCase())));
  return ({ registry, repository }) => {
    const host = WIRE_HOSTS.get(registry) ?? registry.toLowerCase();
    const scheme = plain.has(withPort(host)) ? 'http' : 'https';
    return { registry, origin: originOf(scheme, host), root: '/v2', repository, isRegistry: true };
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
