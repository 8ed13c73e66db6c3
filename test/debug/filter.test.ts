import { describe, expect, it } from '@jest/globals';
import { passes, readFilter } from '../../src/debug/filter.ts';
import { createPastReviews, type PastReview } from '../../src/debug/past-reviews.ts';
import { admissionReport, imageReport } from '../support/debug.ts';

function decision(): PastReview {
  const decisions = createPastReviews();
  const failed = imageReport({ outcome: 'failed', reason: 'not_found', digest: undefined });
  decisions.keep(admissionReport([failed, imageReport({ container: 'proxy' })]), 0);
  const [one] = decisions.last();
  if (one === undefined) throw new Error('none was kept');
  return one;
}

describe('passes()', () => {
  it.each([
    ['', true],
    ['namespace=shop', true],
    ['namespace=sho', false],
    ['why=failed', true],
    ['why=not_found', true],
    ['why=pinned', true],
    ['why=denied', false],
    ['text=web-1', true],
    ['text=WEB', true],
    ['text=registry.example.com', true],
    ['text=sha256:9f9f', true],
    ['text=proxy', true],
    ['text=elsewhere', false],
    ['namespace=shop&why=failed&text=1.4', true],
    ['namespace=shop&why=failed&text=1.5', false],
  ])('holds a decision against %j', (query, expected) => {
    expect(passes(decision(), readFilter(new URLSearchParams(query)))).toBe(expected);
  });
});

describe('readFilter()', () => {
  it('cuts what nobody types', () => {
    const filter = readFilter(new URLSearchParams(`text=${'x'.repeat(10_000)}`));
    expect(filter.text).toHaveLength(256);
  });
});
