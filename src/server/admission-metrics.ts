import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

import type { AdmissionReport } from '../admission/report.ts';
import type { RegistryLabels } from './registry-labels.ts';

/** What is told of reviews. */
export interface AdmissionMetrics {
  readonly review: (report: AdmissionReport) => void;
  /** A call that was answered with an error of HTTP and never became a review. */
  readonly refused: (reason: string) => void;
  readonly inFlight: (change: 1 | -1) => void;
}

/** The API server's own buckets for webhooks, and one below them for warm reviews. */
const BUCKETS_S = [0.001, 0.005, 0.025, 0.1, 0.5, 1, 2.5, 10];

/** A caller that is no API server could send any text. */
const OPERATIONS: ReadonlySet<string> = new Set(['CREATE', 'UPDATE', 'DELETE', 'CONNECT']);

export function createAdmissionMetrics(
  register: Registry,
  labels: RegistryLabels,
): AdmissionMetrics {
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
    buckets: BUCKETS_S,
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
  return {
    review: ({ mode, kind, outcome, review, images: reports, ms }) => {
      const operation = OPERATIONS.has(review.operation) ? review.operation : 'other';
      requests.inc({ mode, kind, operation, outcome });
      duration.observe({ mode, outcome }, ms / 1000);
      for (const { outcome: became, reason, registry } of reports) {
        const asked = registry === undefined ? '' : labels.of(registry);
        images.inc({ outcome: became, reason, registry: asked });
      }
    },
    refused: (reason) => refused.inc({ reason }),
    inFlight: (change) => inFlight.inc(change),
  };
}
