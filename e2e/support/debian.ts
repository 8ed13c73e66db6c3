import { execFile } from 'node:child_process';
import { existsSync, globSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { arch, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { cacheDirectory } from './binaries.ts';

const run = promisify(execFile);

/**
 * A package of Debian with what it needs and this machine does not have: downloaded and unpacked in a
 * directory that is kept, not installed. Gives that directory.
 *
 * @throws Error with what apt-get said where it cannot be had
 */
export async function unpackedPackage(name: string): Promise<string> {
  const place = join(cacheDirectory(), `debian-${name}-${arch()}`);
  if (existsSync(place)) return place;
  await mkdir(cacheDirectory(), { recursive: true });
  // A name of its own until it is whole.
  const partial = await mkdtemp(`${place}-`);
  try {
    await apt(['download', '-q', ...(await missingPackages(name))], partial);
    for (const archive of globSync(join(partial, '*.deb'))) {
      await run('dpkg', ['-x', archive, partial]);
      await rm(archive);
    }
    await rename(partial, place);
    return place;
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}

/** The package, and what of it this machine does not have. */
async function missingPackages(name: string): Promise<readonly string[]> {
  const simulate = ['install', '--simulate', '--no-install-recommends', '--reinstall', name];
  const plan = await apt(simulate).catch(async () => {
    // A machine that has never looked for packages knows of none.
    await apt(['update', '-q']);
    return apt(simulate);
  });
  return [...plan.matchAll(/^Inst (\S+)/gm)].flatMap(([, found]) => found ?? []);
}

async function apt(args: readonly string[], cwd: string = tmpdir()): Promise<string> {
  try {
    return (await run('apt-get', [...args], { cwd })).stdout;
  } catch (caught) {
    const { stderr = String(caught) } = caught as { stderr?: string };
    throw new Error(`apt-get ${args.join(' ')}:\n${stderr}`, { cause: caught });
  }
}
