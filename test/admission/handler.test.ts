import { describe, expect, it } from '@jest/globals';

import { MODES } from '../../src/admission/policy.ts';
import type { ResolvedImage } from '../../src/admission/ports.ts';
import { PinError } from '../../src/errors.ts';
import { Admission, digest, namesOf, patched, patchIn, record } from '../support/admission.ts';
import {
  annotationsOf,
  CONTAINERS,
  DEPLOYMENT,
  EPHEMERAL,
  INIT_CONTAINERS,
  imagesOf,
  JOB,
  type Json,
  KINDS,
  objectOf,
  POD,
  reviewOf,
  specOf,
  VOLUMES,
  WORKLOADS,
} from '../support/review.ts';

const A = digest('a');
const B = digest('b');
const NGINX = 'docker.io/library/nginx:1';
const HTTPD = 'docker.io/library/httpd:2';
const RESTART = 'kubectl.kubernetes.io/restartedAt';

/** One image in every list that a kind has. */
function everyList(kind: { readonly kind: string }, image: (name: string) => string): Json {
  return {
    containers: [CONTAINERS.item('web', image('web'))],
    initContainers: [INIT_CONTAINERS.item('init', image('init'))],
    volumes: [{ name: 'plain', emptyDir: {} }, VOLUMES.item('data', image('data'))],
    ...(kind === POD && { ephemeralContainers: [EPHEMERAL.item('debug', image('debug'))] }),
  };
}

describe.each(KINDS)('createHandler() for a new $kind', (kind) => {
  const object = objectOf(kind, { spec: everyList(kind, () => 'nginx:1') });

  it.each(['pin', 'enforce'] as const)('writes every pin and one record in mode %s', (mode) => {
    const admission = new Admission({ [NGINX]: A }, { mode });
    const answer = admission.review(kind, { object });
    const original = `nginx:1 ${A}`;
    expect(answer.object).toEqual(
      objectOf(kind, {
        spec: everyList(kind, () => `nginx@${A}`),
        annotations: record({ init: original, 'volume/data': original, web: original }),
      }),
    );
    expect(answer.response).toMatchObject({ allowed: true, patchType: 'JSONPatch' });
    expect(answer.response).not.toHaveProperty('warnings');
    expect(answer.report).toMatchObject({ mode, kind: kind.kind, outcome: 'pinned' });
  });

  it('keeps the tag beside the digest where the operator asks for it', () => {
    const admission = new Admission({ [NGINX]: A }, { referenceForm: 'tag-and-digest' });
    const { object: stored } = admission.review(kind, { object });
    expect(imagesOf(kind, stored)).toEqual({ web: `nginx:1@${A}` });
  });

  it('changes nothing in mode warn, and tells what would be', () => {
    const admission = new Admission({ [NGINX]: A }, { mode: 'warn' });
    const answer = admission.review(kind, { object });
    expect(answer.patch).toEqual([]);
    expect(answer.object).toEqual(object);
    expect(answer.response.warnings).toEqual([
      `container "web" would be pinned to nginx@${A}`,
      `init container "init" would be pinned to nginx@${A}`,
      ...(kind === POD ? [`ephemeral container "debug" would be pinned to nginx@${A}`] : []),
      `image volume "data" would be pinned to nginx@${A}`,
    ]);
    expect(answer.report.outcome).toBe('would_pin');
  });

  it('pins what it can and admits the rest with a warning in mode pin', () => {
    const spec = everyList(kind, (name) => (name === 'init' ? 'missing:1' : 'nginx:1'));
    const answer = new Admission({ [NGINX]: A }).review(kind, {
      object: objectOf(kind, { spec }),
    });
    expect(imagesOf(kind, answer.object)).toEqual({ web: `nginx@${A}` });
    expect(imagesOf(kind, answer.object, INIT_CONTAINERS)).toEqual({ init: 'missing:1' });
    expect(imagesOf(kind, answer.object, VOLUMES)).toEqual({ data: `nginx@${A}` });
    expect(annotationsOf(kind, answer.object)).toEqual({
      ...record({ 'volume/data': `nginx:1 ${A}`, web: `nginx:1 ${A}` }),
      ...(kind === POD && { 'tagpin.dev/unpinned': '{"init":"not_found"}' }),
    });
    expect(answer.response.warnings).toEqual([
      'Cannot resolve "missing:1" for init container "init": docker.io answered 404 (not found); the tag stays [not_found]',
    ]);
    expect(answer.report.outcome).toBe('failed');
  });

  it('denies in mode enforce, and changes nothing', () => {
    const spec = everyList(kind, (name) => (name === 'init' ? 'missing:1' : 'nginx:1'));
    const admission = new Admission({ [NGINX]: A }, { mode: 'enforce' });
    const { response, report } = admission.review(kind, { object: objectOf(kind, { spec }) });
    expect(response).toEqual({
      uid: '705ab4f5-6393-11e8-b7cc-42010a800002',
      allowed: false,
      auditAnnotations: { images: expect.stringContaining('not_found') },
      status: {
        code: 403,
        reason: 'Forbidden',
        message:
          'Cannot resolve "missing:1" for init container "init": docker.io answered 404 (not found): push the tag, or correct its name [not_found]',
      },
    });
    expect(report.outcome).toBe('denied');
  });
});

