import { describe, expect, it } from '@jest/globals';

import { MAX_PULL_SECRETS } from '../../src/admission/policy.ts';
import { Admission, digest } from '../support/admission.ts';
import { imagesOf, objectOf, POD, specOf } from '../support/review.ts';

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
