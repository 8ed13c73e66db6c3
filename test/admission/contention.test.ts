import { describe, expect, it } from '@jest/globals';

import { createContention } from '../../src/pods/contention.ts';
import { Admission, type AdmissionOptions, digest } from '../support/admission.ts';
import { type Json, objectOf, POD, type RequestParts, specOf } from '../support/review.ts';

const A = digest('a');
const B = digest('b');
const NGINX = 'docker.io/library/nginx:1';
const HTTPD = 'docker.io/library/httpd:2';
const FUSE = 6;

interface PodParts {
  readonly name?: string;
  readonly uid?: string;
  readonly images?: Json;
  readonly metadata?: Json;
}

function pod({
  name = 'db-1',
  uid = 'u-1',
  images = { web: 'nginx:1' },
  metadata,
}: PodParts = {}): RequestParts {
  const ownerReferences = [
    { apiVersion: 'db.example.com/v1', kind: 'Database', name: 'db', uid, controller: true },
  ];
  return {
    object: objectOf(POD, {
      metadata: { name, ownerReferences, ...metadata },
      spec: specOf(images),
    }),
  };
}

const OF_A_STATEFULSET: Json = {
  ownerReferences: [
    { apiVersion: 'apps/v1', kind: 'StatefulSet', name: 'db', uid: 'u-1', controller: true },
  ],
};

/** An admission with the real fuse, and its clock. */
function fused(options: AdmissionOptions = {}): {
  readonly admission: Admission;
  readonly clock: { nowMs: number };
} {
  const clock = { nowMs: 0 };
  const isContended = createContention(() => clock.nowMs);
  const admission = new Admission(
    { [NGINX]: A, [HTTPD]: A },
    { ...options, parts: { isContended } },
  );
  return { admission, clock };
}

function outcomesOf(admission: Admission, request: RequestParts, times: number): unknown[] {
  return Array.from({ length: times }, () => admission.review(POD, request).report.outcome);
}

const PINNED_FIVE_TIMES = Array.from({ length: FUSE - 1 }, () => 'pinned');

describe('a Pod that its controller makes again and again', () => {
  it('is pinned five times within ten minutes, and then admitted untouched', () => {
    const { admission } = fused();
    expect(outcomesOf(admission, pod(), FUSE - 1)).toEqual(PINNED_FIVE_TIMES);
    const answer = admission.review(POD, pod());
    expect(answer.patch).toEqual([]);
    expect(answer.outcomes).toEqual({ web: 'contended' });
    expect(answer.report.outcome).toBe('contended');
    expect(answer.response.warnings).toEqual([
      expect.stringMatching(/"Database".*tagpin\.dev\/skip: "true".*\[contended\]$/),
    ]);
    expect(answer.response.warnings?.[0]?.length).toBeLessThanOrEqual(256);
  });

  it('is untouched as a whole, with what could not be pinned, too', () => {
    const { admission } = fused();
    const images = { web: 'nginx:1', gone: 'missing:1', done: `nginx@${B}` };
    const request = pod({ images });
    const outcomes = outcomesOf(admission, request, FUSE - 1);
    expect(outcomes).toEqual(Array.from({ length: FUSE - 1 }, () => 'failed'));
    const answer = admission.review(POD, request);
    expect(answer.outcomes).toEqual({ web: 'contended', gone: 'failed', done: 'already_pinned' });
    expect(answer.patch).toEqual([]);
  });

  it('is pinned on in enforce, where no tag may pass, and not counted in warn', () => {
    const enforce = fused({ mode: 'enforce' }).admission;
    expect(outcomesOf(enforce, pod(), 2 * FUSE)).not.toContain('contended');
    const warn = fused({ mode: 'warn' }).admission;
    expect(outcomesOf(warn, pod(), 2 * FUSE)).not.toContain('contended');
  });

  it('is pinned again once ten minutes are over', () => {
    const { admission, clock } = fused();
    outcomesOf(admission, pod(), FUSE);
    clock.nowMs += 10 * 60_000;
    expect(outcomesOf(admission, pod(), FUSE - 1)).toEqual(PINNED_FIVE_TIMES);
  });

  it('is told from another Pod, owner, namespace, digest or original', () => {
    const { admission } = fused();
    outcomesOf(admission, pod(), FUSE - 1);
    for (const other of [{ name: 'db-2' }, { uid: 'u-2' }, { images: { web: 'httpd:2' } }]) {
      expect(outcomesOf(admission, pod(other), 1)).toEqual(['pinned']);
    }
    const elsewhere = { ...pod(), more: { namespace: 'other' } };
    expect(outcomesOf(admission, elsewhere, 1)).toEqual(['pinned']);
    admission.tags.set(NGINX, B);
    expect(outcomesOf(admission, pod(), 1)).toEqual(['pinned']);
  });

  it('is told from the Pod of another revision, as restarts make them', () => {
    const { admission } = fused();
    const outcomes = Array.from({ length: 2 * FUSE }, (_, index) => {
      const labels = { 'controller-revision-hash': `db-${index}` };
      return admission.review(POD, pod({ metadata: { labels } })).report.outcome;
    });
    expect(outcomes).not.toContain('contended');
  });

  it.each<[string, RequestParts]>([
    ['whose name the API server makes up', pod({ name: '', metadata: { generateName: 'db-' } })],
    ['that nobody owns', pod({ metadata: { ownerReferences: [] } })],
    ['of a StatefulSet, which compares no images', pod({ metadata: OF_A_STATEFULSET })],
  ])('cannot be told where it is one %s', (_, request) => {
    expect(outcomesOf(fused().admission, request, 2 * FUSE)).not.toContain('contended');
  });

  it('is not counted in a dry run, which gets the same answer', () => {
    const { admission } = fused();
    const dryRun = { ...pod(), more: { dryRun: true } };
    expect(outcomesOf(admission, dryRun, 2 * FUSE)).not.toContain('contended');
    outcomesOf(admission, pod(), FUSE - 1);
    expect(outcomesOf(admission, dryRun, 1)).toEqual(['contended']);
  });

  it('is counted once where a sidecar is injected and the API server calls twice', () => {
    const { admission } = fused();
    const outcomes = Array.from({ length: FUSE }, () => {
      const first = admission.review(POD, pod());
      const spec = (first.object['spec'] as { containers: Json[] }).containers;
      const containers = [...spec, { name: 'proxy', image: 'httpd:2' }];
      const second = admission.review(POD, { object: { ...first.object, spec: { containers } } });
      return [first.report.outcome, second.report.outcome];
    });
    const last = outcomes.pop();
    expect(new Set(outcomes.flat())).toEqual(new Set(['pinned']));
    expect(last).toEqual(['contended', 'contended']);
  });
});