describe.each(WORKLOADS)('createHandler() for a stored $kind', (kind) => {
  const spec = specOf({ web: 'nginx:1', db: 'httpd:2' });
  const pins = { web: `nginx@${A}`, db: `httpd@${B}` };
  const annotations = record({ db: `httpd:2 ${B}`, web: `nginx:1 ${A}` });
  const oldObject = objectOf(kind, { spec: specOf(pins), annotations });

  it.each(MODES)('answers a re-apply from the old object in mode %s, asking nobody', (mode) => {
    const admission = new Admission({}, { mode });
    const put = admission.review(kind, { oldObject, object: objectOf(kind, { spec }) });
    expect(put.object).toEqual(oldObject);
    const applied = objectOf(kind, { spec, annotations });
    const kept = admission.review(kind, { oldObject, object: applied });
    expect(kept.object).toEqual(oldObject);
    expect(kept.patch).toHaveLength(2);
    expect(kept.outcomes).toEqual({ web: 'reused', db: 'reused' });
    expect(admission.asked).toEqual([]);
  });

  it.each(MODES)('puts back a record that a PUT of the pins drops in mode %s', (mode) => {
    const object = objectOf(kind, { spec: specOf(pins) });
    expect(new Admission({}, { mode }).review(kind, { oldObject, object }).object).toEqual(
      oldObject,
    );
  });

  it.each(MODES)('gives reordered containers their own pins in mode %s', (mode) => {
    const object = objectOf(kind, { spec: specOf({ db: 'httpd:2', web: 'nginx:1' }) });
    const answer = new Admission({}, { mode }).review(kind, { oldObject, object });
    expect(imagesOf(kind, answer.object)).toEqual(pins);
    expect(annotationsOf(kind, answer.object)).toEqual(annotations);
  });

  it('records a renamed container under its new name', () => {
    const object = objectOf(kind, { spec: specOf({ app: 'nginx:1', db: 'httpd:2' }) });
    const answer = new Admission().review(kind, { oldObject, object });
    expect(imagesOf(kind, answer.object)).toEqual({ app: `nginx@${A}`, db: `httpd@${B}` });
    expect(annotationsOf(kind, answer.object)).toEqual(
      record({ app: `nginx:1 ${A}`, db: `httpd:2 ${B}` }),
    );
  });
});

