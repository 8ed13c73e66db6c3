import { describe, expect, it } from '@jest/globals';

import type { AdmissionResponse } from '../../src/admission/response.ts';
import { PinError } from '../../src/errors.ts';
import { createAskers } from '../../src/explain/askers.ts';
import { readExplanation } from '../../src/explain/document.ts';
import type { ExplainAnswer, Explained } from '../../src/explain/explanation.ts';
import { explainInDryRuns, type InDryRunParts } from '../../src/explain/in-dry-run.ts';
import { createTurns } from '../../src/explain/turns.ts';
import { Admission, digest, patchIn } from '../support/admission.ts';
import { createRecordedLog } from '../support/recorded-log.ts';
import { type Json, objectOf, POD, reviewOf, specOf } from '../support/review.ts';

const IMAGE = 'r.example.com/a:1';
const DIGEST = digest('a');
const PINNED = `r.example.com/a@${DIGEST}`;
const FOUND: ExplainAnswer = {
  outcome: 'pinned',
  found: {
    digest: DIGEST,
    mediaType: undefined,
    source: 'header',
    host: 'r.example.com',
    attempts: 1,
    ageMs: 1500,
    stale: false,
  },
};
const FAILED: ExplainAnswer = {
  outcome: 'failed',
  error: new PinError('not_found', 'r.example.com answered 404 (not found)'),
};

interface World {
  readonly admission: Admission;
  readonly asked: Explained[];
  readonly lines: readonly string[];
  readonly send: (more?: Json, image?: string) => AdmissionResponse | Promise<AdmissionResponse>;
}

function world(
  parts: Partial<InDryRunParts> | 'off' = {},
  mode: 'pin' | 'enforce' = 'pin',
  mayLookUp: boolean = true,
): World {
  const admission = new Admission({ 'r.example.com/a:1': DIGEST }, { mode });
  const asked: Explained[] = [];
  const { log, lines } = createRecordedLog();
  const own: InDryRunParts = {
    askers: createAskers(() => 0),
    turns: createTurns(),
    mayExplain: async () => true,
    explain: async (one, observe) => {
      asked.push(one);
      observe({ atMs: 1, step: 'cache', result: 'hit' });
      return FOUND;
    },
    referenceForm: 'digest',
    webhook: { version: '1.2.3', replica: 'tagpin-0' },
    log,
  };
  const handle = explainInDryRuns(
    admission.handle,
    parts === 'off' ? undefined : { ...own, ...parts },
  );
  const send: World['send'] = (more = {}, image = IMAGE) => {
    const annotations = { 'tagpin.dev/explain': 'web' };
    const object = objectOf(POD, { annotations, spec: specOf({ web: image }) });
    const userInfo = { username: 'alice', groups: ['dev'] };
    const review = reviewOf(POD, { object, more: { dryRun: true, userInfo, ...more } });
    const times = { startedAtMs: 990, deadlineAtMs: 9990 };
    return handle({ review, mode, ...times, mayLookUp });
  };
  return { admission, asked, lines, send };
}

function never(): never {
  throw new Error('nobody is to be asked');
}

function explanationIn({ status }: AdmissionResponse): ReturnType<typeof readExplanation> {
  const [cause] = status?.details?.causes ?? [];
  expect(cause?.reason).toBe('tagpin.dev/explanation');
  return readExplanation(cause?.message ?? '');
}

