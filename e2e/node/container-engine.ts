import { execFile } from 'node:child_process';
import { globSync, rmdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { unpackedPackage } from '../support/debian.ts';
import { writeConfiguration } from '../support/podman.ts';
import { runtimePath } from './runtime.ts';

const run = promisify(execFile);

/** How a program is started. */
export interface CommandLine {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** podman's own defaults are more than a virtual machine without CAP_SYS_RESOURCE may give. */
const LIMITS = ['[containers]', 'default_ulimits = ["nofile=4096:4096", "nproc=4096:4096"]'];

/** What it makes once, and no command takes away. */
const CGROUPS = ['libpod_parent/conmon', 'libpod_parent'].flatMap((group) => [
  `/sys/fs/cgroup/${group}`,
  `/sys/fs/cgroup/*/${group}`,
]);

/**
 * Debian's podman, which builds and runs images as root, downloaded and not installed. Everything lies below
 * the directory of the run, and what is mounted is seen by nobody else.
 */
export class ContainerEngine implements AsyncDisposable {
  readonly #directory: string;
  readonly #prefix: readonly string[];
  readonly #env: Readonly<Record<string, string>>;

  private constructor(
    directory: string,
    prefix: readonly string[],
    env: Readonly<Record<string, string>>,
  ) {
    this.#directory = directory;
    this.#prefix = prefix;
    this.#env = env;
  }

  /** @throws Error with what apt-get said where podman or runc cannot be had */
  static async in(runDirectory: string): Promise<ContainerEngine> {
    const root = await unpackedPackage('podman');
    const directory = await mkdtemp(join(runDirectory, 'engine-'));
    const env = await writeConfiguration(directory, root, LIMITS);
    const storage = [
      `--root=${join(directory, 'storage')}`,
      `--runroot=${join(directory, 'run')}`,
      '--storage-driver=overlay',
      // crun refuses a machine that has both versions of cgroups.
      `--runtime=${join(await runtimePath(), 'usr/sbin/runc')}`,
    ];
    const prefix = ['--mount', '--propagation=private', join(root, 'usr/bin/podman'), ...storage];
    return new ContainerEngine(directory, prefix, env);
  }

  /** A command of podman. */
  commandLine(args: readonly string[]): CommandLine {
    return { command: 'unshare', args: [...this.#prefix, ...args], env: this.#env };
  }

  /**
   * Runs a command of podman, and gives what it prints.
   *
   * @throws Error with what it said where it fails
   */
  async run(args: readonly string[]): Promise<string> {
    const { command, args: words, env } = this.commandLine(args);
    const { stdout } = await run(command, words, {
      env: { ...process.env, ...env },
      maxBuffer: 64 * 1024 * 1024,
    });
    return stdout;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#directory, { recursive: true, maxRetries: 5 });
    for (const pattern of CGROUPS) globSync(pattern).forEach(removeIfEmpty);
  }
}

function removeIfEmpty(group: string): void {
  try {
    rmdirSync(group);
  } catch {
    // Another podman of this machine has containers in it.
  }
}
