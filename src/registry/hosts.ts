import { PinError } from '../errors.ts';
import type { ImageReference } from '../image/reference.ts';
import type { Connection } from './connection.ts';
import { hostsOf } from './host-globs.ts';

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
  /** Asked only where the place before it could not be talked to: http, after https of the same host. */
  readonly isFallback?: boolean;
  /** The `?ns=` of the distribution specification, which tells a mirror whose image is meant. */
  readonly upstream?: string;
  /** Headers of the operator's for this place. */
  readonly headers?: Readonly<Record<string, string>>;
  /** How it is connected to, where the operator said so. */
  readonly connection?: Connection;
}

/** Finds where a reference is asked for: mirrors first, the registry itself last. */
export type FindEndpoints = (reference: ImageReference) => Promise<readonly Endpoint[]>;

/**
 * Whose an image may be behind one host: a pull-through cache speaks for other registries, by the
 * upstream that it is told or by the first part of a repository's name.
 */
export function projectOf({
  upstream,
  repository,
}: Pick<Endpoint, 'upstream' | 'repository'>): string {
  return `${upstream ?? ''}/${repository.split('/', 1).join()}`;
}

/** Docker Hub answers under another name than its references carry (containerd's DefaultHost). */
const WIRE_HOSTS: ReadonlyMap<string, string> = new Map([['docker.io', 'registry-1.docker.io']]);

/** Finds the registry of a reference, without mirrors. Throws `blocked_address` for what is no host. */
export type FindRegistry = (reference: ImageReference) => Endpoint;

/**
 * Plain http is spoken with named hosts alone, by globs as the guard reads them. `HOST` means its
 * port 80, and so does `HOST:80` in a reference. `speaksHttp` tells of more, as the guard is told.
 */
export function createHosts(
  plainHttp: readonly string[],
  speaksHttp?: (url: URL) => boolean,
): FindRegistry {
  const isPlain = hostsOf(plainHttp, 80);
  return ({ registry, repository }) => {
    const host = wireHost(registry);
    const plain = urlOf('http', host);
    const { origin } =
      isPlain(plain) || speaksHttp?.(plain) === true ? plain : urlOf('https', host);
    return { registry, origin, root: '/v2', repository, isRegistry: true };
  };
}

/** Where a registry answers, in lower case. */
export function wireHost(registry: string): string {
  return WIRE_HOSTS.get(registry) ?? registry.toLowerCase();
}

/**
 * A URL parser rewrites hosts that the reference grammar lets pass: `2130706433` becomes
 * `127.0.0.1`. What it rewrites is refused, so that every later check sees what is dialled.
 */
function urlOf(scheme: string, host: string): URL {
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
  return url;
}
