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
  const count = inFlightGauge(register);
  const requestsOf = remembering((...values) => requests.labels(...values));
  const durationOf = remembering((...values) => duration.labels(...values));
  const imagesOf = remembering((...values) => images.labels(...values));
  return {
    review: ({ mode, kind, outcome, review, images: reports, ms }) => {
      const operation = OPERATIONS.has(review.operation) ? review.operation : 'other';
      requestsOf(mode, kind, operation, outcome).inc();
      durationOf(mode, outcome).observe(ms / 1000);
      for (const { outcome: became, reason, registry } of reports) {
        imagesOf(became, reason, registry === undefined ? '' : labels.of(registry)).inc();
      }
    },
    refused: (reason) => refused.inc({ reason }),
    inFlight: count,
  };
}

/** Finding the series of some labels costs more than counting; all label sets here are closed. */
function remembering<T>(find: (...values: string[]) => T): (...values: string[]) => T {
  const known = new Map<string, T>();
  return (...values) => {
    const key = values.join(' ');
    const seen = known.get(key);
    if (seen !== undefined) return seen;
    const found = find(...values);
    known.set(key, found);
    return found;
  };
}

function inFlightGauge(register: Registry): (change: 1 | -1) => void {
  let inFlight = 0;
  const gauge: Gauge = new Gauge({
    name: 'tagpin_admission_in_flight',
    help: 'Reviews that are being answered now.',
    registers: [register],
    collect: () => {
      gauge.set(inFlight);
    },
  });
  return (change) => {
    inFlight += change;
  };
}
