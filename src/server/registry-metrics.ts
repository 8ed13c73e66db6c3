import { Gauge, type Registry } from 'prom-client';

import { OTHER, type RegistryLabels } from './registry-labels.ts';
import { createDurations, createTally } from './tally.ts';

/** What is told of registries, of the cache before them, and of credentials for them. */
export interface RegistryMetrics {
  /** `code` is an HTTP status, or an error code where there was no answer. */
  readonly registryRequest: (request: {
    readonly host: string;
    readonly code: string;
    readonly ms: number;
    readonly quota?: Quota | undefined;
  }) => void;
  readonly digestMismatch: (registry: string) => void;
  /** It asked to be left alone until then. */
  readonly registryGated: (registry: string, untilMs: number) => void;
  /** It did not answer, and is left alone until then; 0: it has answered again. */
  readonly registrySilent: (registry: string, untilMs: number) => void;
  readonly cacheResult: (result: string) => void;
  readonly credentialLookup: (source: string, result: string) => void;
}

/** What a registry says that whoever asked may still ask. */
interface Quota {
  readonly remaining: number;
  readonly limit: number | undefined;
  readonly windowS: number | undefined;
}

const BUCKETS_S = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

export function createRegistryMetrics(
  register: Registry,
  labels: RegistryLabels,
  now: () => number,
): RegistryMetrics {
  const request = createTally({
    name: 'tagpin_registry_requests_total',
    help: 'Requests to registries and their token servers, by HTTP status or error.',
    labelNames: ['registry', 'code'],
    register,
  });
  const duration = createDurations({
    name: 'tagpin_registry_request_duration_seconds',
    help: 'From a request to the end of its answer.',
    labelNames: ['registry'],
    buckets: BUCKETS_S,
    register,
  });
  const mismatch = createTally({
    name: 'tagpin_registry_digest_mismatches_total',
    help: 'Answers whose Docker-Content-Digest is not the digest of their bytes.',
    labelNames: ['registry'],
    register,
  });
  const cacheResult = createTally({
    name: 'tagpin_cache_requests_total',
    help: 'Look-ups, by how the cache answered.',
    labelNames: ['result'],
    register,
  });
  const credentialLookup = createTally({
    name: 'tagpin_credential_lookups_total',
    help: 'Reads of Secrets and ServiceAccounts from the API server.',
    labelNames: ['source', 'result'],
    register,
  });
  const gated = gatedGauge(register, now);
  const setQuota = quotaGauges(register);
  return {
    registryRequest: ({ host, code, ms, quota }) => {
      if (/^\d/.test(code)) labels.answered(host);
      const registry = labels.of(host);
      request(registry, codeLabel(code));
      duration(ms / 1000, registry);
      // Of several registries under one label the last would count.
      if (quota !== undefined && registry !== OTHER) setQuota(registry, quota);
    },
    digestMismatch: (registry) => mismatch(labels.of(registry)),
    registryGated: (registry, untilMs) => gated.limited.set(labels.of(registry), untilMs),
    registrySilent: (registry, untilMs) => gated.silent.set(labels.of(registry), untilMs),
    cacheResult,
    credentialLookup,
  };
}

/** The statuses that registries have a reason for; a hostile one could send any three digits. */
const STATUSES: ReadonlySet<string> = new Set(
  [200, 301, 302, 303, 307, 308, 400, 401, 403, 404, 405, 406, 429, 500, 501, 502, 503, 504].map(
    String,
  ),
);

function codeLabel(code: string): string {
  return STATUSES.has(code) || !/^\d/.test(code) ? code : `${code.charAt(0)}xx`;
}

/** Each as the registry told it last, whichever account asked. */
function quotaGauges(register: Registry): (registry: string, quota: Quota) => void {
  const gaugeOf = (name: string, help: string): Gauge =>
    new Gauge({ name, help, labelNames: ['registry'], registers: [register] });
  const remaining = gaugeOf(
    'tagpin_registry_quota_remaining',
    'How many requests a registry still answers, by its own account; of registries that tell.',
  );
  const limit = gaugeOf('tagpin_registry_quota_limit', 'Of how many requests.');
  const window = gaugeOf('tagpin_registry_quota_window_seconds', 'Within how many seconds.');
  return (registry, quota) => {
    remaining.set({ registry }, quota.remaining);
    if (quota.limit !== undefined) limit.set({ registry }, quota.limit);
    if (quota.windowS !== undefined) window.set({ registry }, quota.windowS);
  };
}

/** By registry, until when it is left alone. */
type Gated = Readonly<Record<'limited' | 'silent', Map<string, number>>>;

/** A gate opens by time alone, so the gauge is computed when it is read. */
function gatedGauge(register: Registry, now: () => number): Gated {
  const gated = { limited: new Map<string, number>(), silent: new Map<string, number>() };
  const gauge = new Gauge({
    name: 'tagpin_registry_gated',
    help: '1 while a registry that answered 429, or did not answer several times, is left alone.',
    labelNames: ['registry'],
    registers: [register],
    collect: () => {
      for (const registry of new Set([...gated.limited.keys(), ...gated.silent.keys()])) {
        const untilMs = [gated.limited, gated.silent].map((by) => by.get(registry) ?? 0);
        gauge.set({ registry }, now() < Math.max(...untilMs) ? 1 : 0);
      }
    },
  });
  return gated;
}
