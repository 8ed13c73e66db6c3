import { getCACertificates } from 'node:tls';

import { LRUCache } from 'lru-cache';
import { type Dispatcher, Pool, ProxyAgent } from 'undici';

import { PinError } from '../errors.ts';
import type { Connection } from './connection.ts';
import type { Guard, Word } from './guard.ts';
import { toNetworkError } from './network-error.ts';
import type { FindProxy, Proxy } from './proxies.ts';

/** Certificates to trust beside those of the system. */
export interface Authorities {
  /** Differs where the certificates do. */
  readonly id: string;
  /** PEM. */
  readonly ca: readonly string[];
}

/** Whom to trust at one host and port, whichever image or token server leads there. */
export type FindAuthorities = (url: URL) => Authorities | undefined;

/** Connections that are kept open, by origin and by how it is connected to. */
export interface Pools {
  /** `stranger`: who led to the URL without the right to. */
  readonly poolOf: (url: URL, connection: Connection | undefined, stranger?: URL) => Dispatcher;
  /** Ends what is under way, too. */
  readonly close: () => Promise<void>;
}

const CONNECT_TIMEOUT_MS = 2000;
/** Of that, for DNS: so that a name that is not resolved in time is not taken for a silent host. */
const SHARE_OF_DNS = 0.75;
const HEADERS_TIMEOUT_MS = 5000;
/** A proxy asks DNS and connects before it answers. */
const TUNNEL_TIMEOUT_MS = 3000;
/** Between two chunks; the signal bounds the whole. */
const BODY_TIMEOUT_MS = 3000;
const CONNECTIONS_PER_ORIGIN = 16;
const KEEP_ALIVE_MS = 60_000;
/** Pools are keyed by a host that a tenant chose; the least used is closed. */
const MAX_ORIGINS = 200;

interface PoolsParts {
  readonly guard: Guard;
  readonly authoritiesOf?: FindAuthorities;
  /** Nobody is asked through a proxy where it is absent. */
  readonly proxyOf?: FindProxy;
}

/** One kind of connection. */
interface Kind {
  readonly connection: Connection | undefined;
  readonly authorities: Authorities | undefined;
  readonly stranger: URL | undefined;
}

export function createPools(parts: PoolsParts): Pools {
  const { guard, authoritiesOf } = parts;
  const pools = new LRUCache<string, Dispatcher>({
    max: MAX_ORIGINS,
    dispose: (pool) => void pool.close(),
  });
  return {
    poolOf: (url, connection, stranger) => {
      const kind: Kind = { connection, authorities: authoritiesOf?.(url), stranger };
      const key = poolKey(url, kind, guard.isNamed(url));
      const known = pools.get(key);
      if (known !== undefined) return known;
      const pool = connect(parts, url, kind);
      pools.set(key, pool);
      return pool;
    },
    close: async () => {
      const closing = [...pools.values()].map((pool) => pool.destroy());
      await Promise.all(closing);
    },
  };
}

const POOL_OPTIONS = {
  connections: CONNECTIONS_PER_ORIGIN,
  // While HTTP/2 is possible, undici makes one connection and lets all else wait, deaf to its
  // signals, until that has told its protocol: a host that never does is found out one by one.
  allowH2: false,
  headersTimeout: HEADERS_TIMEOUT_MS,
  bodyTimeout: BODY_TIMEOUT_MS,
  keepAliveTimeout: KEEP_ALIVE_MS,
} as const;

