import { readEnvironment } from './support/environment.ts';
import { removeRun } from './support/run-directory.ts';

/** Ends everything that the set-up and the tests started, also after a failure. */
export default async function globalTeardown(): Promise<void> {
  await removeRun(readEnvironment().directory);
}
