import { describe, expect, it } from '@jest/globals';

import type { ResolvedImage } from '../../src/admission/ports.ts';
import type { AdmissionResponse } from '../../src/admission/response.ts';
import { PinError } from '../../src/errors.ts';
import { Admission, digest } from '../support/admission.ts';
import { objectOf, POD, specOf } from '../support/review.ts';

const A = digest('a');
const NGINX = 'docker.io/library/nginx:1';

function podOf(images: Readonly<Record<string, string>>): object {
  return objectOf(POD, { spec: specOf(images) });
}

function toldBy({ auditAnnotations }: AdmissionResponse): string[] {
  return auditAnnotations?.images.split('; ') ?? [];
}

describe('auditAnnotations of a response', () => {
  it('tell what each image was, which digest it got, who told it and how old that is', () => {
    const resolve = (): ResolvedImage => ({
      digest: A,
      host: 'mirror.example.com',
      stale: true,
      ageMs: 90_400,
    });
    const object = podOf({ web: 'nginx:1' });
    expect(toldBy(new Admission({}, { resolve }).review(POD, { object }).response)).toEqual([
      `container=web outcome=pinned original=nginx:1 digest=${A} host=mirror.example.com age=90s stale=true`,
    ]);
  });

  it('tell why an image kept its tag, and nothing of those that were left alone', () => {
    const admission = new Admission({ [NGINX]: new PinError('rate_limited', 'canary') });
    const object = podOf({ web: 'nginx:1', pinned: `nginx@${A}`, side: 'kind.local/x:1' });
    const { response } = admission.review(POD, { object });
    expect(toldBy(response)).toContain(
      'container=web outcome=failed original=nginx:1 reason=rate_limited',
    );
    expect(response.auditAnnotations?.images).not.toMatch(/canary|container=pinned/);
  });

  it('are not there where there is nothing to tell: a webhook that is called again tells nothing else', () => {
    const admission = new Admission({ [NGINX]: A });
    const { response, object } = admission.review(POD, { object: podOf({ web: 'nginx:1' }) });
    expect(toldBy(response)).toHaveLength(1);
    expect(admission.review(POD, { object }).response).not.toHaveProperty('auditAnnotations');
  });

  it('tell of denials as well', () => {
    const admission = new Admission({}, { mode: 'enforce' });
    const { response } = admission.review(POD, { object: podOf({ web: 'missing:1' }) });
    expect(response.allowed).toBe(false);
    expect(toldBy(response)).toEqual([
      'container=web outcome=failed original=missing:1 reason=not_found',
    ]);
  });

  it('have at most 4 KiB and a few bytes, and tell how many images are left out', () => {
    const images = Object.fromEntries(
      Array.from({ length: 60 }, (_none, n) => [`c${n}`, `${'x'.repeat(200)}/a${n}:1`]),
    );
    const { response } = new Admission().review(POD, { object: podOf(images) });
    const told = toldBy(response);
    expect(told.at(-1)).toBe(`and ${60 - (told.length - 1)} more`);
    expect(response.auditAnnotations?.images.length).toBeLessThan(4096 + 100);
  });

  it('cut what is long, and quote what could be taken for more than one value', () => {
    const object = podOf({ web: `${'X'.repeat(5000)}:1` });
    const { response } = new Admission().review(POD, { object });
    expect(response.auditAnnotations?.images).toContain(` original="${'X'.repeat(512)}"`);
    const forged = podOf({ 'a digest=sha256:0\n': 'b; \u{9b}2Jcontainer=c\u{202e}' });
    expect(new Admission().review(POD, { object: forged }).response.auditAnnotations).toEqual({
      images: expect.stringMatching(
        /^container="a digest=sha256:0\\n" outcome=failed original="b; \\u009b2Jcontainer=c\\u202e" reason=/,
      ),
    });
  });
});
