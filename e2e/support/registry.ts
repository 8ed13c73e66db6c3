import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { binaryPath } from './binaries.ts';
import { startProcess } from './child-process.ts';
import { freePort } from './free-port.ts';

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
const ACCOUNT: RegistryAccount = { username: 'puller', password: 'not-a-secret' };

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
  const files = join(directory, name);
  const host = `127.0.0.1:${await freePort()}`;
  await mkdir(files);
  await writeFile(join(files, 'htpasswd'), HTPASSWD);
  // JSON is YAML, which saves a writer of the latter.
  const config = {
    version: '0.1',
    log: { level: 'warn', accesslog: { disabled: false } },
    storage: { inmemory: {}, delete: { enabled: true } },
    http: { addr: host, secret: 'e2e' },
    ...(access === 'private' && {
      auth: { htpasswd: { realm: 'e2e', path: join(files, 'htpasswd') } },
    }),
  };
  await writeFile(join(files, 'config.yml'), JSON.stringify(config));
  const { logFile } = await startProcess({
    name,
    directory,
    command: binaryPath('registry'),
    args: ['serve', join(files, 'config.yml')],
    env: { OTEL_TRACES_EXPORTER: 'none' },
    ready: async () => {
      await fetch(`http://${host}/v2/`);
    },
  });
  return { host, logFile, ...(access === 'private' && { account: ACCOUNT }) };
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
