import { describe, expect, it } from '@jest/globals';

import { MODES } from '../../src/admission/policy.ts';
import { PinError } from '../../src/errors.ts';
import { Admission, type Answered, digest, record } from '../support/admission.ts';
import {
  annotationsOf,
  DEPLOYMENT,
  imagesOf,
  type Json,
  type Kind,
  objectOf,
  ROLLING,
  specOf,
  templateOf,
} from '../support/review.ts';

const A = digest('a');
const B = digest('b');
const C = digest('c');
const NGINX = 'docker.io/library/nginx:1';
const ORIGINALS = 'tagpin.dev/originals';
const RESTART = 'kubectl.kubernetes.io/restartedAt';
const REFRESH = 'tagpin.dev/refresh';

/** A workload of one container and its annotations. */
function web(image: string, annotations?: Json, kind: Kind = DEPLOYMENT): Json {
  return objectOf(kind, {
    spec: specOf({ web: image }),
    ...(annotations !== undefined && { annotations }),
  });
}

/** A stored object with some of its template's annotations changed; undefined takes one away. */
function annotated(kind: Kind, object: Json, changes: Json): Json {
  const { spec } = templateOf(kind, object);
  const annotations = { ...annotationsOf(kind, object), ...changes };
  return JSON.parse(JSON.stringify(objectOf(kind, { spec, annotations }))) as Json;
}

function bytesOf(kind: Kind, object: Json): string {
  return JSON.stringify(templateOf(kind, object));
}

describe.each(ROLLING)('recordToWrite() through the life of a $kind', (kind) => {
  it('lets undo and redo find the very templates that there were', () => {
    const admission = new Admission({ [NGINX]: A });
    const update = (oldObject: Json, object: Json): Answered =>
      admission.review(kind, { oldObject, object });
    const first = admission.review(kind, { object: web('nginx:1', undefined, kind) }).object;

    admission.tags.set(NGINX, B);
    const restarted = update(first, annotated(kind, first, { [RESTART]: 'monday' })).object;
    expect(imagesOf(kind, restarted)).toEqual({ web: `nginx@${B}` });
    expect(annotationsOf(kind, restarted)).toEqual({
      [RESTART]: 'monday',
      ...record({ '@restartedAt': 'monday', web: `nginx:1 ${B}` }),
    });

    admission.tags.set(NGINX, C);
    // A controller's undo sends the template of the other revision as it was stored.
    const undone = update(restarted, first);
    expect(undone.patch).toEqual([]);
    const redone = update(undone.object, restarted);
    expect(redone.patch).toEqual([]);
    expect(bytesOf(kind, redone.object)).toBe(bytesOf(kind, restarted));
    expect(admission.asked).toHaveLength(2);

    const again = update(redone.object, annotated(kind, redone.object, { [RESTART]: 'tuesday' }));
    expect(imagesOf(kind, again.object)).toEqual({ web: `nginx@${C}` });
  });

  it('remembers the two refresh values apart', () => {
    const admission = new Admission({ [NGINX]: A });
    const steps: readonly Json[] = [
      { [RESTART]: 'monday' },
      { [REFRESH]: '1' },
      { [RESTART]: undefined },
      { [RESTART]: 'monday' },
      { [REFRESH]: '2' },
    ];
    let stored = admission.review(kind, { object: web('nginx:1', undefined, kind) }).object;
    const outcomes = steps.map((changes) => {
      const object = annotated(kind, stored, changes);
      const answer = admission.review(kind, { oldObject: stored, object });
      stored = answer.object;
      return answer.outcomes['web'];
    });
    // The third takes a value away; the fourth brings back one that the record has answered.
    expect(outcomes).toEqual([
      'refreshed',
      'refreshed',
      'already_pinned',
      'already_pinned',
      'refreshed',
    ]);
    expect(annotationsOf(kind, stored)[ORIGINALS]).toBe(
      `{"@refresh":"2","@restartedAt":"monday","web":"nginx:1 ${A}"}`,
    );
  });

  it('keeps the pin when a refresh fails, and does not try again at the next label edit', () => {
    const admission = new Admission({ [NGINX]: A });
    const first = admission.review(kind, { object: web('nginx:1', undefined, kind) }).object;
    admission.tags.set(NGINX, new PinError('unavailable', 'docker.io does not answer'));
    const failed = admission.review(kind, {
      oldObject: first,
      object: annotated(kind, first, { [RESTART]: 'monday' }),
    });
    expect(failed.outcomes).toEqual({ web: 'refresh_failed' });
    expect(failed.response.warnings).toEqual([
      'Cannot resolve "nginx:1" for container "web": docker.io does not answer; the old pin stays [unavailable]',
    ]);
    expect(imagesOf(kind, failed.object)).toEqual({ web: `nginx@${A}` });
    expect(annotationsOf(kind, failed.object)[ORIGINALS]).toBe(
      `{"@restartedAt":"monday","web":"nginx:1 ${A}"}`,
    );
    const edited = annotated(kind, failed.object, { color: 'blue' });
    const answer = admission.review(kind, { oldObject: failed.object, object: edited });
    expect(answer.patch).toEqual([]);
    expect(admission.asked).toHaveLength(2);
  });
});

