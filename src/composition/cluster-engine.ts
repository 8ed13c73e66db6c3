import type { ClusterReader } from '../kube/client.ts';
import { createCache } from '../resolve/cache.ts';
import type { CredentialSettings } from '../settings/credential-settings.ts';
import type { RegistrySettings } from '../settings/registry-settings.ts';
import { composeEngine, type Engine, type EngineParts } from './engine.ts';
import { NO_LOG, NO_METRICS } from './nobody.ts';
import type { Environment } from './person-credentials.ts';

/** What a command that looks at a cluster is told by its process. */
export interface ClusterProcess {
  readonly version: string;
  /** For the programs that it starts and the files that it names. */
  readonly environment: Environment;
}

/** What differs from one command to another. */
type ClusterEngineParts = Pick<EngineParts, 'authFiles' | 'perNamespace'> & {
  readonly reader: ClusterReader;
};

/** The clock of these commands, in milliseconds. */
export const now = (): number => performance.now();

/** One run asks for each tag once. */
const CACHE = { ttlMs: 600_000, staleIfErrorMs: 0, random: Math.random };

/**
 * The engine of a person who looks at a cluster, with the guards of the webhook: tenants chose the
 * hosts. All that takes long is loaded. Rejects with PinError `invalid_config`.
 */
export async function openClusterEngine(
  settings: RegistrySettings & CredentialSettings,
  { version, environment }: ClusterProcess,
  parts: ClusterEngineParts,
): Promise<Engine> {
  const engine = composeEngine(settings, {
    ...parts,
    cache: createCache(CACHE),
    metrics: NO_METRICS,
    userAgent: `tagpin/${version}`,
    log: NO_LOG,
    environment,
    now,
    asksReasons: true,
  });
  await Promise.all([engine.load(), parts.reader.load()]);
  return engine;
}
