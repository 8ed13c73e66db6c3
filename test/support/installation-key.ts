import { createHash } from 'node:crypto';

import type { InstallationKey } from '../../src/installation-key.ts';

/** The key of an installation of this name, which needs no file. */
export function installationKeyOf(installation: string): InstallationKey {
  return {
    keyFor: (purpose, scope = '') =>
      createHash('sha256').update(`${installation} ${purpose} ${scope}`).digest(),
  };
}
