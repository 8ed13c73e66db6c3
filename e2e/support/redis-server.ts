import { execFile } from 'node:child_process';
import { globSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { createCertificateAuthority } from './certificate.ts';
import { type RunningProcess, startProcess } from './child-process.ts';
import { unpackedPackage } from './debian.ts';
import { freePort } from './free-port.ts';

const run = promisify(execFile);

/** Debian's Redis, over TLS alone, with the one user of the documentation. */
export interface RedisServer {
  readonly port: number;
  readonly username: string;
  readonly password: string;
  /** The PEM of the authority that signed its certificate, in a file. */
  readonly caFile: string;
  /** Runs a command as an administrator; gives what redis-cli prints. */
  readonly command: (...words: readonly string[]) => Promise<string>;
  readonly signal: (signal: NodeJS.Signals) => void;
  /** Ends it at once, and what it holds with it. */
  readonly kill: () => Promise<void>;
  /** Starts it again, empty. */
  readonly start: () => Promise<void>;
  readonly stop: () => Promise<void>;
}

const USERNAME = 'tagpin';
const PASSWORD = 'not-a-secret-of-redis';

/**
 * Starts Debian's redis-server, which is downloaded, not installed.
 *
 * @throws Error with what apt-get said where it cannot be had, or the end of its log
 */
export async function startRedisServer(): Promise<RedisServer> {
  const root = await unpackedPackage('redis-server');
  const env = { LD_LIBRARY_PATH: globSync(join(root, 'usr/lib/*-linux-gnu*')).join(':') };
  const directory = await mkdtemp(join(tmpdir(), 'tagpin-redis-'));
  const port = await freePort();
  const caFile = join(directory, 'ca.crt');
  await writeFiles(directory);
  const command: RedisServer['command'] = async (...words) => {
    const connection = ['-h', '127.0.0.1', '-p', `${port}`, '--tls', '--cacert', caFile];
    const args = [...connection, '--user', 'admin', '--pass', PASSWORD, '--no-auth-warning'];
    const { stdout } = await run(join(root, 'usr/bin/redis-cli'), [...args, ...words], { env });
    return stdout.trimEnd();
  };
  let running: RunningProcess | undefined;
  const start = async (): Promise<void> => {
    running = await startProcess({
      name: 'redis',
      directory,
      command: join(root, 'usr/bin/redis-server'),
      args: argumentsFor(directory, port),
      env,
      ready: async () => {
        const pong = await command('PING');
        if (pong !== 'PONG') throw new Error(pong);
      },
    });
  };
  const signal = (name: NodeJS.Signals): void => {
    if (running !== undefined) process.kill(running.pid, name);
  };
  await start();
  return {
    port,
    username: USERNAME,
    password: PASSWORD,
    caFile,
    command,
    signal,
    kill: async () => {
      signal('SIGKILL');
      await running?.stop();
    },
    start,
    stop: async () => {
      signal('SIGCONT');
      await running?.stop();
      await rm(directory, { recursive: true });
    },
  };
}

function argumentsFor(directory: string, port: number): readonly string[] {
  const at = (name: string): string => join(directory, name);
  const tls = ['--tls-port', `${port}`, '--tls-auth-clients', 'no', '--tls-ca-cert-file'];
  const pair = ['--tls-cert-file', at('tls.crt'), '--tls-key-file', at('tls.key')];
  const place = ['--bind', '127.0.0.1', '--port', '0', '--dir', directory, '--save', ''];
  return [...place, ...tls, at('ca.crt'), ...pair, '--aclfile', at('users.acl')];
}

/** The certificate, and the users: the rule of tagpin's is that of docs/shared-cache.md. */
async function writeFiles(directory: string): Promise<void> {
  const authority = await createCertificateAuthority();
  const { certificate, key } = await authority.issueServer('127.0.0.1');
  await writeFile(join(directory, 'ca.crt'), authority.certificate);
  await writeFile(join(directory, 'tls.crt'), certificate);
  await writeFile(join(directory, 'tls.key'), key);
  const users = [
    'user default off',
    `user admin on >${PASSWORD} ~* &* +@all`,
    `user ${USERNAME} on >${PASSWORD} resetkeys ~tagpin:1:* resetchannels -@all +getrange +set`,
  ];
  await writeFile(join(directory, 'users.acl'), `${users.join('\n')}\n`);
}