describe('createHandler() for whole objects', () => {
  const spec = specOf({ web: 'nginx:1' });
  const controller = { ownerReferences: [{ kind: 'Any', name: 'any', controller: true }] };
  const mirror = { annotations: { 'kubernetes.io/config.mirror': '' } };
  const deleting = { deletionTimestamp: '2026-01-01T00:00:00Z' };

  it.each(WORKLOADS.flatMap((kind) => MODES.map((mode) => ({ ...kind, mode }))))(
    'leaves an owned or deleted $kind alone in mode $mode',
    ({ mode, ...kind }) => {
      const admission = new Admission({ [NGINX]: A }, { mode });
      const outcomes = [controller, deleting, { ...controller, ...deleting }].map((metadata) => {
        const object = objectOf(kind, { spec, metadata });
        const answer = admission.review(kind, { object, oldObject: object });
        expect(answer.response).toEqual({ uid: answer.response.uid, allowed: true });
        return answer.report.outcome;
      });
      expect(outcomes).toEqual(['owned', 'deleting', 'owned']);
      expect(admission.asked).toEqual([]);
    },
  );

  it.each(MODES)('leaves a mirror Pod alone in mode %s, however it is written', (mode) => {
    const admission = new Admission({ [NGINX]: A }, { mode });
    const metadata = { ...mirror, ...deleting };
    const { response, report } = admission.review(POD, {
      object: objectOf(POD, { spec, metadata }),
    });
    expect(response).toEqual({ uid: response.uid, allowed: true });
    expect(report.outcome).toBe('mirror');
    const dying = admission.review(POD, { object: objectOf(POD, { spec, metadata: deleting }) });
    expect(dying.report.outcome).toBe('deleting');
  });

  it('pins a Pod that a controller owns', () => {
    const answer = new Admission({ [NGINX]: A }).review(POD, {
      object: objectOf(POD, { spec, metadata: controller }),
    });
    expect(answer.outcomes).toEqual({ web: 'pinned' });
  });

  it.each([
    ['an owner that is no controller', [{ kind: 'Any', controller: false }]],
    ['an owner that does not say', [{ kind: 'Any' }]],
    ['a controller in words', [{ kind: 'Any', controller: 'true' }]],
    ['owners that are none', ['any', null, 7]],
    ['owners that are no list', { 0: { controller: true } }],
  ])('pins a ReplicaSet with %s', (_, ownerReferences) => {
    const kind = { ...DEPLOYMENT, kind: 'ReplicaSet' };
    const object = objectOf(kind, { spec, metadata: { ownerReferences } });
    expect(new Admission({ [NGINX]: A }).review(kind, { object }).outcomes).toEqual({
      web: 'pinned',
    });
  });

  it.each<[string, Parameters<Admission['review']>]>([
    ['a kind without pods', [{ kind: 'ConfigMap', group: '', template: [] }, { object: {} }]],
    ['a kind of another group', [{ ...DEPLOYMENT, group: 'example.com' }, { object: {} }]],
    ['constructor, as a kind', [{ ...POD, kind: 'constructor' }, { object: {} }]],
    ['a DELETE', [POD, { more: { operation: 'DELETE', object: null, oldObject: {} } }]],
    ['a CONNECT', [POD, { more: { operation: 'CONNECT', object: {} } }]],
    ['an object without spec', [POD, { object: { metadata: {} } }]],
    ['an object without anything', [DEPLOYMENT, { object: {} }]],
    ['a template that is a list', [DEPLOYMENT, { object: { spec: { template: [] } } }]],
    ['a template that is null', [DEPLOYMENT, { object: { spec: { template: null } } }]],
    ['a spec that is a text', [POD, { object: { spec: 'spec' } }]],
    ['a pod spec without lists', [POD, { object: { spec: {} } }]],
    ['containers that are an object', [POD, { object: { spec: { containers: { image: 'a' } } } }]],
    ['containers that are none', [POD, { object: { spec: { containers: ['a', null, 1, []] } } }]],
    [
      'a volume without an image',
      [POD, { object: { spec: { volumes: [{ name: 'a', image: 'a' }] } } }],
    ],
  ])('admits %s as it is', (_, [kind, parts]) => {
    const admission = new Admission({}, { mode: 'enforce' });
    const { response, report } = admission.review(kind, parts);
    expect(response).toEqual({ uid: response.uid, allowed: true });
    expect(report.outcome).toBe('no_images');
    expect(admission.asked).toEqual([]);
  });
});

