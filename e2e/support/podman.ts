import { execFile } from 'node:child_process';
import { globSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { startProcess } from './child-process.ts';
import { unpackedPackage } from './debian.ts';
import { EMPTY_TAR } from './image.ts';

const run = promisify(execFile);

/** Podman's service on a socket, with images of its own. */
export interface Podman extends AsyncDisposable {
  readonly socketPath: string;
  /** Runs a command of podman on those images; gives what it prints. */
  readonly run: (args: readonly string[]) => Promise<string>;
  /** Makes an image that comes from no registry. */
  readonly importEmpty: (name: string) => Promise<void>;
}

/**
 * Starts Debian's podman, which is downloaded, not installed: nothing of the machine changes. What it
 * keeps, and its log, lie below the directory of the run.
 *
 * @throws Error with what apt-get said where it cannot be had, or the log of a service that does not come up
 */
export async function startPodman(runDirectory: string): Promise<Podman> {
  const root = await unpackedPackage('podman');
  const directory = await mkdtemp(join(runDirectory, 'podman-'));
  const env = await writeConfiguration(directory, root);
  const command = join(root, 'usr/bin/podman');
  const storage = [
    `--root=${join(directory, 'storage')}`,
    `--runroot=${join(directory, 'run')}`,
    '--storage-driver=vfs',
  ];
  const socketPath = join(directory, 'podman.sock');
  const service = await startProcess({
    name: 'podman',
    directory: runDirectory,
    command,
    args: [...storage, 'system', 'service', '--time=0', `unix://${socketPath}`],
    env,
    ready: () => ping(socketPath),
  });
  const podman: Podman['run'] = async (args) => {
    const { stdout } = await run(command, [...storage, ...args], {
      env: { ...process.env, ...env },
    });
    return stdout;
  };
  return {
    socketPath,
    run: podman,
    importEmpty: async (name) => {
      const archive = join(directory, 'empty.tar');
      await writeFile(archive, EMPTY_TAR);
      await podman(['import', '--quiet', archive, name]);
    },
    [Symbol.asyncDispose]: async () => {
      await service.stop();
      await rm(directory, { recursive: true, maxRetries: 5 });
    },
  };
}

/**
 * Writes what a machine with podman has in /etc/containers, and gives the environment that leads to it.
 *
 * @param root where podman is unpacked
 * @param more further lines of containers.conf
 */
export async function writeConfiguration(
  directory: string,
  root: string,
  more: readonly string[] = [],
): Promise<Readonly<Record<string, string>>> {
  const home = join(directory, 'home');
  const own = join(home, '.config/containers');
  await mkdir(own, { recursive: true });
  await writeFile(
    join(own, 'policy.json'),
    JSON.stringify({ default: [{ type: 'insecureAcceptAnything' }] }),
  );
  const engine = join(directory, 'containers.conf');
  const settings = [
    '[engine]',
    `conmon_path = [${JSON.stringify(join(root, 'usr/bin/conmon'))}]`,
    'runtime = "crun"',
    'events_logger = "none"',
    'cgroup_manager = "cgroupfs"',
    '[engine.runtimes]',
    `crun = [${JSON.stringify(join(root, 'usr/bin/crun'))}]`,
    ...more,
  ];
  await writeFile(engine, `${settings.join('\n')}\n`);
  const libraries = globSync(join(root, 'usr/lib/*-linux-gnu*'));
  return {
    HOME: home,
    XDG_RUNTIME_DIR: directory,
    XDG_CONFIG_HOME: join(home, '.config'),
    CONTAINERS_CONF: engine,
    LD_LIBRARY_PATH: libraries.join(':'),
    TMPDIR: directory,
  };
}

function ping(socketPath: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const options = { socketPath, path: '/_ping', agent: false };
    request(options, (response) => {
      response.resume().once('end', resolve);
    })
      .once('error', reject)
      .end();
  });
}
