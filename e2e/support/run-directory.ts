import { cpSync, readdirSync, rmSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { cacheDirectory } from './binaries.ts';
import { killAll, stopAll } from './child-process.ts';

/** Ends the processes of a run and removes its directory; the logs of the last run are kept. */
export async function removeRun(directory: string): Promise<void> {
  const logs = join(cacheDirectory(), 'logs');
  await stopAll(directory);
  await rm(logs, { recursive: true, force: true });
  await mkdir(logs, { recursive: true });
  for (const file of readdirSync(directory).filter((name) => name.endsWith('.log'))) {
    cpSync(join(directory, file), join(logs, file));
  }
  await rm(directory, { recursive: true });
  process.stderr.write(`e2e: everything is stopped; its logs are in ${logs}\n`);
}

/** The same at the end of an interrupted run, where nothing can be awaited and nothing is kept. */
export function killRun(directory: string): void {
  killAll(directory);
  rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
}
