import { execFile } from 'node:child_process';
import { existsSync, globSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { cacheDirectory } from '../support/binaries.ts';

const run = promisify(execFile);

/** Downloaded, not installed: nothing of the machine changes. */
const PACKAGES = ['containerd', 'runc'];
const RUNTIME = 'debian-containerd';

/** Where the container runtime is unpacked. */
export function runtimePath(): string {
  return join(cacheDirectory(), RUNTIME);
}

/** Why this machine cannot run a node; undefined where it can. Unpacks what a node needs. */
export async function nodeProblem(): Promise<string | undefined> {
  if (process.platform !== 'linux') return `a node runs on Linux, and this is ${process.platform}`;
  if (process.getuid?.() !== 0) return 'a node is run by root, and this is another user';
  const cgroups = globSync(['/sys/fs/cgroup/kubepods', '/sys/fs/cgroup/*/kubepods']);
  if (cgroups.length > 0) {
    return `there is a node on this machine already, or one was killed and left ${cgroups.join(', ')}`;
  }
  const isolation = ['--mount', '--propagation', 'private', '--pid', '--fork', '--mount-proc'];
  return (
    (await problemOf('unshare', [...isolation, 'mount', '-t', 'tmpfs', 'none', '/mnt'])) ??
    (await unpackRuntime())
  );
}

async function unpackRuntime(): Promise<string | undefined> {
  if (existsSync(runtimePath())) return undefined;
  await mkdir(cacheDirectory(), { recursive: true });
  // A name of its own until it is whole.
  const partial = await mkdtemp(join(cacheDirectory(), `${RUNTIME}-`));
  try {
    const problem = await problemOf('apt-get', ['download', '-q', ...PACKAGES], partial);
    if (problem !== undefined) return problem;
    for (const archive of globSync(join(partial, '*.deb'))) {
      await run('dpkg', ['-x', archive, partial]);
      await rm(archive);
    }
    await rename(partial, runtimePath());
    return undefined;
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}

async function problemOf(
  command: string,
  args: readonly string[],
  cwd?: string,
): Promise<string | undefined> {
  try {
    await run(command, args, { cwd });
    return undefined;
  } catch (caught) {
    const { stderr } = caught as { stderr?: string };
    const reason = stderr?.trim().split('\n').at(-1) ?? String(caught);
    return `${command} ${args.join(' ')}: ${reason}`;
  }
}
