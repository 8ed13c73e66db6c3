import { describe, expect, it } from '@jest/globals';

import { REFRESH_POLICIES, type RefreshPolicy } from '../../src/admission/refresh.ts';
import { Admission, type Answered, digest, record } from '../support/admission.ts';
import {
  annotationsOf,
  DEPLOYMENT,
  imagesOf,
  JOB,
  type Json,
  type Kind,
  objectOf,
  POD,
  ROLLING,
  specOf,
  templateOf,
} from '../support/review.ts';

const A = digest('a');
const B = digest('b');
const C = digest('c');
const NGINX = 'docker.io/library/nginx:1';
const RESTART = 'kubectl.kubernetes.io/restartedAt';
const REFRESH = 'tagpin.dev/refresh';
const POLICY = 'tagpin.dev/refresh-policy';

function web(kind: Kind, image: string, annotations: Json = {}): Json {
  return objectOf(kind, { spec: specOf({ web: image }), annotations });
}

/** The stored object with some of its template's annotations changed. */
function annotated(kind: Kind, object: Json, changes: Json): Json {
  const annotations = { ...annotationsOf(kind, object), ...changes };
  return objectOf(kind, { spec: templateOf(kind, object).spec, annotations });
}

/** What an update sends. */
interface Update {
  readonly image?: string;
  readonly annotations: Json;
}

/** What an update does to a template that was pinned, once its tag has moved. */
function outcomeOf(
  kind: Kind,
  policies: { readonly standard: RefreshPolicy; readonly own?: string },
  changes: Update,
): unknown {
  const own = policies.own === undefined ? {} : { [POLICY]: policies.own };
  const admission = new Admission({ [NGINX]: B }, { parts: { refreshPolicy: policies.standard } });
  const known = { ...record({ web: `nginx:1 ${A}` }), ...own };
  const { image = `nginx@${A}`, annotations } = changes;
  return admission.review(kind, {
    oldObject: web(kind, `nginx@${A}`, known),
    object: web(kind, image, { ...known, ...annotations }),
  }).outcomes['web'];
}

const RESTARTED: Update = { annotations: { [RESTART]: 'monday' } };
const ASKED: Update = { annotations: { [REFRESH]: '2' } };
const CHANGED: Update = { annotations: { 'checksum/config': '2' } };
const APPLIED: Update = { image: 'nginx:1', annotations: {} };
const REDEPLOYED: Update = { image: 'nginx:1', annotations: { rollme: 'x' } };

/** Which of restart, annotation and other changes of a template each policy answers. */
const ANSWERS: Readonly<Record<RefreshPolicy, readonly [boolean, boolean, boolean]>> = {
  restart: [true, true, false],
  annotation: [false, true, false],
  rollout: [true, true, true],
  never: [false, false, false],
};

function told(answered: boolean): string {
  return answered ? 'refreshed' : 'already_pinned';
}

describe.each(REFRESH_POLICIES)('--refresh-policy %s', (policy) => {
  const [restarts, asks, changes] = ANSWERS[policy];

  it.each(ROLLING)('answers for a $kind what it says', (kind) => {
    const of = (update: Update): unknown => outcomeOf(kind, { standard: policy }, update);
    expect(of(RESTARTED)).toBe(told(restarts));
    expect(of(ASKED)).toBe(told(asks));
    expect(of(CHANGED)).toBe(told(changes));
    expect(of(REDEPLOYED)).toBe(changes ? 'refreshed' : 'reused');
    expect(of(APPLIED)).toBe('reused');
  });

  it.each([POD, JOB])('answers nothing for a $kind, whose images may not change', (kind) => {
    for (const update of [RESTARTED, ASKED, CHANGED]) {
      expect(outcomeOf(kind, { standard: policy }, update)).toBe('already_pinned');
    }
  });

  it.each(REFRESH_POLICIES)('gives way to the annotation of a template that says %s', (own) => {
    const [ownRestarts, ownAsks, ownChanges] = ANSWERS[own];
    const policies = { standard: policy, own };
    expect(outcomeOf(DEPLOYMENT, policies, RESTARTED)).toBe(told(ownRestarts));
    expect(outcomeOf(DEPLOYMENT, policies, ASKED)).toBe(told(ownAsks));
    expect(outcomeOf(DEPLOYMENT, policies, CHANGED)).toBe(told(ownChanges));
  });

  it('stands where the annotation names none that there is, with a warning', () => {
    const policies = { standard: policy, own: 'always' };
    expect(outcomeOf(DEPLOYMENT, policies, RESTARTED)).toBe(told(restarts));
    const object = web(DEPLOYMENT, 'nginx:1', { [POLICY]: 'always' });
    const answer = new Admission({ [NGINX]: A }).review(DEPLOYMENT, { object });
    expect(answer.response.warnings).toEqual([
      'tagpin.dev/refresh-policy is not "restart", "annotation", "rollout" or "never"',
    ]);
  });

  it('keeps the pin where the look-up fails', () => {
    const known = record({ web: `nginx:1 ${A}` });
    const admission = new Admission({}, { parts: { refreshPolicy: policy } });
    const answer = admission.review(DEPLOYMENT, {
      oldObject: web(DEPLOYMENT, `nginx@${A}`, known),
      object: web(DEPLOYMENT, 'nginx:1', { ...known, [REFRESH]: '2', rollme: 'x' }),
    });
    expect(imagesOf(DEPLOYMENT, answer.object)).toEqual({ web: `nginx@${A}` });
  });
});

