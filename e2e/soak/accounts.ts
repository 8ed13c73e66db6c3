import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { ACCOUNT, type Registry } from '../support/registry.ts';

const PUSHER = 'pusher';

/**
 * Who the private registry knows from now on: whoever pushes, and, unless it refuses them, those who
 * pull. It reads its file again when that has changed (distribution, registry/auth/htpasswd).
 */
export async function writeAccounts(
  directory: string,
  pullers: 'known' | 'refused',
): Promise<void> {
  const file = join(directory, 'registry-private.htpasswd');
  const [, hash = ''] = /^[^:]+:(\S+)/.exec(await readFile(file, 'utf8')) ?? [];
  const names = pullers === 'known' ? [PUSHER, ACCOUNT.username] : [PUSHER];
  await writeFile(`${file}.new`, names.map((name) => `${name}:${hash}\n`).join(''));
  await rename(`${file}.new`, file);
}

/** The registry, as whoever pushes sees it. */
export function asPusher(registry: Registry): Registry {
  return { ...registry, account: { ...ACCOUNT, username: PUSHER } };
}
