import { describe, expect, it } from '@jest/globals';

import { createPastReviews, MAX_PAST_REVIEWS } from '../../src/debug/past-reviews.ts';
import { admissionReport, imageReport } from '../support/debug.ts';
import { objectOf, POD, reviewOf } from '../support/review.ts';

const LONG = 'x'.repeat(3_000_000);

/** Of a review with twenty images, whose names and containers have so many each. */
function keptChars(each: number): number {
  const decisions = createPastReviews();
  const image = imageReport({ container: 'c'.repeat(each), original: 'o'.repeat(each) });
  decisions.keep(admissionReport(Array.from({ length: 20 }, () => image)), 0);
  const [{ images } = { images: [] }] = decisions.last();
  return images.reduce((sum, one) => sum + one.container.length + one.original.length, 0);
}

describe('createPastReviews()', () => {
  it('has what was decided, and no object of a review', () => {
    const decisions = createPastReviews();
    const report = admissionReport([imageReport()], { dryRun: true });
    decisions.keep(report, 5);
    expect(decisions.last()).toEqual([
      {
        atMs: 5,
        mode: 'pin',
        kind: 'Pod',
        outcome: 'pinned',
        ms: 0.31,
        uid: report.review.uid,
        namespace: 'shop',
        name: 'web-1',
        operation: report.review.operation,
        subResource: '',
        dryRun: true,
        images: report.images,
        moreImages: 0,
      },
    ]);
  });

  it('keeps the images of a review as they are, for nothing is copied on its way', () => {
    const decisions = createPastReviews();
    const report = admissionReport();
    decisions.keep(report, 0);
    expect(decisions.last()[0]?.images).toBe(report.images);
  });

  it('has the last ones, the youngest first', () => {
    const decisions = createPastReviews();
    for (let atMs = 0; atMs < MAX_PAST_REVIEWS + 3; atMs += 1) {
      decisions.keep(admissionReport(), atMs);
    }
    const times = decisions.last().map(({ atMs }) => atMs);
    expect(times).toHaveLength(200);
    expect(times.slice(0, 2)).toEqual([202, 201]);
    expect(times.at(-1)).toBe(3);
  });

  it.each([false, true])(
    'forgets no namespace for the sake of another, and says so (dry runs: %j)',
    (dryRun) => {
      const decisions = createPastReviews();
      for (let atMs = 0; atMs < 5; atMs += 1) decisions.keep(admissionReport(), atMs);
      for (let atMs = 5; atMs < 1000; atMs += 1) {
        decisions.keep(admissionReport([imageReport()], { namespace: 'loud', dryRun }), atMs);
      }
      const last = decisions.last();
      expect(last).toHaveLength(MAX_PAST_REVIEWS);
      expect(last.slice(-5).map(({ namespace }) => namespace)).toEqual(Array(5).fill('shop'));
      expect(last.map(({ atMs }) => atMs).toSorted((one, other) => other - one)).toEqual(
        last.map(({ atMs }) => atMs),
      );
      expect(decisions.leftOut()).toEqual([{ namespace: 'loud', count: 800 }]);
    },
  );

  it('keeps a few of the images of a review with thousands, and how many more there are', () => {
    const decisions = createPastReviews();
    decisions.keep(admissionReport(Array.from({ length: 3000 }, () => imageReport())), 0);
    const [decision] = decisions.last();
    expect(decision?.images).toHaveLength(20);
    expect(decision?.moreImages).toBe(2980);
  });

  it.each(['uid', 'namespace', 'name', 'operation', 'subResource'])(
    'keeps the beginning of a %s that has no end',
    (field) => {
      const decisions = createPastReviews();
      const review = reviewOf(POD, { object: objectOf(POD, { spec: {} }) });
      decisions.keep({ ...admissionReport(), review: { ...review, [field]: LONG } }, 0);
      const [decision] = decisions.last();
      expect(decision).toMatchObject({ [field]: `${'x'.repeat(252)}…` });
    },
  );

  it.each(['container', 'original'])('keeps the beginning of a %s that has no end', (field) => {
    const decisions = createPastReviews();
    decisions.keep(admissionReport([imageReport({ [field]: LONG })]), 0);
    expect(decisions.last()[0]?.images[0]).toMatchObject({ [field]: `${'x'.repeat(49)}…` });
  });

  it('keeps no more than two thousand characters of what the images of a review are called', () => {
    expect([50, 51, 52, 253].map(keptChars)).toEqual([2000, 2040, 2000, 2000]);
  });
});