function connect(parts: PoolsParts, url: URL, kind: Kind): Dispatcher {
  const { connection, authorities } = kind;
  const { id: _id, skipVerify = false, ca = [], ...pair } = connection?.tls ?? { id: '' };
  const timeout = connection?.connectTimeoutMs ?? CONNECT_TIMEOUT_MS;
  const tls = {
    timeout,
    rejectUnauthorized: !skipVerify,
    ...pair,
    ...trusting([...(authorities?.ca ?? []), ...ca]),
  };
  const proxy = parts.proxyOf?.(url);
  if (proxy !== undefined) return throughProxy(parts, { url, proxy, tls });
  const mayBeOld = url.protocol === 'https:' && !skipVerify;
  const timeoutMs = timeout * SHARE_OF_DNS;
  const lookup = parts.guard.lookupFor(url, { ...wordOf(kind), mayBeOld, timeoutMs });
  return new Pool(url.origin, { ...POOL_OPTIONS, connect: { ...tls, lookup } });
}

function wordOf({ connection, stranger }: Kind): Word {
  return { byFile: connection?.named, stranger };
}

function trusting(more: readonly string[]): { readonly ca?: string[] } {
  return more.length > 0 ? { ca: [...getCACertificates('default'), ...more] } : {};
}

/** Who is asked, and through whom. */
interface Asked {
  readonly url: URL;
  readonly proxy: Proxy;
}

/**
 * A tunnel for http, too: then whatever fails before the far end speaks is known to be the proxy's
 * fault. It is the proxy that asks DNS, so no address of the far end is vetted here.
 */
function throughProxy(
  { authoritiesOf }: PoolsParts,
  { tls, ...asked }: Asked & { readonly tls: object },
): Dispatcher {
  const { proxy } = asked;
  const authorities = authoritiesOf?.(new URL(proxy.origin));
  return new ProxyAgent({
    ...POOL_OPTIONS,
    uri: proxy.origin,
    ...(proxy.authorization !== undefined && { token: proxy.authorization }),
    proxyTunnel: true,
    proxyTls: { timeout: CONNECT_TIMEOUT_MS, ...trusting(authorities?.ca ?? []) },
    requestTls: tls,
    clientFactory: (origin, options) =>
      new Pool(origin, { ...options, headersTimeout: TUNNEL_TIMEOUT_MS }).compose(
        (dispatch) => (request, handler) => dispatch(request, tunnelHandler(handler, asked)),
      ),
  });
}

/** What a proxy refuses, or fails at, names the proxy and not the registry behind it. */
function tunnelHandler(
  inner: Dispatcher.DispatchHandler,
  { url, proxy }: Asked,
): Dispatcher.DispatchHandler {
  const startedAtMs = performance.now();
  const host = url.hostname;
  return {
    onRequestStart: (...told) => inner.onRequestStart?.(...told),
    onRequestUpgrade: (...told) => {
      const [controller, status, , socket] = told;
      if (status === 200) {
        inner.onRequestUpgrade?.(...told);
        return;
      }
      socket.on('error', () => {}).destroy();
      const hint = status === 407 ? ' (it asks for a user name and password)' : '';
      const message = `the proxy ${proxy.host} answered ${status}${hint} when asked for ${url.host}`;
      inner.onResponseError?.(controller, new PinError('unavailable', message, { host }));
    },
    onResponseStart: (...told) => inner.onResponseStart?.(...told),
    onResponseError: (controller, cause) => {
      const elapsedMs = performance.now() - startedAtMs;
      const { code, message } = toNetworkError(cause, new URL(proxy.origin), elapsedMs);
      const variable = url.protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY';
      const advice = `look at the proxy, which ${variable} names, or leave ${host} out of it by NO_PROXY`;
      const error = new PinError(code, `the proxy ${message}`, { cause, host, advice });
      inner.onResponseError?.(controller, error);
    },
  };
}

/** Connections of one kind are never used for another: who may be dialled, and who trusted, differs. */
function poolKey({ origin }: URL, kind: Kind, named: boolean): string {
  const { connection, authorities, stranger } = kind;
  const { named: byFile = false, connectTimeoutMs, tls } = connection ?? {};
  const how = [connectTimeoutMs, tls?.id, authorities?.id, stranger?.host];
  return [origin, named || byFile, ...how].join(' ');
}
