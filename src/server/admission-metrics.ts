import { Gauge, type Registry } from 'prom-client';

import type { Verdict } from '../admission/digests.ts';
import type { AdmissionReport } from '../admission/report.ts';
import type { RegistryLabels } from './registry-labels.ts';
import { createDurations, createTally } from './tally.ts';

/** What is told of reviews. */
export interface AdmissionMetrics {
  readonly review: (report: AdmissionReport) => void;
  /** What was judged at /validate/digests. */
  readonly verdict: (verdict: Verdict) => void;
  /** A call that was answered with an error of HTTP and never became a review. */
  readonly refused: (reason: string) => void;
  readonly inFlight: (change: 1 | -1) => void;
  /** How it became known what the siblings of a Pod run. */
  readonly siblings: (result: string) => void;
}

/** The API server's own buckets for webhooks, and one below them for warm reviews. */
const BUCKETS_S = [0.001, 0.005, 0.025, 0.1, 0.5, 1, 2.5, 10];

/** A caller that is no API server could send any text. */
const OPERATIONS: ReadonlySet<string> = new Set(['CREATE', 'UPDATE', 'DELETE', 'CONNECT']);

export function createAdmissionMetrics(
  register: Registry,
  labels: RegistryLabels,
): AdmissionMetrics {
  const request = createTally({
    name: 'tagpin_admission_requests_total',
    help: 'Reviews, by the most telling outcome of their images.',
    labelNames: ['mode', 'kind', 'operation', 'outcome'],
    register,
  });
  const duration = createDurations({
    name: 'tagpin_admission_duration_seconds',
    help: 'From the arrival of a review to its answer.',
    labelNames: ['mode', 'outcome'],
    buckets: BUCKETS_S,
    register,
  });
  const image = createTally({
    name: 'tagpin_images_total',
    help: 'Images of reviews: what became of each, and why.',
    labelNames: ['outcome', 'reason', 'registry'],
    register,
  });
  const refused = createTally({
    name: 'tagpin_admission_refused_total',
    help: 'Calls answered with an HTTP error, by reason.',
    labelNames: ['reason'],
    register,
  });
  const siblings = createTally({
    name: 'tagpin_sibling_lookups_total',
    help: 'New Pods with a tag, by how it became known what their siblings run.',
    labelNames: ['result'],
    register,
  });
  const verdict = createTally({
    name: 'tagpin_validation_requests_total',
    help: 'Reviews that were judged at /validate/digests.',
    labelNames: ['operation', 'outcome'],
    register,
  });
  return {
    siblings,
    review: ({ mode, kind, outcome, review, images, ms }) => {
      request(mode, kind, operationLabel(review.operation), outcome);
      duration(ms / 1000, mode, outcome);
      for (const { outcome: became, reason, registry } of images) {
        image(became, reason, registry === undefined ? '' : labels.of(registry));
      }
    },
    verdict: ({ review, outcome }) => verdict(operationLabel(review.operation), outcome),
    refused,
    inFlight: inFlightGauge(register),
  };
}

function operationLabel(operation: string): string {
  return OPERATIONS.has(operation) ? operation : 'other';
}

function inFlightGauge(register: Registry): (change: 1 | -1) => void {
  let inFlight = 0;
  const gauge: Gauge = new Gauge({
    name: 'tagpin_admission_in_flight',
    help: 'Reviews that wait for their answer now.',
    registers: [register],
    collect: () => {
      gauge.set(inFlight);
    },
  });
  return (change) => {
    inFlight += change;
  };
}