describe('explainInDryRuns()', () => {
  it('refuses the dry run with an explanation, and what the Pod would have got', async () => {
    const { asked, send, lines } = world();
    const response = await send();
    expect(response).toMatchObject({
      allowed: false,
      status: { code: 403, message: expect.stringContaining(`shows: ${PINNED}`) },
    });
    expect(response).not.toHaveProperty('patch');
    expect(explanationIn(response)).toMatchObject({
      webhook: { version: '1.2.3', replica: 'tagpin-0', mode: 'pin' },
      report: { image: IMAGE, outcome: 'pinned', result: PINNED, ageMs: 1500, stale: false },
      pod: { allowed: true, image: PINNED },
      steps: [{ title: 'cache', text: 'the digest is fresh' }],
    });
    // Before the review's own deadline, so that there is time for the review itself.
    expect(asked).toMatchObject([{ image: IMAGE, deadlineAtMs: 8490 }]);
    expect(lines.join()).toContain('"outcome":"pinned"');
  });

  it('tells what is refused in enforce', async () => {
    const { send } = world({ explain: async () => FAILED }, 'enforce');
    expect(explanationIn(await send({}, 'r.example.com/gone:1'))).toMatchObject({
      report: {
        outcome: 'failed',
        reason: 'not_found',
        advice: 'push the tag, or correct its name',
      },
      pod: { allowed: false, message: expect.stringContaining('[not_found]') },
    });
  });

  it('says which right is missing, and looks nothing up', async () => {
    const users: string[] = [];
    const mayExplain: InDryRunParts['mayExplain'] = async ({ username }, namespace) => {
      users.push(`${username} in ${namespace}`);
      return false;
    };
    const { asked, admission, send } = world({ mayExplain });
    expect(explanationIn(await send())).toMatchObject({
      refused: { reason: 'forbidden', advice: expect.stringContaining('--user alice') },
      report: undefined,
    });
    expect({ users, asked, reviews: admission.asked }).toEqual({
      users: ['alice in shop'],
      asked: [],
      reviews: [],
    });
  });

  it('refuses where the API server does not say who may', async () => {
    const error = new PinError('cluster_unreadable', 'the API server answered 403');
    const { asked, lines, send } = world({ mayExplain: () => Promise.reject(error) });
    expect(explanationIn(await send())?.refused).toMatchObject({ reason: 'cluster_unreadable' });
    expect(asked).toEqual([]);
    expect(lines[0]).toContain('warn nobody says who may have explanations');
  });

  it('asks nobody while look-ups are put off', async () => {
    const { asked, send } = world({ mayExplain: never }, 'pin', false);
    expect(explanationIn(await send())?.refused).toMatchObject({ reason: 'overloaded' });
    expect(asked).toEqual([]);
  });

  it('does not ask who may for somebody who has asked enough, and gives each turn back', async () => {
    const askers = createAskers(() => 0);
    const failing = world({ askers, mayExplain: () => Promise.reject(new Error('canary')) });
    for (let count = 0; count < 10; count += 1) await failing.send();
    const { asked, send } = world({ askers, mayExplain: never });
    expect(explanationIn(await send())?.refused).toMatchObject({
      reason: 'overloaded',
      message: expect.stringContaining('10 times within a minute'),
    });
    expect(asked).toEqual([]);
  });

  it('gives a turn to whoever may alone: those of whom it is not known take none', async () => {
    const asks = Promise.withResolvers<void>();
    const turns = createTurns();
    const mayExplain: InDryRunParts['mayExplain'] = async ({ username }) => {
      if (username === 'alice') return true;
      await asks.promise;
      return false;
    };
    const { send } = world({ turns, mayExplain });
    const others = ['a', 'b', 'c', 'd', 'e'].map((name) =>
      send({ userInfo: { username: name }, namespace: name }),
    );
    expect(explanationIn(await send())?.report).toMatchObject({ outcome: 'pinned' });
    asks.resolve();
    for (const one of others) {
      expect(explanationIn(await one)?.refused).toMatchObject({ reason: 'forbidden' });
    }
  });

  it('explains to another namespace while accounts of one have theirs explained', async () => {
    const held = Promise.withResolvers<ExplainAnswer>();
    const explain: InDryRunParts['explain'] = ({ identity }) =>
      identity().then(({ namespace }) => (namespace === 'loud' ? held.promise : FOUND));
    const { send } = world({ explain });
    const robots = ['robot-1', 'robot-2'].map((username) =>
      send({ userInfo: { username }, namespace: 'loud' }),
    );
    expect(explanationIn(await send())?.report).toMatchObject({ outcome: 'pinned' });
    held.resolve(FOUND);
    const told = [];
    for (const robot of robots) told.push(explanationIn(await robot));
    expect(told).toMatchObject([
      { report: { outcome: 'pinned' } },
      {
        refused: {
          reason: 'overloaded',
          message: 'another image of this namespace is being explained',
        },
      },
    ]);
    expect(explanationIn(await send({ namespace: 'loud' }))?.report).toBeDefined();
  });

  it.each<readonly [string, Json]>([
    ['that is made', { dryRun: false }],
    ['of nobody', { userInfo: undefined }],
  ])('answers the review of a Pod %s as ever, and at once', (_, more) => {
    const { asked, send } = world();
    const response = send(more);
    if (response instanceof Promise) throw new Error('it answers with a promise');
    expect(patchIn(response)).toContainEqual(expect.objectContaining({ value: PINNED }));
    expect(response).not.toHaveProperty('warnings');
    expect(asked).toEqual([]);
  });

  it('says so where nothing is explained, and answers as ever', async () => {
    const { send } = world('off');
    const response = await send();
    expect(patchIn(response)).toContainEqual(expect.objectContaining({ value: PINNED }));
    expect(response.warnings).toEqual([
      'tagpin.dev/explain: this webhook explains nothing: it runs without --explain-in-dry-run',
    ]);
  });
});