describe('recordToWrite() for a pin of another tool', () => {
  const stored = web(`nginx:1@${A}`);

  it('writes no record on a re-apply, and one when a refresh has made the pin ours', () => {
    const admission = new Admission({ [NGINX]: B });
    const applied = admission.review(DEPLOYMENT, { oldObject: stored, object: web('nginx:1') });
    expect(applied.object).toEqual(stored);
    const object = web('nginx:1', { [RESTART]: 'monday' });
    const restarted = admission.review(DEPLOYMENT, { oldObject: stored, object });
    expect(restarted.object).toEqual(
      web(`nginx@${B}`, {
        [RESTART]: 'monday',
        ...record({ '@restartedAt': 'monday', web: `nginx:1 ${B}` }),
      }),
    );
  });

  it('leaves the pin as it is when the refresh fails', () => {
    const object = web('nginx:1', { [RESTART]: 'monday' });
    const answer = new Admission().review(DEPLOYMENT, { oldObject: stored, object });
    expect(answer.outcomes).toEqual({ web: 'refresh_failed' });
    expect(answer.object).toEqual(web(`nginx:1@${A}`, { [RESTART]: 'monday' }));
  });

  it.each(MODES)('keeps it on a re-apply by whoever makes no record, in mode %s', (mode) => {
    const admission = new Admission({ [NGINX]: B }, { mode });
    const object = web('nginx:1', { color: 'blue' });
    const answer = admission.review(DEPLOYMENT, { oldObject: stored, object });
    expect(answer.object).toEqual(web(`nginx:1@${A}`, { color: 'blue' }));
    expect(admission.asked).toEqual([]);
  });
});

describe('recordToWrite() for a digest that a person has set', () => {
  it('keeps that digest through a restart, and a record that no longer fits it', () => {
    const admission = new Admission({ [NGINX]: C });
    const known = record({ web: `nginx:1 ${A}` });
    const set = web(`nginx@${B}`, known);
    const first = admission.review(DEPLOYMENT, {
      oldObject: web(`nginx@${A}`, known),
      object: set,
    });
    expect(first.patch).toEqual([]);
    const object = web(`nginx@${B}`, { ...known, [RESTART]: 'monday' });
    const restarted = admission.review(DEPLOYMENT, { oldObject: first.object, object });
    expect(restarted.patch).toEqual([]);
    expect(restarted.outcomes).toEqual({ web: 'already_pinned' });
    expect(admission.asked).toEqual([]);
  });
});

