import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

import type { AdmissionReport } from '../admission/report.ts';
import { createRegistryLabels } from './registry-labels.ts';

/** Everything that `/metrics` shows, told by the parts through the functions below. */
export interface Metrics {
  readonly review: (report: AdmissionReport) => void;
  /** A call that was answered with an error of HTTP and never became a review. */
  readonly refused: (code: string) => void;
  readonly inFlight: (change: 1 | -1) => void;
  readonly registryRequest: (request: { host: string; code: string; ms: number }) => void;
  readonly digestMismatch: (registry: string) => void;
  readonly registryGated: (registry: string, untilMs: number) => void;
  readonly cacheResult: (result: string) => void;
  readonly credentialLookup: (source: string, result: string) => void;
  readonly certificateExpiry: (timestampSeconds: number) => void;
  /** The Prometheus text format, and its content type. */
  readonly text: () => Promise<string>;
  readonly contentType: string;
}

export interface MetricsOptions {
  readonly version: string;
  readonly cacheEntries: () => number;
  /** The clock of `performance.now()`, in milliseconds. */
  readonly now: () => number;
}

/** The API server's own buckets for webhooks, and one below them for warm reviews. */
const ADMISSION_BUCKETS_S = [0.001, 0.005, 0.025, 0.1, 0.5, 1, 2.5, 10];
const REGISTRY_BUCKETS_S = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

export function createMetrics(options: MetricsOptions): Metrics {
  const register = new Registry();
  collectDefaultMetrics({ register });
  const admission = admissionMetrics(register);
  const registry = registryMetrics(register, options);
  stateMetrics(register, options);
  const certificate = new Gauge({
    name: 'tagpin_certificate_expiry_timestamp_seconds',
    help: 'When the serving certificate expires, in seconds since 1970.',
    registers: [register],
  });
  return {
    ...admission(registry.labels),
    ...registry.observers,
    certificateExpiry: (timestampSeconds) => certificate.set(timestampSeconds),
    text: () => register.metrics(),
    contentType: register.contentType,
  };
}

/** A caller that is no API server could send any text. */
const OPERATIONS: ReadonlySet<string> = new Set(['CREATE', 'UPDATE', 'DELETE', 'CONNECT']);

type AdmissionObservers = Pick<Metrics, 'review' | 'refused' | 'inFlight'>;
type RegistryObservers = Pick<
  Metrics,
  'registryRequest' | 'digestMismatch' | 'registryGated' | 'cacheResult' | 'credentialLookup'
>;
type LabelOf = (registry: string) => string;

function admissionMetrics(register: Registry): (label: LabelOf) => AdmissionObservers {
  const registers = [register];
  const requests = new Counter({
    name: 'tagpin_admission_requests_total',
    help: 'Reviews, by the most telling outcome of their images.',
    labelNames: ['mode', 'kind', 'operation', 'outcome'],
    registers,
  });
  const duration = new Histogram({
    name: 'tagpin_admission_duration_seconds',
    help: 'From the arrival of a review to its answer.',
    labelNames: ['mode', 'outcome'],
    buckets: ADMISSION_BUCKETS_S,
    registers,
  });
  const images = new Counter({
    name: 'tagpin_images_total',
    help: 'Images of reviews: what became of each, and why.',
    labelNames: ['outcome', 'reason', 'registry'],
    registers,
  });
  const refused = new Counter({
    name: 'tagpin_admission_refused_total',
    help: 'Calls answered with an HTTP error, by reason.',
    labelNames: ['reason'],
    registers,
  });
  const inFlight = new Gauge({
    name: 'tagpin_admission_in_flight',
    help: 'Reviews that are being answered now.',
    registers,
  });
  return (label) => ({
    review: ({ mode, kind, outcome, review, images: reports, ms }) => {
      const operation = OPERATIONS.has(review.operation) ? review.operation : 'other';
      requests.inc({ mode, kind, operation, outcome });
      duration.observe({ mode, outcome }, ms / 1000);
      for (const { outcome: became, reason, registry } of reports) {
        images.inc({
          outcome: became,
          reason,
          registry: registry === undefined ? '' : label(registry),
        });
      }
    },
    refused: (reason) => refused.inc({ reason }),
    inFlight: (change) => inFlight.inc(change),
  });
}

function registryMetrics(
  register: Registry,
  { now }: MetricsOptions,
): { readonly labels: LabelOf; readonly observers: RegistryObservers } {
  const registers = [register];
  const labels = createRegistryLabels();
  const requests = new Counter({
    name: 'tagpin_registry_requests_total',
    help: 'Requests to registries and their token servers, by HTTP status or error.',
    labelNames: ['registry', 'code'],
    registers,
  });
  const duration = new Histogram({
    name: 'tagpin_registry_request_duration_seconds',
    help: 'From a request to the end of its answer.',
    labelNames: ['registry'],
    buckets: REGISTRY_BUCKETS_S,
    registers,
  });
  const mismatches = new Counter({
    name: 'tagpin_registry_digest_mismatches_total',
    help: 'Answers whose Docker-Content-Digest is not the digest of their bytes.',
    labelNames: ['registry'],
    registers,
  });
  const gatedUntil = new Map<string, number>();
  new Gauge({
    name: 'tagpin_registry_gated',
    help: '1 while a registry that answered 429 is left alone.',
    labelNames: ['registry'],
    registers,
    collect() {
      for (const [registry, untilMs] of gatedUntil) this.set({ registry }, now() < untilMs ? 1 : 0);
    },
  });
  const cache = new Counter({
    name: 'tagpin_cache_requests_total',
    help: 'Look-ups, by how the cache answered.',
    labelNames: ['result'],
    registers,
  });
  const credentials = new Counter({
    name: 'tagpin_credential_lookups_total',
    help: 'Reads of Secrets and ServiceAccounts from the API server.',
    labelNames: ['source', 'result'],
    registers,
  });
  return {
    labels: labels.of,
    observers: {
      registryRequest: ({ host, code, ms }) => {
        if (/^\d/.test(code)) labels.answered(host);
        const registry = labels.of(host);
        requests.inc({ registry, code });
        duration.observe({ registry }, ms / 1000);
      },
      digestMismatch: (registry) => mismatches.inc({ registry: labels.of(registry) }),
      registryGated: (registry, untilMs) => gatedUntil.set(labels.of(registry), untilMs),
      cacheResult: (result) => cache.inc({ result }),
      credentialLookup: (source, result) => credentials.inc({ source, result }),
    },
  };
}

function stateMetrics(register: Registry, { version, cacheEntries }: MetricsOptions): void {
  const registers = [register];
  new Gauge({
    name: 'tagpin_cache_entries',
    help: 'Digests and failures in memory.',
    registers,
    collect() {
      this.set(cacheEntries());
    },
  });
  new Gauge({
    name: 'tagpin_build_info',
    help: 'Always 1; the labels tell what runs.',
    labelNames: ['version', 'node'],
    registers,
  }).set({ version, node: process.versions.node }, 1);
}
