import { describe, expect, it } from '@jest/globals';

import { createGivenSource } from '../../../src/credentials/sources/given-source.ts';
import { parseReference } from '../../../src/image/reference.ts';

const OFFER = {
  credential: { username: 'alice', password: 'canary' },
  origin: 'the password of "alice"',
};

describe('createGivenSource()', () => {
  it.each([
    ['r.example.com:5000', 'r.example.com:5000/a', true],
    ['R.example.com', 'r.example.com/a', true],
    ['docker.io', 'nginx', true],
    ['r.example.com', 'r.example.com:5000/a', false],
    ['r.example.com', 'mirror.example.com/a', false],
    ['docker.io', 'r.example.com/library/nginx', false],
  ])('is for %s alone: %s %p', async (registry, image, covered) => {
    const source = createGivenSource(registry, OFFER);
    const reference = parseReference(image);
    expect(source.covers(reference)).toBe(covered);
    const offers = await source.offersFor(reference, AbortSignal.abort());
    expect(offers).toEqual([OFFER]);
  });
});
