import { getCACertificates } from 'node:tls';

import { LRUCache } from 'lru-cache';
import { type Dispatcher, Pool } from 'undici';

import type { Guard } from './guard.ts';
import type { Authorities, FindAuthorities } from './registry-authorities.ts';
import type { Connection } from './transport.ts';

/** Connections that are kept open, by origin and by how it is connected to. */
export interface Pools {
  readonly poolOf: (url: URL, connection: Connection | undefined) => Dispatcher;
  /** Ends what is under way, too. */
  readonly close: () => Promise<void>;
}

const CONNECT_TIMEOUT_MS = 2000;
const HEADERS_TIMEOUT_MS = 5000;
/** Between two chunks; the signal bounds the whole. */
const BODY_TIMEOUT_MS = 3000;
const CONNECTIONS_PER_ORIGIN = 16;
const KEEP_ALIVE_MS = 60_000;
/** Pools are keyed by a host that a tenant chose; the least used is closed. */
const MAX_ORIGINS = 200;

interface PoolsParts {
  readonly guard: Guard;
  readonly authoritiesOf?: FindAuthorities;
}

/** One kind of connection. */
interface Kind {
  readonly connection: Connection | undefined;
  readonly authorities: Authorities | undefined;
}

export function createPools({ guard, authoritiesOf }: PoolsParts): Pools {
  const pools = new LRUCache<string, Dispatcher>({
    max: MAX_ORIGINS,
    dispose: (pool) => void pool.close(),
  });
  return {
    poolOf: (url, connection) => {
      const kind: Kind = { connection, authorities: authoritiesOf?.(url) };
      const key = poolKey(url, kind, guard.isNamed(url));
      const known = pools.get(key);
      if (known !== undefined) return known;
      const pool = connect(guard, url, kind);
      pools.set(key, pool);
      return pool;
    },
    close: async () => {
      const closing = [...pools.values()].map((pool) => pool.destroy());
      await Promise.all(closing);
    },
  };
}

function connect(guard: Guard, url: URL, { connection, authorities }: Kind): Pool {
  const { id: _id, skipVerify = false, ca = [], ...pair } = connection?.tls ?? { id: '' };
  const more = [...(authorities?.ca ?? []), ...ca];
  return new Pool(url.origin, {
    connections: CONNECTIONS_PER_ORIGIN,
    headersTimeout: HEADERS_TIMEOUT_MS,
    bodyTimeout: BODY_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    connect: {
      timeout: connection?.connectTimeoutMs ?? CONNECT_TIMEOUT_MS,
      lookup: guard.lookupFor(url, connection?.named),
      rejectUnauthorized: !skipVerify,
      ...pair,
      ...(more.length > 0 && { ca: [...getCACertificates('default'), ...more] }),
    },
  });
}

/** Connections of one kind are never used for another: who may be dialled, and who trusted, differs. */
function poolKey({ origin }: URL, { connection, authorities }: Kind, named: boolean): string {
  const { named: byFile = false, connectTimeoutMs, tls } = connection ?? {};
  return [origin, named || byFile, connectTimeoutMs, tls?.id, authorities?.id].join(' ');
}
