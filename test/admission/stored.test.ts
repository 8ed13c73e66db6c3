import { describe, expect, it } from '@jest/globals';

import { Admission, digest, record } from '../support/admission.ts';
import {
  DEPLOYMENT,
  imagesOf,
  type Json,
  KINDS,
  objectOf,
  specOf,
  VOLUMES,
} from '../support/review.ts';

const A = digest('a');
const B = digest('b');
const WEB = 'docker.io/library/web:1';
const LATE = 'docker.io/library/late:1';

/** Stored when `web` was found and `late` was not: one is pinned, the other kept its tag. */
const HALF = {
  annotations: record({ web: `web:1 ${A}` }),
  spec: specOf({ web: `web@${A}`, late: 'late:1' }),
};

/** What the file says, however often it is applied. */
const FILE = specOf({ web: 'web:1', late: 'late:1' });

describe('changesBeyondPins()', () => {
  it.each([
    ['by client-side or server-side apply, which keep the record', HALF.annotations],
    ['by replace, which drops the record', undefined],
    ['by replace, with an annotation map of its own', {}],
  ])('sees no change in the same file applied again %s', (_how, annotations?: Json) => {
    const admission = new Admission({ [WEB]: B, [LATE]: B });
    const answered = admission.review(DEPLOYMENT, {
      object: objectOf(DEPLOYMENT, { spec: FILE, ...(annotations && { annotations }) }),
      oldObject: objectOf(DEPLOYMENT, HALF),
    });
    expect(answered.outcomes).toEqual({ web: 'reused', late: 'unchanged' });
    expect(answered.object).toEqual(objectOf(DEPLOYMENT, HALF));
    expect(admission.asked).toEqual([]);
  });

  it.each([
    ['another image', { spec: specOf({ web: 'web:1', late: 'late:1', more: 'web:1' }) }],
    ['another field', { spec: { ...FILE, hostNetwork: true } }],
    ['another annotation', { spec: FILE, annotations: { ...HALF.annotations, rollme: 'x' } }],
    ['another tag', { spec: specOf({ web: 'web:2', late: 'late:1' }) }],
  ])('sees %s, so that what kept its tag is pinned with the rollout', (_what, parts) => {
    const admission = new Admission({ [WEB]: A, [LATE]: B, 'docker.io/library/web:2': B });
    const answered = admission.review(DEPLOYMENT, {
      object: objectOf(DEPLOYMENT, parts),
      oldObject: objectOf(DEPLOYMENT, HALF),
    });
    expect(imagesOf(DEPLOYMENT, answered.object)['late']).toBe(`late@${B}`);
  });

  it('puts pins back in image volumes and deep templates, too', () => {
    const cronJob = KINDS.find(({ kind }) => kind === 'CronJob') ?? DEPLOYMENT;
    const volumes = specOf({ models: 'web:1' }, VOLUMES);
    const pinned = specOf({ models: `web@${A}` }, VOLUMES);
    const tags = specOf({ late: 'late:1' });
    const admission = new Admission({ [LATE]: B });
    const stored = objectOf(cronJob, {
      annotations: record({ 'volume/models': `web:1 ${A}` }),
      spec: { ...pinned, ...tags },
    });
    const answered = admission.review(cronJob, {
      object: objectOf(cronJob, { spec: { ...volumes, ...tags } }),
      oldObject: stored,
    });
    expect(answered.outcomes).toEqual({ 'volume/models': 'reused', late: 'unchanged' });
    expect(answered.object).toEqual(stored);
  });
});

describe('pinToReuse()', () => {
  it.each([
    ['latest, which was not there before', 'web:1', 'web', 'pinned'],
    ['the same tag, which nobody writes', 'web:latest', 'web', 'reused'],
    ['the tag that nobody wrote', 'web', 'web', 'reused'],
  ])('reads a name without a tag as %s', (...[, recorded, sent, outcome]) => {
    const admission = new Admission({ 'docker.io/library/web:latest': B });
    const answered = admission.review(DEPLOYMENT, {
      object: objectOf(DEPLOYMENT, { spec: specOf({ web: sent }) }),
      oldObject: objectOf(DEPLOYMENT, {
        annotations: record({ web: `${recorded} ${A}` }),
        spec: specOf({ web: `web@${A}` }),
      }),
    });
    expect(answered.outcomes).toEqual({ web: outcome });
    expect(imagesOf(DEPLOYMENT, answered.object)).toEqual({
      web: `web@${outcome === 'pinned' ? B : A}`,
    });
  });

  it("prefers this container's own foreign pin to another's recorded one", () => {
    const admission = new Admission();
    const answered = admission.review(DEPLOYMENT, {
      object: objectOf(DEPLOYMENT, { spec: specOf({ own: 'web:1', web: 'web:1' }) }),
      oldObject: objectOf(DEPLOYMENT, {
        annotations: record({ web: `web:1 ${A}` }),
        spec: specOf({ own: `web:1@${B}`, web: `web@${A}` }),
      }),
    });
    expect(imagesOf(DEPLOYMENT, answered.object)).toEqual({ own: `web:1@${B}`, web: `web@${A}` });
  });
});
