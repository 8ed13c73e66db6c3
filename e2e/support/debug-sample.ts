import type { AdmissionReport, ImageReport } from '../../src/admission/report.ts';
import type { Overview } from '../../src/debug/overview.ts';
import { admissionReport, createDebugClock, imageReport } from '../../test/support/debug.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

/** A few minutes of a shop's cluster, the same ones each time: what the documentation shows. */
export function sampleOverview(): Overview {
  const time = createDebugClock();
  time.nowMs = 3 * DAY_MS;
  for (const { afterMs, report } of sampleReports()) {
    time.dayMs += afterMs;
    time.record.review(report);
  }
  tellRegistries(time.record, time.nowMs);
  const expiresMs = time.dayMs + 4.5 * DAY_MS;
  time.record.certificateExpiry({ certificate: 'serving', source: 'built-in' }, expiresMs / 1000);
  time.record.certificateExpiry(
    { certificate: 'authority', source: 'built-in' },
    (expiresMs + 200 * DAY_MS) / 1000,
  );
  time.dayMs += 12_000;
  const overview = time.overview();
  const cache = { ...overview.cache, entries: 131, maxDigests: 30_000 };
  return { ...overview, cache, node: '24.21.0', version: '0.1.0' };
}

interface SampleReport {
  readonly afterMs: number;
  readonly report: AdmissionReport;
}

function told(
  images: readonly ImageReport[],
  of: { readonly name: string; readonly namespace: string },
  change: Partial<AdmissionReport> = {},
): AdmissionReport {
  return { ...admissionReport(images, of), ...change };
}

function sampleReports(): readonly SampleReport[] {
  const web = imageReport();
  const proxy = imageReport({
    container: 'proxy',
    original: 'envoyproxy/envoy:v1.36',
    registry: 'docker.io',
    digest: `sha256:${'4c'.repeat(32)}`,
  });
  const api = imageReport({
    container: 'api',
    original: 'private.example.com/billing/api:2',
    registry: 'private.example.com',
    digest: `sha256:${'c0ffee11'.repeat(8)}`,
    ms: 61.4,
    phases: { secretMs: 4.1, queueMs: 0, tokenMs: 21.7, manifestMs: 35.2 },
  });
  const missing = imageReport({
    container: 'worker',
    original: 'registry.example.com/shop/worker:1.9.0-rc.3',
    outcome: 'failed',
    reason: 'not_found',
    digest: undefined,
    ms: 23.8,
    phases: { secretMs: 0, queueMs: 0, tokenMs: 0, manifestMs: 23.6 },
  });
  const limited = { outcome: 'failed', reason: 'rate_limited', digest: undefined } as const;
  const cron = imageReport({
    ...limited,
    container: 'report',
    original: 'python:3.13-slim',
    registry: 'docker.io',
  });
  const pinned = imageReport({
    outcome: 'already_pinned',
    original: `redis@sha256:${'a7'.repeat(32)}`,
    digest: undefined,
    container: 'cache',
    registry: undefined,
  });
  return [
    { afterMs: 0, report: told([pinned], { name: 'cache-0', namespace: 'billing' }) },
    {
      afterMs: 40_000,
      report: told(
        [
          {
            ...proxy,
            ms: 48.2,
            phases: { secretMs: 0, queueMs: 0, tokenMs: 19.3, manifestMs: 28.8 },
          },
        ],
        { name: 'edge-6f9c', namespace: 'gateway' },
        { ms: 48.9 },
      ),
    },
    {
      afterMs: 50_000,
      report: told([cron], { name: 'nightly-report-29388', namespace: 'billing' }, { ms: 2.1 }),
    },
    {
      afterMs: 20_000,
      report: told(
        [
          {
            ...web,
            outcome: 'refreshed',
            ms: 31.9,
            phases: { secretMs: 0, queueMs: 0, tokenMs: 0, manifestMs: 31.8 },
          },
        ],
        { name: 'web', namespace: 'shop' },
        {
          kind: 'Deployment',
          ms: 33.4,
        },
      ),
    },
    {
      afterMs: 3000,
      report: told([web, { ...proxy, ms: 0.1 }], { name: 'web-7d4b9c6f5-', namespace: 'shop' }),
    },
    {
      afterMs: 0,
      report: told(
        [web, { ...proxy, ms: 0.1 }],
        { name: 'web-7d4b9c6f5-', namespace: 'shop' },
        { ms: 0.24 },
      ),
    },
    {
      afterMs: 30_000,
      report: told(
        [missing],
        { name: 'worker', namespace: 'shop' },
        {
          kind: 'Deployment',
          mode: 'enforce',
          outcome: 'denied',
          ms: 24.6,
        },
      ),
    },
    {
      afterMs: 9000,
      report: told([api], { name: 'api-5c8d7b-', namespace: 'billing' }, { ms: 62 }),
    },
  ];
}

function tellRegistries(
  { registries, cacheResult }: ReturnType<typeof createDebugClock>['record'],
  nowMs: number,
): void {
  const answer = (host: string, count: number, code: string = '200'): void => {
    for (let n = 0; n < count; n += 1) registries.registryRequest({ host, code });
  };
  answer('registry.example.com', 214);
  answer('private.example.com', 38);
  answer('auth.docker.io', 12);
  answer('mirror.example.com', 3, 'unavailable');
  const quota = { remaining: 0, limit: 100, windowS: 21_600 };
  registries.registryRequest({ host: 'docker.io', code: '429', quota });
  registries.registryGated('docker.io', nowMs + 41_000);
  for (const [result, count] of [
    ['hit', 1893],
    ['miss', 131],
    ['shared', 24],
    ['negative_hit', 3],
  ] as const) {
    for (let n = 0; n < count; n += 1) cacheResult(result);
  }
}
