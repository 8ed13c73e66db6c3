import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { startDistribution } from './distribution.ts';

/** An account of the private registry. */
interface RegistryAccount {
  readonly username: string;
  readonly password: string;
}

/** A distribution registry that listens, by plain http. Plain data: it is handed over as JSON. */
export interface Registry {
  /** `127.0.0.1:PORT`, as it stands in a reference. */
  readonly host: string;
  readonly account?: RegistryAccount;
  readonly logFile: string;
}

/** The one account of the private registry; it guards nothing but throw-away images. */
export const ACCOUNT: RegistryAccount = { username: 'puller', password: 'not-a-secret' };

// bcrypt of that password, of cost 4: distribution accepts no other scheme, and Node has none.
const HTPASSWD = `${ACCOUNT.username}:$2a$04$SLQehMMpSVPhB6xzb0BvyeWxXOUeRK1tuuIEbOvjnzlTi7WPGwAka\n`;

/**
 * Starts a registry that keeps its images in memory, open to everybody or, when private, to its
 * account alone.
 *
 * @throws Error with the end of its log when it does not come up
 */
export async function startRegistry(
  directory: string,
  access: 'open' | 'private',
): Promise<Registry> {
  const name = `registry-${access}`;
  const htpasswd = access === 'private' ? await writeHtpasswd(directory, name) : undefined;
  const { host, logFile } = await startDistribution({
    name,
    directory,
    config: {
      storage: { inmemory: {}, delete: { enabled: true } },
      ...(htpasswd && { auth: { htpasswd } }),
    },
  });
  return { host, logFile, ...(access === 'private' && { account: ACCOUNT }) };
}

/** The `htpasswd` section of a configuration that knows {@link ACCOUNT} alone. */
export async function writeHtpasswd(directory: string, name: string): Promise<object> {
  const path = join(directory, `${name}.htpasswd`);
  await writeFile(path, HTPASSWD);
  return { realm: 'e2e', path };
}

/**
 * How often somebody asked for a manifest of this repository, by the registry's own access log;
 * what crane asked for the comparison does not count.
 */
export async function manifestLookUps(registry: Registry, repository: string): Promise<number> {
  const log = await readFile(registry.logFile, 'utf8');
  const request = new RegExp(`"(?:HEAD|GET) /v2/${repository}/manifests/`, 'u');
  return log.split('\n').filter((line) => request.test(line) && !line.includes('crane/')).length;
}
