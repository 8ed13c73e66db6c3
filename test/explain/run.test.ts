import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';

import { PinError } from '../../src/errors.ts';
import type { ExplainAnswer, ExplainQuestion } from '../../src/explain/explanation.ts';
import { adviceFor } from '../../src/explain/report.ts';
import { type ExplainFormat, runExplain } from '../../src/explain/run.ts';
import { digest } from '../support/admission.ts';
import { recordedStreams } from '../support/streams.ts';

const DIGEST = digest('a');

const PINNED: ExplainAnswer = {
  outcome: 'pinned',
  found: {
    digest: DIGEST,
    mediaType: 'application/vnd.oci.image.index.v1+json',
    source: 'header',
    host: 'r.example.com',
    attempts: 2,
    ageMs: 0,
    stale: false,
  },
};
const FAILED: ExplainAnswer = {
  outcome: 'failed',
  error: new PinError('forbidden_secret', 'r.example.com answered 401'),
};

async function told(
  answer: ExplainAnswer,
  format: ExplainFormat,
  more: Partial<ExplainQuestion> = {},
): Promise<{ readonly passed: boolean; readonly out: string; readonly err: string }> {
  const streams = recordedStreams();
  const question = {
    image: 'r.example.com/a:1',
    namespace: 'shop',
    pod: undefined,
    serviceAccount: undefined,
    ...more,
  };
  const passed = await runExplain(
    question,
    { format, referenceForm: 'tag-and-digest' },
    {
      streams,
      explain: (_, observe) => {
        observe({ atMs: 1, step: 'cache', result: 'miss' });
        observe({ atMs: 2, step: 'warning', message: 'one\u009Btwo' });
        return Promise.resolve(answer);
      },
      advise: (error, steps) => adviceFor(error, question.namespace, steps),
    },
  );
  return { passed, ...streams.written };
}

describe('runExplain()', () => {
  it('writes a line for each step, and the answer', async () => {
    const { passed, out, err } = await told(PINNED, 'text');
    expect({ passed, err }).toEqual({ passed: true, err: '' });
    expect(out).toBe(
      [
        '     1.0 ms  cache        nothing is known: this process asks for the first time',
        '     2.0 ms  warning      one\\u{9b}two',
        `             answer       r.example.com/a:1@${DIGEST}`,
        '',
      ].join('\n'),
    );
  });

  it('writes a failure with its code, and what to do about it', async () => {
    const { passed, out } = await told(FAILED, 'text');
    expect(passed).toBe(false);
    expect(out).toContain('answer       r.example.com answered 401 [forbidden_secret]\n');
    expect(out).toContain(
      'what to do   let tagpin read Secrets and ServiceAccounts of this namespace: kubectl create rolebinding tagpin-pull-secret-reader --namespace shop --clusterrole tagpin-pull-secret-reader --serviceaccount tagpin-system:tagpin, or run this as',
    );
  });

  it('gives somebody at a command line other advice than somebody with Pods', async () => {
    const error = new PinError('unauthorized', 'r.example.com answered 401');
    const failed = { outcome: 'failed', error } as const;
    expect((await told(failed, 'text')).out).toContain('name a pull secret');
    expect((await told(failed, 'text', { namespace: undefined })).out).toContain('docker login');
  });

  it.each([
    ['json', JSON.parse],
    ['yaml', parse],
  ] as const)('writes the same as %s', async (format, read: (text: string) => unknown) => {
    const { out } = await told(PINNED, format, { serviceAccount: 'builder' });
    expect(read(out)).toEqual({
      image: 'r.example.com/a:1',
      namespace: 'shop',
      serviceAccount: 'builder',
      outcome: 'pinned',
      result: `r.example.com/a:1@${DIGEST}`,
      digest: DIGEST,
      mediaType: 'application/vnd.oci.image.index.v1+json',
      source: 'header',
      attempts: 2,
      steps: [
        { atMs: 1, step: 'cache', result: 'miss' },
        { atMs: 2, step: 'warning', message: 'one\u009Btwo' },
      ],
    });
    expect(out).not.toContain('\u009B');
  });

  it('writes a failure as JSON', async () => {
    const { passed, out } = await told(FAILED, 'json', { pod: 'web' });
    expect(passed).toBe(false);
    expect(JSON.parse(out)).toMatchObject({
      pod: 'web',
      outcome: 'failed',
      reason: 'forbidden_secret',
      message: 'r.example.com answered 401',
      advice: expect.stringContaining('create rolebinding'),
    });
  });

  it('says why nothing was looked up', async () => {
    const answer = { outcome: 'skipped', message: 'it is on the list' } as const;
    const { passed, out } = await told(answer, 'text');
    expect(passed).toBe(true);
    expect(out).toContain('answer       skipped: it is on the list\n');
  });
});