describe('recordToWrite() and the bytes of a record', () => {
  const fitting = `{ "web" : "nginx:1 ${A}" }`;
  const two = specOf({ web: `nginx@${A}`, db: `httpd@${B}` });

  it.each([
    ['in another spelling', fitting],
    ['with a value that is no entry', `{"web":"nginx:1 ${A}","note":"mine"}`],
    ['with a value that is no text', `{"web":"nginx:1 ${A}","db":7}`],
    ['with a refresh value', `{"@restartedAt":"monday","web":"nginx:1 ${A}"}`],
  ])('keeps them %s while its entries count', (_, originals) => {
    const oldObject = web(`nginx@${A}`, { [ORIGINALS]: originals });
    const object = web(`nginx@${A}`, { [ORIGINALS]: originals, color: 'blue' });
    const admission = new Admission();
    expect(admission.review(DEPLOYMENT, { oldObject, object }).patch).toEqual([]);
    expect(admission.review(DEPLOYMENT, { object }).patch).toEqual([]);
  });

  it.each([
    ['no JSON', '{'],
    ['a list', '[]'],
    ['null', 'null'],
    ['another repository', `{"web":"httpd:1 ${A}"}`],
    ['another digest', `{"web":"nginx:1 ${B}"}`],
    ['another container', `{"db":"nginx:1 ${A}"}`],
    ['huge', JSON.stringify({ web: `nginx:1 ${A}`, x: 'x'.repeat(70_000) })],
    ['one entry of two', `{"gone":"nginx:1 ${A}","web":"nginx:1 ${A}"}`],
  ])('leaves them while the template stays: %s', (_, originals) => {
    const stored = web(`nginx@${A}`, { [ORIGINALS]: originals });
    const scaled = { ...stored, metadata: { name: 'web', labels: { now: 'labelled' } } };
    const answer = new Admission().review(DEPLOYMENT, { oldObject: stored, object: scaled });
    expect(answer.patch).toEqual([]);
  });

  it.each([
    ['no JSON', '{'],
    ['another repository', `{"web":"httpd:1 ${A}"}`],
    ['another container', `{"db":"nginx:1 ${A}"}`],
    ['__proto__', `{"__proto__":"nginx:1 ${A}"}`],
  ])('counts as none in a new object, and gives way: %s', (_, originals) => {
    const object = web('nginx:1', { [ORIGINALS]: originals });
    const answer = new Admission({ [NGINX]: C }).review(DEPLOYMENT, { object });
    expect(answer.object).toEqual(web(`nginx@${C}`, record({ web: `nginx:1 ${C}` })));
  });

  it('drops the entries that do not count when the template changes', () => {
    const annotations = record({ db: `nginx:9 ${B}`, gone: `a:1 ${C}`, web: `nginx:1 ${A}` });
    const oldObject = objectOf(DEPLOYMENT, { spec: two, annotations });
    const object = annotated(DEPLOYMENT, oldObject, { color: 'blue' });
    const answer = new Admission().review(DEPLOYMENT, { oldObject, object });
    expect(annotationsOf(DEPLOYMENT, answer.object)).toEqual({
      color: 'blue',
      ...record({ web: `nginx:1 ${A}` }),
    });
  });

  it('mends none in mode warn', () => {
    const annotations = record({ db: `nginx:9 ${B}`, web: `nginx:1 ${A}` });
    const oldObject = objectOf(DEPLOYMENT, { spec: two, annotations });
    const object = annotated(DEPLOYMENT, oldObject, { color: 'blue' });
    const admission = new Admission({}, { mode: 'warn' });
    expect(admission.review(DEPLOYMENT, { oldObject, object }).patch).toEqual([]);
    expect(admission.review(DEPLOYMENT, { object }).patch).toEqual([]);
  });

  it('sorts the keys, and puts no spaces between them', () => {
    const spec = specOf({ b: 'nginx:1', B: 'nginx:1', a: 'nginx:1', '0': 'nginx:1' });
    const object = objectOf(DEPLOYMENT, { spec, annotations: { [REFRESH]: 'now' } });
    const answer = new Admission({ [NGINX]: A }).review(DEPLOYMENT, { object });
    const entry = `"nginx:1 ${A}"`;
    expect(annotationsOf(DEPLOYMENT, answer.object)[ORIGINALS]).toBe(
      `{"0":${entry},"@refresh":"now","B":${entry},"a":${entry},"b":${entry}}`,
    );
  });

  it('puts back what a PUT dropped together with the values that were answered', () => {
    const known = record({ '@restartedAt': 'monday', web: `nginx:1 ${A}` });
    const oldObject = web(`nginx@${A}`, { ...known, [RESTART]: 'monday' });
    const answer = new Admission().review(DEPLOYMENT, { oldObject, object: web('nginx:1') });
    expect(answer.object).toEqual(web(`nginx@${A}`, known));
  });

  it('puts back what a PUT dropped byte for byte, though it would write it otherwise', () => {
    const known = { [ORIGINALS]: `{ "web": "nginx:1 ${A}" }` };
    const oldObject = web(`nginx@${A}`, known);
    const answer = new Admission().review(DEPLOYMENT, { oldObject, object: web('nginx:1') });
    expect(answer.object).toEqual(oldObject);
  });

  it('writes none for a value that nobody answered', () => {
    const annotations = { [RESTART]: 'monday' };
    const answer = new Admission().review(DEPLOYMENT, { object: web(`nginx@${A}`, annotations) });
    expect(answer.patch).toEqual([]);
  });
});

