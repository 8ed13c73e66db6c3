import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';

import type { Mode } from '../admission/policy.ts';
import { type AdmissionMetrics, createAdmissionMetrics } from './admission-metrics.ts';
import { type AuditMetrics, createAuditMetrics } from './audit-metrics.ts';
import { createEventMetrics, type EventMetrics } from './event-metrics.ts';
import { createRegistryLabels } from './registry-labels.ts';
import { createRegistryMetrics, type RegistryMetrics } from './registry-metrics.ts';
import { createSharedCacheMetrics, type SharedCacheMetrics } from './shared-cache-metrics.ts';
import { createSnapshotMetrics, type SnapshotMetrics } from './snapshot-metrics.ts';

/** Everything that `/metrics` shows, told by the parts through these functions. */
export interface Metrics
  extends AdmissionMetrics,
    AuditMetrics,
    EventMetrics,
    RegistryMetrics,
    SharedCacheMetrics,
    SnapshotMetrics {
  readonly certificateExpiry: (which: CertificateLabels, timestampSeconds: number) => void;
  /** How many entries of the webhook configurations call tagpin for a mode, where that is read. */
  readonly webhookEntries: (mode: Mode, count: number) => void;
  /** The Prometheus text format. */
  readonly text: () => Promise<string>;
  readonly contentType: string;
}

/** A certificate, and who made it. */
interface CertificateLabels {
  readonly certificate: 'serving' | 'authority';
  readonly source: 'files' | 'built-in';
}

export interface MetricsOptions {
  readonly version: string;
  readonly cacheEntries: () => number;
  readonly lostLogBytes: () => number;
  /** The clock of `performance.now()`, in milliseconds. */
  readonly now: () => number;
}

export function createMetrics(options: MetricsOptions): Metrics {
  const register = new Registry();
  collectDefaultMetrics({ register });
  const labels = createRegistryLabels();
  return {
    ...createAdmissionMetrics(register, labels),
    ...createAuditMetrics(register),
    ...createEventMetrics(register),
    ...createRegistryMetrics(register, labels, options.now),
    ...createSharedCacheMetrics(register),
    ...createSnapshotMetrics(register),
    ...processMetrics(register, options),
    text: () => register.metrics(),
    contentType: register.contentType,
  };
}

function processMetrics(
  register: Registry,
  { version, cacheEntries, lostLogBytes }: MetricsOptions,
): Pick<Metrics, 'certificateExpiry' | 'webhookEntries'> {
  const registers = [register];
  const entries: Gauge = new Gauge({
    name: 'tagpin_cache_entries',
    help: 'Digests and failures in memory.',
    registers,
    collect: () => {
      entries.set(cacheEntries());
    },
  });
  const lost: Counter = new Counter({
    name: 'tagpin_log_lost_bytes_total',
    help: 'What could not be logged: the disk is full, or nobody reads.',
    registers,
    collect: () => {
      lost.reset();
      lost.inc(lostLogBytes());
    },
  });
  const busy: Counter = new Counter({
    name: 'tagpin_event_loop_busy_seconds_total',
    help: 'How long the event loop worked: of each second, 1 is all of it.',
    registers,
    collect: () => {
      busy.reset();
      busy.inc(performance.eventLoopUtilization().active / 1000);
    },
  });
  const build = new Gauge({
    name: 'tagpin_build_info',
    help: 'Always 1; the labels tell what runs.',
    labelNames: ['version', 'node'],
    registers,
  });
  build.set({ version, node: process.versions.node }, 1);
  const certificate = new Gauge({
    name: 'tagpin_certificate_expiry_timestamp_seconds',
    help: 'When the serving certificate, or the authority that signed it, expires, in seconds since 1970.',
    labelNames: ['certificate', 'source'],
    registers,
  });
  const webhookEntry = new Gauge({
    name: 'tagpin_webhook_entries',
    help: 'Entries of the webhook configurations that call tagpin; known with built-in certificates alone.',
    labelNames: ['mode'],
    registers,
  });
  return {
    webhookEntries: (mode, count) => webhookEntry.set({ mode }, count),
    certificateExpiry: (which, timestampSeconds) => certificate.set({ ...which }, timestampSeconds),
  };
}
