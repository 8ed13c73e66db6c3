import { describe, expect, it } from '@jest/globals';

import type { ImageOutcome } from '../../src/admission/policy.ts';
import { createPins } from '../../src/debug/pins.ts';
import { admissionReport, DIGEST, imageReport } from '../support/debug.ts';

const OTHER = `sha256:${'0a'.repeat(32)}`;

describe('createPins()', () => {
  it('counts how often an image got its digest, and when it last did', () => {
    const pins = createPins();
    for (const atMs of [10, 20, 30]) pins.count(admissionReport(), atMs);
    expect(pins.lastSeen()).toEqual([
      {
        namespace: 'shop',
        image: imageReport().original,
        digest: DIGEST,
        count: 3,
        lastSeenMs: 30,
        before: undefined,
      },
    ]);
  });

  it('begins anew where the digest is another one, and tells what it was', () => {
    const pins = createPins();
    pins.count(admissionReport(), 10);
    pins.count(admissionReport([imageReport({ digest: OTHER })]), 20);
    expect(pins.lastSeen()).toMatchObject([{ digest: OTHER, count: 1, before: DIGEST }]);
  });

  it('tells of no move where another namespace, with other credentials, sees another image', () => {
    const pins = createPins();
    const others = admissionReport([imageReport({ digest: OTHER })], { namespace: 'billing' });
    for (const atMs of [10, 30]) {
      pins.count(admissionReport(), atMs);
      pins.count(others, atMs + 10);
    }
    expect(pins.lastSeen()).toMatchObject([
      { namespace: 'billing', digest: OTHER, count: 2, before: undefined },
      { namespace: 'shop', digest: DIGEST, count: 2, before: undefined },
    ]);
  });

  it('forgets none of a namespace for the sake of the names of another', () => {
    const pins = createPins();
    pins.count(admissionReport(), 0);
    for (let tag = 0; tag < 1000; tag += 1) {
      const image = imageReport({ original: `a/b:${tag}` });
      pins.count(admissionReport([image], { namespace: 'loud' }), tag);
    }
    expect(pins.lastSeen()).toHaveLength(500);
    expect(pins.lastSeen().at(-1)).toMatchObject({ namespace: 'shop' });
  });

  it('counts anew what it has forgotten', () => {
    const pins = createPins();
    for (const namespace of ['shop', ...Array.from({ length: 500 }, (_, n) => `ns-${n}`), 'shop']) {
      pins.count(admissionReport([imageReport()], { namespace }), 0);
    }
    expect(pins.lastSeen()).toHaveLength(500);
    expect(pins.lastSeen()[0]).toMatchObject({ namespace: 'shop', count: 1 });
  });

  it.each<[ImageOutcome, number]>([
    ['pinned', 1],
    ['refreshed', 1],
    ['sibling', 1],
    ['reused', 1],
    ['would_pin', 0],
    ['contended', 0],
    ['refresh_failed', 0],
  ])('counts an image that was %s %i times', (outcome, count) => {
    const pins = createPins();
    pins.count(admissionReport([imageReport({ outcome })]), 10);
    expect(pins.lastSeen()).toHaveLength(count);
  });

  it('counts no dry run', () => {
    const pins = createPins();
    pins.count(admissionReport([imageReport()], { dryRun: true }), 10);
    expect(pins.lastSeen()).toEqual([]);
  });

  it('has the last five hundred, the one that was seen last first', () => {
    const pins = createPins();
    for (let tag = 0; tag < 600; tag += 1) {
      pins.count(admissionReport([imageReport({ original: `a/b:${tag}` })]), tag);
    }
    pins.count(admissionReport([imageReport({ original: 'a/b:550' })]), 700);
    const seen = pins.lastSeen();
    expect(seen).toHaveLength(500);
    expect(seen.slice(0, 2).map(({ image }) => image)).toEqual(['a/b:550', 'a/b:599']);
  });
});
