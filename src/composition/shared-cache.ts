import { readFileSync } from 'node:fs';

import type { ServeSettings } from '../config.ts';
import { PinError } from '../errors.ts';
import type { InstallationKey } from '../installation-key.ts';
import type { Logger } from '../log.ts';
import { readAuthorities } from '../registry/files/tls-files.ts';
import type { SharedDigests } from '../resolve/shared-digests.ts';
import type { SharedCacheMetrics } from '../server/shared-cache-metrics.ts';
import type { SharedCacheUrl } from '../settings/shared-cache-settings.ts';
import { createLink } from '../shared-cache/link.ts';
import { loadRedis, type RedisServer } from '../shared-cache/redis-connection.ts';
import { createSealing } from '../shared-cache/sealed-digests.ts';
import { createSharedDigests } from '../shared-cache/shared-digests.ts';
import { registryScope } from './registry-scope.ts';

/** Digests that replicas share. */
export interface SharedCache {
  readonly digests: SharedDigests;
  /** Imports the library, and begins to connect: a server that is away keeps nobody from being ready. */
  readonly load: () => Promise<void>;
  readonly close: () => void;
}

export interface SharedCacheParts {
  readonly installationKey: InstallationKey | undefined;
  readonly metrics: SharedCacheMetrics;
  readonly log: Logger;
  /** The clock of `performance.now()`, in milliseconds. */
  readonly now: () => number;
}

/** Undefined without `--shared-cache`. Throws PinError `invalid_config`. */
export function composeSharedCache(
  settings: ServeSettings,
  { installationKey, metrics, log, now }: SharedCacheParts,
): SharedCache | undefined {
  const url = settings.sharedCache;
  if (url === undefined) return undefined;
  if (installationKey === undefined) throw invalid('--shared-cache needs --installation-key-file');
  const server = serverOf(settings, url);
  // What is amiss with files is said at the start.
  server.credentials();
  server.authorities();
  const library = Promise.withResolvers<Awaited<ReturnType<typeof loadRedis>>>();
  const link = createLink({
    connect: async () => (await library.promise)(server),
    observe: metrics.sharedCacheGated,
    log,
    address: `${url.host}:${url.port}`,
    random: Math.random,
  });
  return {
    digests: createSharedDigests({
      link,
      sealedUnder: createSealing(installationKey, registryScope(settings)),
      ttlMs: settings.cacheTtl,
      now,
      wallClock: Date.now,
      observe: metrics.sharedCacheRequest,
    }),
    load: async () => {
      library.resolve(await loadRedis());
      link.start();
    },
    close: link.close,
  };
}

function serverOf(
  { sharedCachePasswordFile: file, sharedCacheCa: ca, sharedCacheWithoutTls }: ServeSettings,
  url: SharedCacheUrl,
): RedisServer {
  const { host, tls, username, password } = url;
  if (!tls && !sharedCacheWithoutTls && !isLoopback(host)) {
    throw invalid(
      '--shared-cache: redis:// is for loopback; use rediss://, or --shared-cache-without-tls',
    );
  }
  if (!tls && ca !== undefined) throw invalid('--shared-cache-ca needs rediss://');
  if (file !== undefined && password !== undefined) {
    throw invalid('--shared-cache has a password, and so has --shared-cache-password-file');
  }
  return {
    ...url,
    credentials: () => ({ username, password: file === undefined ? password : readLine(file) }),
    authorities: () => (ca === undefined ? undefined : readAuthorities(ca)),
  };
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}

/** Most files of a Secret end in a newline that nobody meant. */
function readLine(file: string): string {
  try {
    return readFileSync(file, 'utf8').replace(/\r?\n$/, '');
  } catch (cause) {
    const message = `Cannot read --shared-cache-password-file ${JSON.stringify(file)}`;
    throw new PinError('invalid_config', message, { cause });
  }
}

function invalid(message: string): PinError {
  return new PinError('invalid_config', message);
}
