import type { Seen } from './decide.ts';
import { entriesOf, patchOf, type Wanted } from './entries.ts';
import type { CertificateObjects, Configuration } from './ports.ts';
import { readState, type State, writeState } from './state.ts';

/** The cluster at one moment, and how to change it if nobody else has since. */
export interface Reading extends Seen {
  /** False where somebody else was faster. */
  readonly store: (state: State) => Promise<boolean>;
  /** False where somebody else was faster. */
  readonly publish: (changes: readonly Wanted[]) => Promise<boolean>;
}

/**
 * Reads the configurations, and then the Secret: what it says is no older than what is seen of it.
 *
 * @param where names the Secret
 * @throws PinError `cluster_unreadable`, or `invalid_config` for a Secret that is not tagpin's
 */
export async function readCluster(objects: CertificateObjects, where: string): Promise<Reading> {
  const configurations = await objects.readConfigurations();
  const secret = await objects.readSecret();
  const owned = configurations.map((configuration) => ({
    configuration,
    entries: entriesOf(configuration.object),
  }));
  return {
    state: readState(secret?.object['data'], where),
    entries: owned.flatMap(({ entries }) => entries),
    nowMs: objects.nowMs(),
    store: (state) => objects.writeSecret(writeState(state), secret?.version),
    publish: async (changes) => {
      const patched = await Promise.all(
        owned.map(({ configuration, entries }) =>
          patch(
            objects,
            configuration,
            changes.filter(({ entry }) => entries.includes(entry)),
          ),
        ),
      );
      return patched.every(Boolean);
    },
  };
}

async function patch(
  objects: CertificateObjects,
  { kind, version }: Configuration,
  changes: readonly Wanted[],
): Promise<boolean> {
  if (changes.length === 0) return true;
  return objects.patchConfiguration(kind, patchOf(version, changes));
}
