import { describe, expect, it } from '@jest/globals';

import { MAX_PULL_SECRETS, type Mode } from '../../src/admission/policy.ts';
import { Admission, digest, record } from '../support/admission.ts';
import { DEPLOYMENT, imagesOf, type Json, objectOf, POD, specOf } from '../support/review.ts';

const WEB = 'docker.io/library/web:1';

function podWithSecrets(count: number) {
  const imagePullSecrets = Array.from({ length: count }, (_, index) => ({ name: `s${index}` }));
  return objectOf(POD, { spec: { ...specOf({ web: 'web:1' }), imagePullSecrets } });
}

describe('lookUpAll()', () => {
  it('takes as many pull secrets as are read', () => {
    const admission = new Admission({ [WEB]: digest('a') });
    const { object } = admission.review(POD, { object: podWithSecrets(MAX_PULL_SECRETS) });
    expect(imagesOf(POD, object)['web']).toBe(`web@${digest('a')}`);
  });

  it('asks nothing for a Pod that names more, and says so', () => {
    const admission = new Admission({ [WEB]: digest('a') });
    const object = podWithSecrets(MAX_PULL_SECRETS + 1);
    const { response } = admission.review(POD, { object });
    expect(admission.asked).toEqual([]);
    expect(response.warnings).toEqual([
      'Cannot resolve "web:1" for container "web": an object may name at most 100 pull secrets; the tag stays [too_many_secrets]',
    ]);
  });
});

function podOf(images: Readonly<Record<string, string>>): Json {
  return objectOf(POD, { spec: specOf(images) });
}

describe('lookUpAll() where short names are refused', () => {
  const tags = { [WEB]: digest('a'), 'docker.io/team/app:1': digest('b') };
  const refusing = (mode: Mode = 'pin'): Admission =>
    new Admission(tags, { mode, refusesShortNames: true, skip: ['docker.io/team/*'] });

  it('fails one without a registry, and says what to write instead', () => {
    const admission = refusing();
    const { object, response, outcomes } = admission.review(POD, {
      object: podOf({ web: 'web:1', full: 'docker.io/library/web:1', latest: 'web' }),
    });
    expect(admission.asked).toHaveLength(1);
    expect(imagesOf(POD, object)).toEqual({
      web: 'web:1',
      full: `docker.io/library/web@${digest('a')}`,
      latest: 'web',
    });
    expect(outcomes).toEqual({ web: 'failed', full: 'pinned', latest: 'failed' });
    expect(response.warnings).toEqual([
      'Cannot resolve "web:1" for container "web": it names no registry; write docker.io/library/web:1 if Docker Hub is meant; the tag stays [short_name]',
      'Cannot resolve "web" for container "latest": it names no registry; write docker.io/library/web:latest if Docker Hub is meant; the tag stays [short_name]',
    ]);
  });

  it('denies it in mode enforce, with the code that the documentation has', () => {
    const { response } = refusing('enforce').review(POD, { object: podOf({ web: 'web:1' }) });
    expect(response.allowed).toBe(false);
    expect(response.status?.message).toMatch(
      /write docker\.io\/library\/web:1 if Docker Hub is meant: write the registry in front of the name \[short_name\]$/,
    );
  });

  it.each([
    ['a digest', `web@${digest('c')}`, 'already_pinned'],
    ['a name on the skip list', 'team/app:1', 'skipped'],
  ])('leaves %s alone', (_what, image, outcome) => {
    const admission = refusing();
    const { object, outcomes, response } = admission.review(POD, { object: podOf({ web: image }) });
    expect(imagesOf(POD, object)).toEqual({ web: image });
    expect(outcomes).toEqual({ web: outcome });
    expect(response.warnings ?? []).toEqual([]);
    expect(admission.asked).toEqual([]);
  });

  it('keeps the old pin where such a name is asked for anew', () => {
    const admission = refusing();
    const annotations = record({ web: `web:1 ${digest('c')}` });
    const spec = specOf({ web: `web@${digest('c')}` });
    const refresh = { ...annotations, 'tagpin.dev/refresh': 'now' };
    const { object, outcomes } = admission.review(DEPLOYMENT, {
      oldObject: objectOf(DEPLOYMENT, { annotations, spec }),
      object: objectOf(DEPLOYMENT, { annotations: refresh, spec }),
    });
    expect(outcomes).toEqual({ web: 'refresh_failed' });
    expect(imagesOf(DEPLOYMENT, object)).toEqual({ web: `web@${digest('c')}` });
    expect(admission.asked).toEqual([]);
  });
});
