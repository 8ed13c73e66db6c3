import type { Verdict } from '../admission/digests.ts';
import type { AdmissionReport, ImageReport } from '../admission/report.ts';
import type { Logger } from '../log.ts';

/**
 * One line a review, whose fields are those of docs/log.md. It holds names and
 * outcomes, never an image's text and never a credential.
 */
export function logReview(log: Logger, report: AdmissionReport): void {
  const { review, mode, kind, outcome, images, ms } = report;
  log.info(
    {
      uid: review.uid,
      traceparent: review.traceparent,
      namespace: review.namespace,
      kind,
      name: review.name,
      operation: review.operation,
      subResource: review.subResource || undefined,
      dryRun: review.dryRun || undefined,
      mode,
      outcome,
      ms: round(ms),
      images: images.map(imageFields),
    },
    'review',
  );
}

/** What is undefined is left out of the line. */
function imageFields({ container, outcome, reason, registry, stale, ms, phases }: ImageReport) {
  return {
    container,
    outcome,
    reason: reason || undefined,
    registry,
    stale: stale || undefined,
    ms: round(ms),
    phases: phases && {
      secretMs: round(phases.secretMs),
      queueMs: round(phases.queueMs),
      tokenMs: round(phases.tokenMs),
      manifestMs: round(phases.manifestMs),
    },
  };
}

/** The same of a review that was judged at /validate/digests; those that passed are not told. */
export function logVerdict(log: Logger, { review, outcome, refused }: Verdict): void {
  if (outcome === 'allowed') return;
  log.info(
    {
      uid: review.uid,
      traceparent: review.traceparent,
      namespace: review.namespace,
      name: review.name,
      operation: review.operation,
      subResource: review.subResource || undefined,
      dryRun: review.dryRun || undefined,
      outcome,
      refused,
    },
    'verdict',
  );
}

/** Microseconds are enough. */
function round(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
