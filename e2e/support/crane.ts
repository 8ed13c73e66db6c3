import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { binaryPath } from './binaries.ts';
import type { Registry } from './registry.ts';

const run = promisify(execFile);
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;

/**
 * The digest of a reference by somebody else's client, the oracle for every pin.
 *
 * @throws Error with what crane printed when it finds none
 */
export async function craneDigest(registry: Registry, reference: string): Promise<string> {
  return (await crane(registry, ['digest', reference])).trim();
}

/**
 * What crane prints.
 *
 * @throws Error with that when it fails
 */
export async function crane(registry: Registry, args: readonly string[]): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'tagpin-crane-'));
  try {
    await writeFile(join(directory, 'config.json'), JSON.stringify(dockerConfig(registry)));
    const { stdout } = await run(binaryPath('crane'), ['--insecure', ...args], {
      env: { ...process.env, DOCKER_CONFIG: directory },
      maxBuffer: MAX_OUTPUT_BYTES,
    });
    return stdout;
  } finally {
    await rm(directory, { recursive: true });
  }
}

function dockerConfig({ host, account }: Registry): object {
  if (account === undefined) return {};
  const auth = Buffer.from(`${account.username}:${account.password}`).toString('base64');
  return { auths: { [host]: { auth } } };
}