describe.each(ROLLING)('--refresh-policy rollout through the life of a $kind', (kind) => {
  function life(tag: string): {
    readonly admission: Admission;
    readonly update: (oldObject: Json, object: Json) => Answered;
    readonly first: Json;
  } {
    const admission = new Admission({ [NGINX]: tag }, { parts: { refreshPolicy: 'rollout' } });
    return {
      admission,
      update: (oldObject, object) => admission.review(kind, { oldObject, object }),
      first: admission.review(kind, { object: web(kind, 'nginx:1', { rollme: '1' }) }).object,
    };
  }

  it.each([
    ['the tag moved with every deployment', B],
    ['the tag stayed', A],
  ])('brings every revision back byte for byte by undo and redo: %s', (_, second) => {
    const { admission, update, first } = life(A);
    admission.tags.set(NGINX, second);
    // What a tool sends that applies its file: the tag, over the record that is there.
    const file = annotated(kind, web(kind, 'nginx:1', annotationsOf(kind, first)), { rollme: '2' });
    const deployed = update(first, file);
    expect(deployed.outcomes).toEqual({ web: 'refreshed' });
    expect(imagesOf(kind, deployed.object)).toEqual({ web: `nginx@${second}` });

    admission.tags.set(NGINX, C);
    const undone = update(deployed.object, first);
    expect(undone.patch).toEqual([]);
    const redone = update(undone.object, deployed.object);
    expect(redone.patch).toEqual([]);
    expect(admission.asked).toHaveLength(2);

    const again = update(redone.object, annotated(kind, redone.object, { rollme: '3' }));
    expect(imagesOf(kind, again.object)).toEqual({ web: `nginx@${C}` });
  });

  it('undoes to a revision from before the policy', () => {
    const { admission, update, first } = life(B);
    admission.tags.set(NGINX, C);
    const older = web(kind, `nginx@${A}`, { rollme: '0', ...record({ web: `nginx:1 ${A}` }) });
    expect(update(first, older).patch).toEqual([]);
    // A file that somebody wrote by an old template, with the tag.
    const file = web(kind, 'nginx:1', annotationsOf(kind, older));
    expect(imagesOf(kind, update(first, file).object)).toEqual({ web: `nginx@${C}` });
  });

  it('is answered once in a review, however often the API server calls', () => {
    const { admission, update, first } = life(A);
    admission.tags.set(NGINX, B);
    const deployed = update(first, annotated(kind, first, { rollme: '2' }));
    admission.tags.set(NGINX, C);
    const sidecar = { ...templateOf(kind, deployed.object).spec, hostNetwork: true };
    const annotations = annotationsOf(kind, deployed.object);
    const changed = objectOf(kind, { spec: sidecar, annotations });
    const second = update(first, changed);
    expect(second.patch).toEqual([]);
    expect(imagesOf(kind, second.object)).toEqual({ web: `nginx@${B}` });
  });

  it('records which template it was, whatever images and record that had', () => {
    const { update, first } = life(A);
    const mark = (object: Json): unknown =>
      (JSON.parse(String(annotationsOf(kind, object)['tagpin.dev/originals'])) as Json)[
        '@template'
      ];
    const kept = update(first, annotated(kind, first, { rollme: '2' })).object;
    const dropped = update(first, web(kind, 'nginx:1', { rollme: '2' })).object;
    expect(mark(kept)).toMatch(/^[0-9a-f]{16}$/);
    expect(mark(dropped)).toBe(mark(kept));
    expect(mark(first)).not.toBe(mark(kept));
  });

  it('asks only with look-ups that begin after the review has come', () => {
    const { admission, update, first } = life(A);
    update(first, annotated(kind, first, { rollme: '2' }));
    expect(admission.asked.map(({ question }) => question.notBeforeMs)).toEqual([undefined, 990]);
  });
});
