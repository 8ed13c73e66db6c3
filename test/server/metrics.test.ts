import { describe, expect, it } from '@jest/globals';

import type { AdmissionReport, ImageReport } from '../../src/admission/report.ts';
import { createMetrics, type Metrics } from '../../src/server/metrics.ts';
import { objectOf, POD, reviewOf, specOf } from '../support/review.ts';

const NOW_MS = 1_000_000;

function metrics(options: { now?: () => number; cacheEntries?: () => number } = {}): Metrics {
  return createMetrics({
    version: '1.2.3',
    cacheEntries: options.cacheEntries ?? ((): number => 0),
    lostLogBytes: (): number => 0,
    now: options.now ?? ((): number => NOW_MS),
  });
}

/** The lines of tagpin's own metrics, comments left out. */
async function series(told: Metrics): Promise<string[]> {
  const text = await told.text();
  return text.split('\n').filter((line) => line.startsWith('tagpin_'));
}

function image(change: Partial<ImageReport> = {}): ImageReport {
  return {
    container: 'canary-container',
    outcome: 'pinned',
    reason: '',
    registry: 'registry.example.com',
    original: 'registry.example.com/a/b:1',
    digest: undefined,
    stale: false,
    ms: 1,
    phases: undefined,
    ...change,
  };
}

function report(images: readonly ImageReport[], operation = 'CREATE'): AdmissionReport {
  const object = objectOf(POD, { spec: specOf({ 'canary-container': 'canary-image:1' }) });
  const more = { name: 'canary-pod', namespace: 'canary-namespace', operation };
  const review = reviewOf(POD, { object, more });
  return { mode: 'pin', kind: 'Pod', review, outcome: 'pinned', images, ms: 2 };
}