describe('createHandler() and its port', () => {
  it('answers at once where the port does, and with a promise where it does not', async () => {
    const object = objectOf(POD, { spec: specOf({ web: 'nginx:1' }) });
    const call = {
      review: reviewOf(POD, { object }),
      mode: 'pin',
      mayLookUp: true,
      startedAtMs: 0,
      deadlineAtMs: 9,
    } as const;
    const answer: ResolvedImage = {
      digest: A,
      host: 'registry.example.com',
      stale: false,
      ageMs: 0,
    };
    const known = new Admission({}, { resolve: () => answer }).handle(call);
    expect(known).not.toBeInstanceOf(Promise);
    const asked = new Admission({}, { resolve: () => Promise.resolve(answer) }).handle(call);
    expect(asked).toBeInstanceOf(Promise);
    expect(await asked).toEqual(known);
  });

  it('asks once for one tag in a review, however it is spelled', () => {
    const admission = new Admission({ 'docker.io/library/nginx:latest': A });
    const spec = specOf({
      a: 'nginx',
      b: 'nginx:latest',
      c: 'docker.io/nginx',
      d: 'index.docker.io/library/nginx:latest',
    });
    const answer = admission.review(POD, { object: objectOf(POD, { spec }) });
    expect(namesOf(admission.asked)).toEqual(['docker.io/library/nginx:latest']);
    expect(imagesOf(POD, answer.object)).toEqual({
      a: `nginx@${A}`,
      b: `nginx@${A}`,
      c: `docker.io/nginx@${A}`,
      d: `index.docker.io/library/nginx@${A}`,
    });
  });

  it('asks for all images before it has the first answer', async () => {
    const open: ((answer: ResolvedImage) => void)[] = [];
    const admission = new Admission(
      {},
      { resolve: () => new Promise((resolve) => open.push(resolve)) },
    );
    const spec = specOf({ web: 'nginx:1', side: 'nginx:1', db: 'httpd:2', cache: 'redis:3' });
    const pending = admission.reviewLater(POD, { object: objectOf(POD, { spec }) });
    expect(open).toHaveLength(3);
    // The last question is answered first: every image gets its own answer all the same.
    for (const [index, digit] of ['a', 'b', 'c'].entries()) {
      open.at(-1 - index)?.({
        digest: digest(digit),
        host: 'registry.example.com',
        stale: false,
        ageMs: 0,
      });
    }
    expect(imagesOf(POD, (await pending).object)).toEqual({
      web: `nginx@${digest('c')}`,
      side: `nginx@${digest('c')}`,
      db: `httpd@${digest('b')}`,
      cache: `redis@${digest('a')}`,
    });
  });

  it('waits for the one that takes its time, and keeps what was known', async () => {
    const admission = new Admission(
      {},
      {
        resolve: ({ repository }) =>
          repository === 'library/nginx'
            ? { digest: A, host: 'registry.example.com', stale: false, ageMs: 0 }
            : Promise.resolve(new PinError('unavailable', 'nobody answers')),
      },
    );
    const spec = specOf({ web: 'nginx:1', db: 'httpd:2' });
    const answer = await admission.reviewLater(POD, { object: objectOf(POD, { spec }) });
    expect(answer.outcomes).toEqual({ web: 'pinned', db: 'failed' });
  });

  it('names the namespace of the request, never that of the object', () => {
    const admission = new Admission();
    const object = objectOf(POD, { spec: specOf({ a: 'a' }), metadata: { namespace: 'theirs' } });
    admission.review(POD, { object });
    expect(admission.asked[0]?.question.identity.namespace).toBe('shop');
  });

  it.each([
    ['a Pod', POD, {}, [], undefined],
    ['a Pod with an account', POD, { serviceAccountName: 'robot' }, [], undefined],
    ['a template', DEPLOYMENT, {}, [], 'default'],
    ['a template with an account', JOB, { serviceAccountName: 'robot' }, [], 'robot'],
    ['the old name of the field', DEPLOYMENT, { serviceAccount: 'robot' }, [], 'robot'],
    [
      'both names, the new one empty',
      DEPLOYMENT,
      { serviceAccountName: '', serviceAccount: 'robot' },
      [],
      'robot',
    ],
    [
      'a template with secrets of its own',
      DEPLOYMENT,
      { imagePullSecrets: [{ name: 'b' }, { name: 'a' }], serviceAccountName: 'robot' },
      ['b', 'a'],
      undefined,
    ],
    [
      'names that are none',
      DEPLOYMENT,
      { imagePullSecrets: [{ name: '' }, {}, 'a', null, { name: 7 }] },
      [],
      'default',
    ],
    ['secrets that are no list', POD, { imagePullSecrets: { name: 'a' } }, [], undefined],
  ])('asks with the credentials of %s', (...[, kind, fields, pullSecrets, serviceAccount]) => {
    const admission = new Admission();
    admission.review(kind, {
      object: objectOf(kind, { spec: { ...specOf({ a: 'a' }), ...fields } }),
    });
    expect(admission.asked[0]?.question.identity).toEqual({
      namespace: 'shop',
      pullSecrets,
      serviceAccount,
    });
  });

  it('hands the deadline on, and lets the cache answer unless a refresh is asked for', () => {
    const admission = new Admission({ [NGINX]: B });
    const annotations = record({ web: `nginx:1 ${A}` });
    const oldObject = objectOf(DEPLOYMENT, { spec: specOf({ web: `nginx@${A}` }), annotations });
    admission.review(DEPLOYMENT, { object: objectOf(DEPLOYMENT, { spec: specOf({ web: 'a' }) }) });
    const spec = specOf({ web: `nginx@${A}` });
    admission.review(DEPLOYMENT, {
      oldObject,
      object: objectOf(DEPLOYMENT, { spec, annotations: { ...annotations, [RESTART]: 'now' } }),
    });
    expect(admission.asked.map(({ question }) => question)).toMatchObject([
      { deadlineAtMs: 9990, notBeforeMs: undefined },
      { deadlineAtMs: 9990, notBeforeMs: 990 },
    ]);
  });

  it('asks for one digest when a restart comes with a new container of the same tag', () => {
    const admission = new Admission({ [NGINX]: B });
    const answer = admission.review(DEPLOYMENT, {
      oldObject: objectOf(DEPLOYMENT, {
        spec: specOf({ web: `nginx@${A}` }),
        annotations: record({ web: `nginx:1 ${A}` }),
      }),
      object: objectOf(DEPLOYMENT, {
        spec: specOf({ web: 'nginx:1', side: 'nginx:1' }),
        annotations: { [RESTART]: 'monday' },
      }),
    });
    expect(namesOf(admission.asked)).toEqual([NGINX]);
    expect(imagesOf(DEPLOYMENT, answer.object)).toEqual({ web: `nginx@${B}`, side: `nginx@${B}` });
  });

  it('reports every review once, with what each image came to', () => {
    const admission = new Admission({ [NGINX]: A });
    const spec = specOf({ web: 'nginx:1', db: 'ghcr.io/a/b:1', odd: 'ODD', old: `a@${A}` });
    admission.review(POD, { object: objectOf(POD, { spec }) });
    expect(admission.reports).toHaveLength(1);
    expect(admission.reports[0]).toMatchObject({
      mode: 'pin',
      kind: 'Pod',
      outcome: 'failed',
      ms: 10,
      images: [
        { container: 'web', outcome: 'pinned', reason: '', registry: 'docker.io', ms: 10 },
        { container: 'db', outcome: 'failed', reason: 'not_found', registry: 'ghcr.io', ms: 10 },
        { container: 'odd', outcome: 'failed', reason: 'invalid_reference', registry: undefined },
        { container: 'old', outcome: 'already_pinned', reason: '', registry: undefined, ms: 0 },
      ],
    });
  });
});

