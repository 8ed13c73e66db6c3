import type { Settings } from './setting.ts';
import { parseBoolean, parseText } from './values.ts';

/** Where the shared cache is, as its URL says it. */
export interface SharedCacheUrl {
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly database: number;
}

/** The Valkey or Redis by which replicas of `tagpin serve` share digests. */
export interface SharedCacheSettings {
  readonly sharedCache: SharedCacheUrl | undefined;
  readonly sharedCachePasswordFile: string | undefined;
  readonly sharedCacheCa: string | undefined;
  readonly sharedCacheWithoutTls: boolean;
}

export const SHARED_CACHE_SETTINGS: Settings<SharedCacheSettings> = {
  sharedCache: {
    flag: '--shared-cache URL',
    fallback: undefined,
    text: 'A Valkey or Redis by which replicas share digests: rediss://[USER@]HOST[:PORT][/DATABASE]; redis:// for loopback. What stands there is sealed under the key of --installation-key-file.',
    parse: parseSharedCacheUrl,
  },
  sharedCachePasswordFile: {
    flag: '--shared-cache-password-file FILE',
    fallback: undefined,
    text: 'The password for the shared cache. Read again for each connection.',
    parse: parseText,
  },
  sharedCacheCa: {
    flag: '--shared-cache-ca FILE',
    fallback: undefined,
    text: 'Authorities (PEM) to trust for the shared cache, in the place of those of the system. Read again for each connection.',
    parse: parseText,
  },
  sharedCacheWithoutTls: {
    flag: '--shared-cache-without-tls',
    fallback: 'false',
    text: 'Let redis:// name another host than loopback: whoever sees its packets reads the password.',
    parse: parseBoolean,
  },
};

const EXPECTED = 'expected a URL such as rediss://cache.example.com:6379';
const DEFAULT_PORT = 6379;
/** The first is 0. */
const DATABASE = /^\/?(\d{0,4})$/;
const TLS_BY_SCHEME: ReadonlyMap<string, boolean> = new Map([
  ['redis:', false],
  ['rediss:', true],
]);

/**
 * The schemes that IANA has registered as `redis` and `rediss`, without their query. Throws an Error
 * that quotes nothing: there may be a password in it.
 */
export function parseSharedCacheUrl(text: string): SharedCacheUrl {
  const url = URL.parse(text);
  if (url === null || url.hostname === '') throw new Error(EXPECTED);
  const tls = TLS_BY_SCHEME.get(url.protocol);
  const database = DATABASE.exec(url.pathname + url.search + url.hash)?.[1];
  if (tls === undefined || database === undefined) throw new Error(EXPECTED);
  return {
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: url.port === '' ? DEFAULT_PORT : Number(url.port),
    tls,
    username: decoded(url.username),
    password: decoded(url.password),
    database: Number(database),
  };
}

function decoded(part: string): string | undefined {
  try {
    return part === '' ? undefined : decodeURIComponent(part);
  } catch {
    throw new Error('expected a user and a password whose % are written as %25');
  }
}