describe('createMetrics()', () => {
  it('has every name that the documentation promises', async () => {
    const told = metrics();
    told.review(report([image()]));
    told.refused('overloaded');
    told.inFlight(1);
    told.registryRequest({ host: 'registry.example.com', code: '200', ms: 5 });
    told.registryGated('registry.example.com', NOW_MS + 1000);
    told.digestMismatch('registry.example.com');
    told.cacheResult('hit');
    told.credentialLookup('secret', 'found');
    told.certificateExpiry({ certificate: 'serving', source: 'files' }, 2_000_000_000);
    told.webhookEntries('pin', 2);
    const lines = await series(told);
    const { node } = process.versions;
    for (const line of [
      'tagpin_admission_requests_total{mode="pin",kind="Pod",operation="CREATE",outcome="pinned"} 1',
      'tagpin_admission_duration_seconds_count{mode="pin",outcome="pinned"} 1',
      'tagpin_admission_refused_total{reason="overloaded"} 1',
      'tagpin_admission_in_flight 1',
      'tagpin_images_total{outcome="pinned",reason="",registry="other"} 1',
      'tagpin_registry_requests_total{registry="registry.example.com",code="200"} 1',
      'tagpin_registry_request_duration_seconds_count{registry="registry.example.com"} 1',
      'tagpin_registry_request_duration_seconds_sum{registry="registry.example.com"} 0.005',
      'tagpin_registry_gated{registry="registry.example.com"} 1',
      'tagpin_registry_digest_mismatches_total{registry="registry.example.com"} 1',
      'tagpin_cache_requests_total{result="hit"} 1',
      'tagpin_cache_entries 0',
      'tagpin_credential_lookups_total{source="secret",result="found"} 1',
      'tagpin_certificate_expiry_timestamp_seconds{certificate="serving",source="files"} 2000000000',
      'tagpin_webhook_entries{mode="pin"} 2',
      `tagpin_build_info{version="1.2.3",node="${node}"} 1`,
    ]) {
      expect(lines).toContain(line);
    }
    expect(await told.text()).toContain('process_cpu_seconds_total');
    expect(lines.join('\n')).not.toContain('canary');
  });

  it('counts every image of a review by what became of it', async () => {
    const told = metrics();
    told.registryRequest({ host: 'registry.example.com', code: '404', ms: 5 });
    told.review(
      report([
        image(),
        image(),
        image({ outcome: 'failed', reason: 'not_found' }),
        image({ outcome: 'skipped', reason: 'annotation', registry: undefined }),
      ]),
    );
    const lines = await series(told);
    expect(lines.filter((line) => line.startsWith('tagpin_images_total'))).toEqual([
      'tagpin_images_total{outcome="pinned",reason="",registry="registry.example.com"} 2',
      'tagpin_images_total{outcome="failed",reason="not_found",registry="registry.example.com"} 1',
      'tagpin_images_total{outcome="skipped",reason="annotation",registry=""} 1',
    ]);
  });

  it('takes no text of a caller for an operation', async () => {
    const told = metrics();
    for (const operation of ['CREATE', 'DELETE', 'CANARY', '__proto__']) {
      told.review(report([], operation));
    }
    const lines = (await series(told)).filter((line) => line.includes('requests_total{mode'));
    expect(lines.map((line) => /operation="([^"]*)"/.exec(line)?.[1])).toEqual([
      'CREATE',
      'DELETE',
      'other',
    ]);
  });

  it('gives a label to a host that has answered, in any case, and to no other', async () => {
    const told = metrics();
    told.registryRequest({ host: 'silent.example.com', code: 'dns_failed', ms: 5 });
    told.registryRequest({ host: 'registry-1.docker.io', code: '200', ms: 5 });
    told.review(report([image({ registry: 'docker.io' }), image({ registry: 'Docker.IO' })]));
    const lines = await series(told);
    expect(lines).toContain('tagpin_registry_requests_total{registry="other",code="dns_failed"} 1');
    expect(lines).toContain('tagpin_registry_requests_total{registry="docker.io",code="200"} 1');
    expect(lines).toContain(
      'tagpin_images_total{outcome="pinned",reason="",registry="docker.io"} 2',
    );
  });

  it('shows the quotas of registries that tell them, as they told them last', async () => {
    const told = metrics();
    const request = { host: 'registry-1.docker.io', code: '200', ms: 5 };
    told.registryRequest({ ...request, quota: { remaining: 76, limit: 100, windowS: 21_600 } });
    told.registryRequest({
      ...request,
      quota: { remaining: 75, limit: undefined, windowS: undefined },
    });
    told.registryRequest(request);
    const lines = await series(told);
    expect(lines.filter((line) => line.includes('_quota_'))).toEqual([
      'tagpin_registry_quota_remaining{registry="docker.io"} 75',
      'tagpin_registry_quota_limit{registry="docker.io"} 100',
      'tagpin_registry_quota_window_seconds{registry="docker.io"} 21600',
    ]);
  });

  it('shows no quota of registries that have no label of their own', async () => {
    const told = metrics();
    const quota = { remaining: 1, limit: 2, windowS: 3 };
    for (let n = 0; n < 51; n += 1) {
      told.registryRequest({ host: `host-${n}.example.com`, code: '200', ms: 5, quota });
    }
    const lines = (await series(told)).filter((line) => line.includes('_quota_remaining{'));
    expect(lines).toHaveLength(50);
    expect(lines.join('\n')).not.toContain('other');
  });

  it('gives a label to fifty hosts, and no more', async () => {
    const told = metrics();
    for (let n = 0; n < 60; n += 1) {
      told.registryRequest({ host: `host-${n}.example.com`, code: '200', ms: 5 });
    }
    const lines = (await series(told)).filter((line) => line.includes('_requests_total{registry'));
    expect(lines).toHaveLength(51);
    expect(lines).toContain('tagpin_registry_requests_total{registry="other",code="200"} 10');
  });

  it('shows a gate as open when its time has passed', async () => {
    let nowMs = NOW_MS;
    const told = metrics({ now: () => nowMs });
    told.registryRequest({ host: 'registry.example.com', code: '429', ms: 5 });
    told.registryGated('registry.example.com', NOW_MS + 1000);
    expect(await series(told)).toContain(
      'tagpin_registry_gated{registry="registry.example.com"} 1',
    );
    nowMs += 1000;
    expect(await series(told)).toContain(
      'tagpin_registry_gated{registry="registry.example.com"} 0',
    );
  });

  it('reads the size of the cache when it is asked', async () => {
    let entries = 3;
    const told = metrics({ cacheEntries: () => entries });
    expect(await series(told)).toContain('tagpin_cache_entries 3');
    entries = 4;
    expect(await series(told)).toContain('tagpin_cache_entries 4');
  });
});

describe('registryRequest()', () => {
  it.each([
    ['200', '200'],
    ['404', '404'],
    ['299', '2xx'],
    ['799', '7xx'],
    ['dns_failed', 'dns_failed'],
  ])('shows %s as %s, so that no registry can invent labels', async (code, label) => {
    const told = metrics();
    told.registryRequest({ host: 'registry.example.com', code, ms: 1 });
    const lines = await series(told);
    const requests = lines.filter((line) => line.startsWith('tagpin_registry_requests_total'));
    expect(requests).toHaveLength(1);
    expect(requests[0]).toContain(`code="${label}"`);
  });
});