function warningsOfSkip(image: string, skip: string): readonly string[] | undefined {
  const annotations = { 'tagpin.dev/skip': skip };
  const object = objectOf(POD, { spec: specOf({ web: image }), annotations });
  const admission = new Admission({ [NGINX]: A }, { mode: 'enforce' });
  return admission.review(POD, { object }).response.warnings;
}

describe('createHandler() where nothing may be looked up', () => {
  const late = (peek?: () => ResolvedImage): Admission =>
    new Admission({ [NGINX]: A }, { mayLookUp: false, ...(peek && { parts: { peek } }) });
  const tagged = objectOf(DEPLOYMENT, { spec: specOf({ web: 'nginx:1' }) });
  const pinned = objectOf(DEPLOYMENT, {
    spec: specOf({ web: `nginx@${A}` }),
    annotations: record({ web: `nginx:1 ${A}` }),
  });

  it('puts off a tag that is not known, and a refresh, and asks for neither', () => {
    const restarted = objectOf(DEPLOYMENT, {
      spec: specOf({ web: `nginx@${A}` }),
      annotations: { ...record({ web: `nginx:1 ${A}` }), [RESTART]: 'now' },
    });
    for (const asked of [{ object: tagged }, { object: restarted, oldObject: pinned }]) {
      const admission = late();
      expect(() => admission.review(DEPLOYMENT, asked)).toThrow(
        expect.objectContaining({ code: 'overloaded' }),
      );
      expect([admission.asked, admission.reports]).toEqual([[], []]);
    }
  });

  it('answers what is known, or needs no registry', () => {
    const known = { digest: A, host: 'registry.example.com', stale: false, ageMs: 0 };
    expect(late(() => known).review(DEPLOYMENT, { object: tagged }).outcomes).toEqual({
      web: 'pinned',
    });
    expect(late().review(DEPLOYMENT, { object: pinned }).outcomes).toEqual({
      web: 'already_pinned',
    });
    const failed = new PinError('not_found', 'the registry does not know it');
    const admission = new Admission(
      { [NGINX]: failed },
      { mayLookUp: false, parts: { peek: () => failed } },
    );
    expect(admission.review(DEPLOYMENT, { object: tagged }).outcomes).toEqual({ web: 'failed' });
    const again = { object: tagged, oldObject: pinned };
    expect(late().review(DEPLOYMENT, again).outcomes).toEqual({ web: 'reused' });
  });
});

