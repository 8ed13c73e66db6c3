import type { ServeSettings } from '../config.ts';
import { PinError } from '../errors.ts';
import type { InstallationKey } from '../installation-key.ts';
import type { Logger } from '../log.ts';
import type { DigestCache } from '../resolve/cache.ts';
import type { SnapshotMetrics } from '../server/snapshot-metrics.ts';
import { createSnapshotKeeper } from '../snapshot/keeper.ts';
import { momentNow } from '../snapshot/moment.ts';
import { registryScope } from './registry-scope.ts';

interface SnapshotParts {
  readonly cache: DigestCache;
  readonly installationKey: InstallationKey | undefined;
  readonly metrics: SnapshotMetrics;
  readonly log: Logger;
  readonly now: () => number;
}

/** Some 200,000 digests. */
const MAX_BYTES = 64 * 1024 * 1024;

/** What keeps digests from one process to the next; undefined without `--snapshot`. Throws `invalid_config`. */
export function composeSnapshot(
  settings: ServeSettings,
  { cache, installationKey, metrics, log, now }: SnapshotParts,
): { readonly load: () => Promise<void>; readonly close: () => Promise<void> } | undefined {
  const { snapshot: file, snapshotEvery: everyMs, cacheEntries: maxDigests } = settings;
  if (file === undefined) return undefined;
  if (installationKey === undefined) {
    // Whoever writes to the volume could otherwise plant digests, and whoever reads it guess passwords.
    throw new PinError('invalid_config', '--snapshot needs --installation-key-file');
  }
  const keeper = createSnapshotKeeper({
    file,
    key: installationKey.keyFor('snapshot', registryScope(settings)),
    cache,
    everyMs,
    maxBytes: MAX_BYTES,
    maxDigests,
    log,
    observe: metrics.snapshotWrite,
    now,
    moment: momentNow,
  });
  return {
    load: async () => {
      await keeper.restore();
      keeper.start();
    },
    close: keeper.stop,
  };
}
