import type { AdmissionReport, ImageReport } from '../../src/admission/report.ts';
import type { Overview } from '../../src/debug/overview.ts';
import { createOverview } from '../../src/debug/overview.ts';
import { createDebugRecord, type DebugRecord } from '../../src/debug/record.ts';
import { objectOf, POD, reviewOf } from './review.ts';

export const DIGEST: string = `sha256:${'9f'.repeat(32)}`;

/** An image that was pinned, or whatever else is said of it. */
export function imageReport(change: Partial<ImageReport> = {}): ImageReport {
  return {
    container: 'web',
    outcome: 'pinned',
    reason: '',
    registry: 'registry.example.com',
    original: 'registry.example.com/shop/web:1.4',
    digest: DIGEST,
    stale: false,
    ms: 0.2,
    phases: undefined,
    ...change,
  };
}

/** A review of a new Pod, with its images. */
export function admissionReport(
  images: readonly ImageReport[] = [imageReport()],
  more: Readonly<Record<string, unknown>> = {},
): AdmissionReport {
  const review = reviewOf(POD, {
    object: objectOf(POD, { spec: {} }),
    more: { name: 'web-1', namespace: 'shop', ...more },
  });
  const outcome = images[0]?.outcome ?? 'no_images';
  return { mode: 'pin', kind: 'Pod', review, outcome, images, ms: 0.31 };
}

/** A record, and clocks that a test turns by hand. */
export interface DebugClock {
  readonly record: DebugRecord;
  readonly overview: () => Overview;
  nowMs: number;
  /** Since 1970. */
  dayMs: number;
}

export function createDebugClock(): DebugClock {
  const time = { nowMs: 60_000, dayMs: Date.UTC(2026, 10, 22, 12) };
  const [now, clock] = [() => time.nowMs, () => time.dayMs];
  const record = createDebugRecord({ nameOf: (host) => host.toLowerCase(), now, clock });
  const overview = createOverview({
    version: '1.2.3',
    node: '24.0.0',
    settings: { '--cache-ttl': '60000ms' },
    record,
    cacheEntries: () => 3,
    maxDigests: 1000,
    placesOf: () => ({ limit: 16, inFlight: 2, waiting: 1 }),
    notReady: () => [],
    now,
    clock,
  });
  return Object.assign(time, { record, overview });
}
