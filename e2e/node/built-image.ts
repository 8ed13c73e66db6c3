import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { BASES, importBases } from './base-images.ts';
import type { ContainerEngine } from './container-engine.ts';

const run = promisify(execFile);
const CHECKOUT = join(import.meta.dirname, '..', '..');

/** The name of what is built. */
export const IMAGE = 'localhost/tagpin:1';

/**
 * Builds the image by the Dockerfile, on bases made for it; `npm ci` runs in it, and asks the registry of
 * this machine by the settings that this machine has for npm, of which nothing may stay in the image.
 */
export async function buildImage(engine: ContainerEngine, directory: string): Promise<void> {
  await importBases(engine);
  await engine.run([
    'build',
    '--network=host',
    '--pull=never',
    '--isolation=oci',
    // The stages before the last are kept by nobody.
    '--layers=false',
    `--build-arg=BUILD=${BASES.build}`,
    `--build-arg=BASE=${BASES.runtime}`,
    ...(await npmSettings(directory)),
    `--tag=${IMAGE}`,
    CHECKOUT,
  ]);
}

/** Mounts for the time of the build: from whom npm gets packages, whom it trusts, and what it has already. */
async function npmSettings(directory: string): Promise<readonly string[]> {
  const [registry, file = '', cache] = await Promise.all(
    ['registry', 'cafile', 'cache'].map(npmSetting),
  );
  const authorities = file === 'null' ? process.env['NODE_EXTRA_CA_CERTS'] : file;
  const lines = [`registry=${registry}`, 'update-notifier=false'];
  const mounts = [`${cache}:/root/.npm`];
  if (authorities !== undefined) {
    lines.push('cafile=/etc/npm-authorities.crt');
    mounts.push(`${authorities}:/etc/npm-authorities.crt:ro`);
  }
  const settings = join(directory, 'image.npmrc');
  await writeFile(settings, `${lines.join('\n')}\n`);
  return [...mounts, `${settings}:/usr/local/etc/npmrc:ro`].map((mount) => `--volume=${mount}`);
}

async function npmSetting(name: string): Promise<string> {
  const { stdout } = await run('npm', ['config', 'get', name]);
  return stdout.trim();
}