describe('createHandler() in mode enforce', () => {
  const enforce = { mode: 'enforce' } as const;

  it('names every failure, one action and its code', () => {
    const spec = specOf({ web: 'a:1', ok: 'nginx:1', db: 'ghcr.io/b/c:2' });
    const tags = {
      [NGINX]: A,
      'ghcr.io/b/c:2': new PinError('rate_limited', 'ghcr.io answered 429 (too many requests)'),
    };
    const { response } = new Admission(tags, enforce).review(POD, {
      object: objectOf(POD, { spec }),
    });
    expect(response.status?.message).toBe(
      'Cannot resolve "a:1" for container "web": docker.io answered 404 (not found); ' +
        'Cannot resolve "ghcr.io/b/c:2" for container "db": ghcr.io answered 429 (too many requests): ' +
        'push the tag, or correct its name [not_found]',
    );
  });

  it('names a reference that cannot be read, with its container', () => {
    const object = objectOf(POD, { spec: specOf({ web: 'nginx:' }) });
    expect(new Admission({}, enforce).review(POD, { object }).response.status?.message).toBe(
      'Cannot read image reference "nginx:": the tag is malformed (container "web"): correct the image name [invalid_reference]',
    );
  });

  it('tells of a skip annotation that it ignores, when it admits and when it denies', () => {
    const ignored = ['tagpin.dev/skip is ignored in a namespace of mode "enforce"'];
    expect(warningsOfSkip('nginx:1', 'true')).toEqual(ignored);
    expect(warningsOfSkip('missing:1', 'web')).toEqual(ignored);
    expect(warningsOfSkip('nginx:1', 'other')).toBeUndefined();
  });

  it('honours the annotation silently where the operator allows it', () => {
    const annotations = { 'tagpin.dev/skip': 'true' };
    const object = objectOf(POD, { spec: specOf({ web: 'missing:1' }), annotations });
    const admission = new Admission({}, { ...enforce, allowSkipInEnforce: true });
    const { response } = admission.review(POD, { object });
    expect(response).toEqual({ uid: response.uid, allowed: true });
  });

  it('admits a refresh that failed, and does not blame it for what is denied', () => {
    const annotations = record({ web: `nginx:1 ${A}` });
    const spec = { web: `nginx@${A}` };
    const oldObject = objectOf(DEPLOYMENT, { spec: specOf(spec), annotations });
    const restarted = (images: Json): Json =>
      objectOf(DEPLOYMENT, {
        spec: specOf(images),
        annotations: { ...annotations, [RESTART]: 'monday' },
      });
    const admission = new Admission({}, enforce);
    const kept = admission.review(DEPLOYMENT, { oldObject, object: restarted(spec) });
    expect(imagesOf(DEPLOYMENT, kept.object)).toEqual(spec);
    expect(kept.response.warnings).toEqual([
      'Cannot resolve "nginx:1" for container "web": docker.io answered 404 (not found); the old pin stays [not_found]',
    ]);
    const object = restarted({ ...spec, db: 'quay.io/a/b:1' });
    const denied = admission.review(DEPLOYMENT, { oldObject, object });
    expect(denied.response.status?.message).toBe(
      'Cannot resolve "quay.io/a/b:1" for container "db": quay.io answered 404 (not found): push the tag, or correct its name [not_found]',
    );
  });
});

