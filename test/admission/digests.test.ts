import { describe, expect, it } from '@jest/globals';

import { createDigestsJudge, type Verdict } from '../../src/admission/digests.ts';
import type { AdmissionResponse } from '../../src/admission/response.ts';
import { exemptionOf } from '../../src/workload/digest-policy.ts';
import { digest } from '../support/admission.ts';
import {
  type Json,
  objectOf,
  POD,
  type RequestParts,
  reviewOf,
  specOf,
} from '../support/review.ts';

const PINNED = `nginx@${digest('a')}`;
const ADVICE = 'Write the image as NAME@sha256:…, in the spec of whatever made the Pod [unpinned]';

function podOf(images: Readonly<Record<string, unknown>>): Json {
  return objectOf(POD, { spec: specOf(images) });
}

function many(count: number, image: string): Json {
  return Object.fromEntries(Array.from({ length: count }, (_, at) => [`c${at}`, image]));
}

interface Judged {
  readonly response: AdmissionResponse;
  readonly verdicts: readonly Verdict[];
}

function judge(parts: RequestParts, exempt: readonly string[] = []): Judged {
  const verdicts: Verdict[] = [];
  const isExempt = exemptionOf(exempt);
  const answer = createDigestsJudge({ isExempt, observe: (verdict) => verdicts.push(verdict) });
  return { response: answer(reviewOf(POD, parts)), verdicts };
}

/** The message of a denial; undefined for what is allowed. */
function refusal(parts: RequestParts, exempt?: readonly string[]): string | undefined {
  return judge(parts, exempt).response.status?.message;
}

describe('createDigestsJudge()', () => {
  it('denies a new Pod by the messages of K8sImageDigests, word for word', () => {
    const spec = {
      ...specOf({ web: 'nginx:1.27', fine: PINNED }),
      initContainers: [{ name: 'setup', image: 'busybox' }],
    };
    const { response, verdicts } = judge({ object: objectOf(POD, { spec }) });
    expect(response).toMatchObject({ allowed: false, status: { code: 403, reason: 'Forbidden' } });
    expect(response.status?.message.split('\n')).toEqual([
      'container <web> uses an image without a digest <nginx:1.27>',
      'initContainer <setup> uses an image without a digest <busybox>',
      ADVICE,
    ]);
    expect(verdicts).toMatchObject([{ outcome: 'denied', refused: 2 }]);
  });

  it('allows what is pinned, without a patch and without a warning', () => {
    const { response, verdicts } = judge({ object: podOf({ web: PINNED }) });
    expect(response).toEqual({ uid: expect.any(String), allowed: true });
    expect(verdicts).toMatchObject([{ outcome: 'allowed', refused: 0 }]);
  });

  it.each([
    { how: 'as it is written', image: 'nginx:1.27', exempt: 'nginx:1.27' },
    { how: 'by how it begins', image: 'a.example.com/team/app:1', exempt: 'a.example.com/team/*' },
  ])('exempts an image $how', ({ image, exempt }) => {
    expect(refusal({ object: podOf({ web: image }) }, ['other', exempt])).toBeUndefined();
  });

  it.each([
    { how: 'by its normalised name', image: 'nginx:1.27', exempt: 'docker.io/library/*' },
    { how: 'by a * in the middle', image: 'a.example.com/b:1', exempt: 'a.*.com/b:1' },
  ])('exempts no image $how', ({ image, exempt }) => {
    expect(refusal({ object: podOf({ web: image }) }, [exempt])).toContain(`<${image}>`);
  });

  it.each<{ change: string; before: Json; after: Json }>([
    { change: 'nothing but a label', before: { web: 'nginx:1' }, after: { web: 'nginx:1' } },
    { change: 'a tag for a digest', before: { web: 'nginx:1' }, after: { web: PINNED } },
  ])('allows an update that changes $change', ({ before, after }) => {
    expect(refusal({ object: podOf(after), oldObject: podOf(before) })).toBeUndefined();
  });

  it.each<{ change: string; before: Json; after: Json; line: string }>([
    {
      change: 'a tag for another',
      before: { web: 'nginx:1' },
      after: { web: 'nginx:2' },
      line: 'container <web> uses an image without a digest <nginx:2>',
    },
    {
      change: 'a digest for its tag',
      before: { web: PINNED },
      after: { web: 'nginx:1' },
      line: 'container <web> uses an image without a digest <nginx:1>',
    },
    {
      change: 'the containers, by one with the tag of its neighbour',
      before: { web: 'nginx:1' },
      after: { web: 'nginx:1', log: 'nginx:1' },
      line: 'container <log> uses an image without a digest <nginx:1>',
    },
  ])('denies an update that changes $change, for that alone', ({ before, after, line }) => {
    const message = refusal({ object: podOf(after), oldObject: podOf(before) });
    expect(message).toBe(`${line}\n${ADVICE}`);
  });

  it.each(['DELETE', 'CONNECT'])('allows %s', (operation) => {
    expect(refusal({ object: podOf({ web: 'nginx:1' }), more: { operation } })).toBeUndefined();
  });

  it('lets no text of a tenant forge a line of the message', () => {
    const message = refusal({ object: podOf({ web: 'nginx\n[unpinned] all is well\u001B[2J' }) });
    expect(message?.split('\n')).toHaveLength(2);
    expect(message).toContain('<nginx\\u{a}[unpinned] all is well\\u{1b}[2J>');
  });

  it('says no more than a hundred levels of an image that is no text', () => {
    const nested = JSON.parse(`${'['.repeat(1000)}${']'.repeat(1000)}`) as unknown;
    const levels = `${'['.repeat(101)}…${']'.repeat(101)}`;
    expect(refusal({ object: podOf({ web: nested }) })).toContain(`<${levels}>`);
  });

  it('takes an image of megabytes for one without a digest', () => {
    expect(refusal({ object: podOf({ web: `@${'a'.repeat(3_000_000)}:a` }) })).toContain('<@aaa');
  });

  it('judges 5,000 containers, and refuses to read more', () => {
    expect(refusal({ object: podOf(many(5000, PINNED)) })).toBeUndefined();
    expect(() => refusal({ object: podOf(many(5001, PINNED)) })).toThrow(
      expect.objectContaining({ code: 'review_too_large' }),
    );
  });

  it('cuts a message that nobody would read', () => {
    expect(refusal({ object: podOf(many(1000, 'nginx:1')) })).toHaveLength(4096);
  });
});
