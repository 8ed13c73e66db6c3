import { createHash } from 'node:crypto';

import type { InstallationKey } from '../../src/installation-key.ts';
import type { SharedDigests } from '../../src/resolve/shared-digests.ts';
import type { Connection } from '../../src/shared-cache/connection.ts';
import { createSealing } from '../../src/shared-cache/sealed-digests.ts';
import { createSharedDigests } from '../../src/shared-cache/shared-digests.ts';
import type { Agenda } from './agenda.ts';
import type { Scenario } from './scenario.ts';

/** On which day the clock of the agenda begins does not matter. */
const EPOCH_MS = Date.UTC(2026, 0, 1);

const INSTALLATION_KEY: InstallationKey = {
  keyFor: (purpose) => createHash('sha256').update(purpose).digest(),
};

/** The shared cache as replicas have it, before a server that answers at once and never fails. */
export function createSharedMemory(
  { cacheTtlMs }: Pick<Scenario, 'cacheTtlMs'>,
  { now }: Pick<Agenda, 'now'>,
): SharedDigests {
  const values = new Map<string, { readonly value: string; readonly untilMs: number }>();
  const connection: Connection = {
    read: async (name) => {
      const kept = values.get(name);
      return kept !== undefined && now() < kept.untilMs ? kept.value : '';
    },
    write: async (name, value, ttlMs) => void values.set(name, { value, untilMs: now() + ttlMs }),
    lost: new Promise(() => {}),
    close: () => {},
  };
  return createSharedDigests({
    link: { connection: () => connection, answered: () => {}, failed: () => {} },
    sealedUnder: createSealing(INSTALLATION_KEY, 'simulation'),
    ttlMs: cacheTtlMs,
    now,
    wallClock: () => EPOCH_MS + now(),
    observe: () => {},
  });
}
