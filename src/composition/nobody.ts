import type { Logger } from '../log.ts';
import type { RegistryMetrics } from '../server/registry-metrics.ts';

function toNobody(): void {}

/** A person has no log: what a registry refuses is told in the error itself. */
export const NO_LOG: Logger = { info: toNobody, warn: toNobody, error: toNobody };

/** Nobody counts. */
export const NO_METRICS: RegistryMetrics = {
  registryRequest: toNobody,
  digestMismatch: toNobody,
  registryGated: toNobody,
  registrySilent: toNobody,
  cacheResult: toNobody,
  credentialLookup: toNobody,
};
