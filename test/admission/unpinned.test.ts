import { describe, expect, it } from '@jest/globals';

import { PinError } from '../../src/errors.ts';
import { Admission, digest } from '../support/admission.ts';
import { annotationsOf, type Json, objectOf, POD, specOf, WORKLOADS } from '../support/review.ts';

const A = digest('a');
const MARK = 'tagpin.dev/unpinned';
const TAGS = {
  'docker.io/library/nginx:1': A,
  'docker.io/library/busy:1': new PinError('rate_limited', 'docker.io answered 429'),
};

function pod(images: Json, mark?: unknown): Json {
  const annotations = mark === undefined ? undefined : { [MARK]: mark };
  return objectOf(POD, { spec: specOf(images), ...(annotations && { annotations }) });
}

function markOf(object: Json): unknown {
  return annotationsOf(POD, object)[MARK];
}

describe('unpinnedMark() of a new Pod', () => {
  const admission = new Admission(TAGS);

  it('tells names and codes, in the order of the containers', () => {
    const object = pod({ web: 'busy:1', ok: 'nginx:1', db: 'ODD', app: 'missing' });
    expect(markOf(admission.review(POD, { object }).object)).toBe(
      '{"web":"rate_limited","db":"invalid_reference","app":"not_found"}',
    );
  });

  it.each([
    ['all pinned', { web: 'nginx:1' }],
    ['a digest', { web: `nginx@${A}` }],
    ['nothing to pin', { web: 'auto' }],
  ])('is taken away where it was copied: %s', (_, images) => {
    const { object } = admission.review(POD, { object: pod(images, '{"web":"rate_limited"}') });
    expect(annotationsOf(POD, object)).not.toHaveProperty([MARK]);
  });

  it('replaces one that was copied', () => {
    const object = pod({ web: 'busy:1', db: 'nginx:1' }, '{"db":"not_found"}');
    expect(markOf(admission.review(POD, { object }).object)).toBe('{"web":"rate_limited"}');
  });

  it.each([
    ['an ignored image', { web: 'busy:1' }, 'true'],
    ['a side-loaded image', { web: 'auto' }, 'false'],
  ])('is not made for %s', (_, images, skip) => {
    const annotations = { 'tagpin.dev/skip': skip };
    const object = objectOf(POD, { spec: specOf(images), annotations });
    expect(admission.review(POD, { object }).patch).toEqual([]);
  });

  it('is never made in mode warn', () => {
    const warn = new Admission(TAGS, { mode: 'warn' });
    expect(warn.review(POD, { object: pod({ web: 'busy:1' }) }).patch).toEqual([]);
    const copied = pod({ web: 'nginx:1' }, '{"web":"rate_limited"}');
    expect(warn.review(POD, { object: copied }).patch).toEqual([]);
  });

  it.each(WORKLOADS)('is never made on a $kind', (kind) => {
    const object = objectOf(kind, { spec: specOf({ web: 'busy:1' }) });
    expect(admission.review(kind, { object }).patch).toEqual([]);
  });
});

describe('unpinnedMark() of a stored Pod', () => {
  const both = { web: 'busy:1', db: 'missing' };
  const mark = '{"web":"rate_limited","db":"not_found"}';

  it.each<[string, Json, string, string | undefined]>([
    ['stays in an update that touches no image', both, mark, mark],
    ['loses what is pinned now', { ...both, web: 'nginx:1' }, mark, '{"db":"not_found"}'],
    ['goes with the last of them', { web: 'nginx:1', db: 'nginx:1' }, mark, undefined],
    [
      'keeps the reason of an image nobody touched',
      { ...both, web: 'ODD' },
      mark,
      '{"web":"invalid_reference","db":"not_found"}',
    ],
    ['does not invent a reason', both, '{"web":"rate_limited"}', '{"web":"rate_limited"}'],
    [
      'repeats no text of a stranger',
      both,
      '{"web":"rate_limited","db":"<b>"}',
      '{"web":"rate_limited"}',
    ],
    ['is taken away where it is no JSON', both, 'busy', undefined],
    ['is taken away where it is a list', both, '["web"]', undefined],
  ])('%s', (...[, images, before, after]) => {
    const answer = new Admission(TAGS).review(POD, {
      oldObject: pod(both, before),
      object: pod(images, before),
    });
    expect(markOf(answer.object)).toBe(after);
  });

  it('comes with an image that is set and cannot be pinned', () => {
    const answer = new Admission(TAGS).review(POD, {
      oldObject: pod({ web: `nginx@${A}` }),
      object: pod({ web: 'busy:1' }),
    });
    expect(markOf(answer.object)).toBe('{"web":"rate_limited"}');
  });
});