/** As long as a record must not be. */
const TOO_LONG = 'x'.repeat(66_000);

describe('recordToWrite() of a record that would be too long to be read', () => {
  const object = web('nginx:1', { [REFRESH]: TOO_LONG });
  const stored = web(`nginx:1@${A}`, { [REFRESH]: TOO_LONG });

  it('writes none, leaves the tag beside the digest, and says so', () => {
    const answer = new Admission({ [NGINX]: A }).review(DEPLOYMENT, { object });
    expect(answer.object).toEqual(stored);
    expect(answer.response.warnings).toEqual([
      expect.stringContaining('the record of originals is too long to be kept'),
    ]);
  });

  it('keeps the pin without one, when the file is applied again after the tag has moved', () => {
    const admission = new Admission({ [NGINX]: B });
    const answer = admission.review(DEPLOYMENT, { oldObject: stored, object });
    expect(answer.object).toEqual(stored);
    expect(answer.outcomes).toEqual({ web: 'reused' });
    expect(admission.asked).toEqual([]);
  });

  it('says nothing while the template stays', () => {
    const answer = new Admission().review(DEPLOYMENT, { oldObject: stored, object: stored });
    expect(answer.response).not.toHaveProperty('warnings');
  });
});

describe('recordToWrite() in a live namespace that is labelled', () => {
  it('starts no rollout: a template that stays is left with its tags', () => {
    const admission = new Admission({ [NGINX]: A });
    const oldObject = { ...web('nginx:1'), status: { replicas: 1 } };
    const object = { ...web('nginx:1'), status: { replicas: 3 } };
    const answer = admission.review(DEPLOYMENT, { oldObject, object });
    expect(answer.patch).toEqual([]);
    expect(answer.outcomes).toEqual({ web: 'unchanged' });
    expect(admission.asked).toEqual([]);
  });

  it('pins with the rollout that a change causes anyway', () => {
    const object = web('nginx:1', { color: 'blue' });
    const answer = new Admission({ [NGINX]: A }).review(DEPLOYMENT, {
      oldObject: web('nginx:1'),
      object,
    });
    expect(answer.object).toEqual(
      web(`nginx@${A}`, { color: 'blue', ...record({ web: `nginx:1 ${A}` }) }),
    );
  });
});