describe('createHandler() for ephemeral containers', () => {
  const spec = specOf({ web: `nginx@${A}` });
  const annotations = record({ web: `nginx:1 ${A}` });
  const oldObject = objectOf(POD, { spec, annotations });
  const subResource = { more: { subResource: 'ephemeralcontainers' } };

  it('pins the image and touches no annotation, which the API server would drop', () => {
    const admission = new Admission({ [HTTPD]: B });
    const object = objectOf(POD, {
      spec: { ...spec, ...specOf({ debug: 'httpd:2', lost: 'missing' }, EPHEMERAL) },
      annotations,
    });
    const answer = admission.review(POD, { oldObject, object, ...subResource });
    expect(answer.patch).toEqual([
      { op: 'replace', path: '/spec/ephemeralContainers/0/image', value: `httpd@${B}` },
    ]);
    expect(answer.outcomes).toEqual({ web: 'already_pinned', debug: 'pinned', lost: 'failed' });
  });

  it('leaves the one that is there already', () => {
    const debugged = { ...spec, ...specOf({ debug: 'httpd:2' }, EPHEMERAL) };
    const stored = objectOf(POD, { spec: debugged, annotations });
    const more = specOf({ debug: 'httpd:2', again: 'httpd:2' }, EPHEMERAL);
    const object = objectOf(POD, { spec: { ...spec, ...more }, annotations });
    const answer = new Admission({ [HTTPD]: B }).review(POD, {
      oldObject: stored,
      object,
      ...subResource,
    });
    expect(answer.outcomes).toMatchObject({ debug: 'unchanged', again: 'pinned' });
    expect(imagesOf(POD, answer.object, EPHEMERAL)).toEqual({
      debug: 'httpd:2',
      again: `httpd@${B}`,
    });
  });
});

describe('createHandler() with an answer that is stale', () => {
  it('pins, and tells the age', () => {
    const resolve = (): ResolvedImage => ({
      digest: A,
      host: 'registry.example.com',
      stale: true,
      ageMs: 90_400,
    });
    const object = objectOf(POD, { spec: specOf({ web: 'nginx:1' }) });
    const { response, report } = new Admission({}, { resolve }).review(POD, { object });
    expect(response.warnings).toEqual([
      'container "web" is pinned to the digest known 90 s ago: its registry does not answer',
    ]);
    expect(report.images).toMatchObject([{ outcome: 'pinned', stale: true }]);
    expect(patched(object, patchIn(response))).toMatchObject({
      spec: { containers: [{ image: `nginx@${A}` }] },
    });
  });
});
