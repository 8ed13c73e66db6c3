import { execFile } from 'node:child_process';
import { globSync } from 'node:fs';
import { promisify } from 'node:util';

import { unpackedPackage } from '../support/debian.ts';

const run = promisify(execFile);

/** Where containerd and runc are unpacked. */
export function runtimePath(): Promise<string> {
  return unpackedPackage('containerd');
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
  const mount = ['mount', '-t', 'tmpfs', 'none', '/mnt'];
  return (
    (await problemOf(() => run('unshare', [...isolation, ...mount]))) ??
    (await problemOf(runtimePath))
  );
}

async function problemOf(attempt: () => Promise<unknown>): Promise<string | undefined> {
  try {
    await attempt();
    return undefined;
  } catch (caught) {
    return Error.isError(caught) ? caught.message.trim() : String(caught);
  }
}
