import { describe, expect, it } from '@jest/globals';

import { type Decision, decide } from '../../src/admission/decide.ts';
import { MODES, type Mode } from '../../src/admission/policy.ts';
import type { RefreshPolicy } from '../../src/admission/refresh.ts';
import { subjectOf } from '../../src/admission/subject.ts';
import { compileGlobs } from '../../src/image/glob.ts';
import { locationOf } from '../../src/workload/locations.ts';
import { digest, record } from '../support/admission.ts';
import {
  CONTAINERS,
  DEPLOYMENT,
  EPHEMERAL,
  type ImageList,
  INIT_CONTAINERS,
  JOB,
  type Json,
  KINDS,
  type Kind,
  type ObjectParts,
  objectOf,
  POD,
  RECORDED_LISTS,
  type RequestParts,
  ROLLING,
  reviewOf,
  specOf,
  VOLUMES,
  WORKLOADS,
} from '../support/review.ts';

const A = digest('a');
const B = digest('b');
const RESTART = 'kubectl.kubernetes.io/restartedAt';
const REFRESH = 'tagpin.dev/refresh';

interface Asking {
  readonly mode?: Mode;
  readonly key?: string;
  readonly list?: string;
  readonly skip?: readonly string[];
  readonly allowSkipInEnforce?: boolean;
  readonly refreshPolicy?: RefreshPolicy;
}

/** The decision on one image of a review: `web` unless another is named. */
function decisionOn(
  kind: Kind,
  request: RequestParts,
  { mode = 'pin', key = 'web', list, skip = [], allowSkipInEnforce = false, ...more }: Asking = {},
): Decision {
  const { refreshPolicy = 'restart' } = more;
  const where = locationOf(kind.group, kind.kind);
  if (where === undefined) throw new Error(`no location of ${kind.kind}`);
  const subject = subjectOf(reviewOf(kind, request), where, refreshPolicy);
  const place = subject?.now.places.find(
    (candidate) => candidate.key === key && (list === undefined || candidate.list === list),
  );
  if (subject === undefined || place === undefined) throw new Error(`no image of ${key}`);
  const options = { isSkipped: compileGlobs(skip), allowSkipInEnforce };
  return decide(subject, place, { mode, options });
}

/** The decision in a few words: its act, and what it is about. */
function told(decision: Decision): string {
  switch (decision.act) {
    case 'leave':
      return [decision.outcome, decision.reason].filter((part) => part !== undefined).join(' ');
    case 'reuse':
      return `reuse ${decision.pin.image}`;
    case 'resolve':
      return `resolve ${decision.original}`;
    case 'adopt':
      return `adopt ${decision.original} ${decision.digest}`;
    case 'refresh':
      return `refresh ${decision.original}, else ${decision.pin.image}`;
    case 'refuse':
      return `refuse ${decision.error.code}`;
    default:
      return decision satisfies never;
  }
}

function parts(image: unknown, annotations?: Json, list: ImageList = CONTAINERS): ObjectParts {
  return { spec: specOf({ web: image }, list), ...(annotations && { annotations }) };
}

/** Each kind with each list in which its pod template may hold an image. */
const PLACES = KINDS.flatMap((kind) =>
  [CONTAINERS, INIT_CONTAINERS, EPHEMERAL, VOLUMES]
    .filter((list) => list !== EPHEMERAL || kind === POD)
    .map((list) => ({
      kind,
      list,
      name: `${kind.kind} ${list.list}`,
      key: `${list.keyPrefix}web`,
    })),
);

/** Those whose image the API server lets nobody change in an update. */
function isFixed(kind: Kind, list: ImageList): boolean {
  return kind === JOB || (kind === POD && (list === EPHEMERAL || list === VOLUMES));
}

describe.each(MODES)('decide() in mode %s', (mode) => {
  describe.each(PLACES)('of $name', ({ kind, list, key }) => {
    const asking = { mode, key, list: list.list };
    const create = (image: unknown, more?: Json): RequestParts => ({
      object: objectOf(kind, {
        spec: { [list.list]: [list.item('web', image, more)] },
      }),
    });

    it.each([
      ['an empty image', create(''), 'not_an_image'],
      ['no image at all', create(undefined), 'not_an_image'],
      ['an image that is no text', create(1), 'not_an_image'],
      ['the placeholder of injectors', create('auto'), 'not_an_image'],
      ['a side-loaded image', create('nginx:1', { imagePullPolicy: 'Never' }), 'never_pulled'],
      ['a digest', create(`nginx@${A}`), 'already_pinned'],
      ['a tag and digest', create(`nginx:1@${A}`), 'already_pinned'],
      ['a name that cannot be read', create('Nginx:1'), 'refuse invalid_reference'],
      ['a tag', create('nginx:1'), 'resolve nginx:1'],
      ['a name without a tag', create('nginx'), 'resolve nginx'],
    ])('decides on %s in a new object', (_, request, expected) => {
      expect(told(decisionOn(kind, request, asking))).toBe(expected);
    });

    it('leaves what the operator skips', () => {
      const skip = ['docker.io/library/*'];
      expect(told(decisionOn(kind, create('nginx:1'), { ...asking, skip }))).toBe(
        'skipped skip_list',
      );
    });

    it.each([['true'], [' true '], [key], [`other, ${key}`]])(
      'honours tagpin.dev/skip: %s where the mode does',
      (skip) => {
        const annotations = { 'tagpin.dev/skip': skip };
        const object = objectOf(kind, parts('nginx:1', annotations, list));
        const expected = mode === 'enforce' ? 'resolve nginx:1' : 'skipped annotation';
        expect(told(decisionOn(kind, { object }, asking))).toBe(expected);
        const allowed = { ...asking, allowSkipInEnforce: true };
        expect(told(decisionOn(kind, { object }, allowed))).toBe('skipped annotation');
      },
    );

    it.each([[''], ['false'], ['True'], ['we'], ['web2'], ['other,,']])(
      'is not stopped by tagpin.dev/skip: %j',
      (skip) => {
        const object = objectOf(kind, parts('nginx:1', { 'tagpin.dev/skip': skip }, list));
        expect(told(decisionOn(kind, { object }, asking))).toBe('resolve nginx:1');
      },
    );

    const update = (before: ObjectParts, after: ObjectParts): RequestParts => ({
      oldObject: objectOf(kind, before),
      object: objectOf(kind, after),
    });

    it.each([['nginx:1'], ['Nginx:1']])(
      'leaves %s while nothing of the template changes',
      (tag) => {
        const before = parts(tag, undefined, list);
        const labelled = { ...before, metadata: { labels: { now: 'labelled' } } };
        const request = kind === POD ? update(before, before) : update(before, labelled);
        expect(told(decisionOn(kind, request, asking))).toBe('unchanged');
      },
    );

    it('takes a tag along when something else of a template changes, but never in place', () => {
      const before = parts('nginx:1', undefined, list);
      const request = update(before, { ...before, annotations: { color: 'blue' } });
      const inPlace = kind === POD || kind === JOB;
      expect(told(decisionOn(kind, request, asking))).toBe(
        inPlace ? 'unchanged' : 'resolve nginx:1',
      );
    });

    it('resolves another tag, but not where the API server refuses any', () => {
      const request = update(parts('nginx:1', undefined, list), parts('nginx:2', undefined, list));
      expect(told(decisionOn(kind, request, asking))).toBe(
        isFixed(kind, list) ? 'immutable' : 'resolve nginx:2',
      );
    });

    it("keeps another tool's pin, with which the tag comes back", () => {
      const before = parts(`docker.io/library/nginx:1@${A}`, undefined, list);
      const request = update(before, parts('nginx:1', undefined, list));
      expect(told(decisionOn(kind, request, asking))).toBe(`reuse docker.io/library/nginx:1@${A}`);
    });

    it('leaves the pin that it finds', () => {
      const before = parts(`nginx@${A}`, undefined, list);
      expect(told(decisionOn(kind, update(before, before), asking))).toBe('already_pinned');
    });
  });

  const recorded = KINDS.flatMap((kind) =>
    RECORDED_LISTS.map((list) => ({
      kind,
      list,
      name: `${kind.kind} ${list.list}`,
      key: `${list.keyPrefix}web`,
    })),
  );

  describe.each(recorded)('with a record, of $name', ({ kind, list, key }) => {
    const asking = { mode, key, list: list.list };
    const known = record({ [key]: `nginx:1 ${A}` });
    const storedWith = (image: string): Json => objectOf(kind, parts(image, known, list));

    it.each([
      ['the default form', `nginx@${A}`],
      ['tag and digest', `nginx:1@${A}`],
    ])('keeps the pin on a re-apply of the tag, in %s', (_, pinned) => {
      const object = objectOf(kind, parts('nginx:1', undefined, list));
      const request = { oldObject: storedWith(pinned), object };
      expect(told(decisionOn(kind, request, asking))).toBe(`reuse ${pinned}`);
    });

    it.each([RESTART, REFRESH])('resolves again for %s where a template rolls', (annotation) => {
      const answer = (image: string): string => {
        const after = { ...known, [annotation]: '2026-01-01T00:00:00Z' };
        const object = objectOf(kind, parts(image, after, list));
        return told(decisionOn(kind, { oldObject: storedWith(`nginx@${A}`), object }, asking));
      };
      const refreshes = ROLLING.includes(kind) && mode !== 'warn';
      const expected = `refresh nginx:1, else nginx@${A}`;
      expect(answer(`nginx@${A}`)).toBe(refreshes ? expected : 'already_pinned');
      expect(answer('nginx:1')).toBe(refreshes ? expected : `reuse nginx@${A}`);
      expect(answer(`nginx@${B}`)).toBe('already_pinned');
      expect(answer('nginx:2')).toBe(isFixed(kind, list) ? 'immutable' : 'resolve nginx:2');
    });
  });
});

/** A stored Deployment with one recorded pin, and what is sent after it. */
function stored(image: string, annotations: Json = {}): Json {
  return objectOf(DEPLOYMENT, {
    spec: specOf({ web: image }),
    annotations: { ...record({ web: `nginx:1 ${A}` }), ...annotations },
  });
}

function sent(image: string, annotations: Json = {}): Json {
  return objectOf(DEPLOYMENT, { spec: specOf({ web: image }), annotations });
}

describe('decide() on a refresh', () => {
  const kept = record({ web: `nginx:1 ${A}` });
  const answered = record({ '@restartedAt': 'monday', web: `nginx:1 ${A}` });
  const refresh = `refresh nginx:1, else nginx@${A}`;

  it.each<[string, Json, Json, string]>([
    ['a first restart', {}, { ...kept, [RESTART]: 'monday' }, refresh],
    ['a later restart', { [RESTART]: 'monday' }, { ...kept, [RESTART]: 'tuesday' }, refresh],
    [
      'a restart that a clock calls earlier',
      { [RESTART]: '9' },
      { ...kept, [RESTART]: '1' },
      refresh,
    ],
    ['the same value', { [RESTART]: 'monday' }, { ...kept, [RESTART]: 'monday' }, 'already_pinned'],
    ['a value that vanishes', { [RESTART]: 'monday' }, kept, 'already_pinned'],
    ['an empty value', {}, { ...kept, [RESTART]: '' }, refresh],
    ['a redo, which brings its record', {}, { ...answered, [RESTART]: 'monday' }, 'already_pinned'],
    [
      'a redo with another label beside it',
      { [RESTART]: 'sunday' },
      { ...answered, [RESTART]: 'monday', color: 'blue' },
      'already_pinned',
    ],
    [
      'both values, one of them new',
      { [RESTART]: 'monday', [REFRESH]: '1' },
      { ...answered, [RESTART]: 'monday', [REFRESH]: '2' },
      refresh,
    ],
    [
      'a restart that was missed, at a later label edit',
      { [RESTART]: 'monday' },
      { ...kept, [RESTART]: 'monday', color: 'blue' },
      'already_pinned',
    ],
    [
      'a re-apply by PUT that drops record and value',
      { [RESTART]: 'monday' },
      {},
      'already_pinned',
    ],
    ['a new value when the PUT drops the record', {}, { [RESTART]: 'tuesday' }, refresh],
    ['a value of another type', {}, { ...kept, [RESTART]: 7 }, 'already_pinned'],
  ])('decides on %s', (...[, before, after, expected]) => {
    const request = {
      oldObject: stored(`nginx@${A}`, before),
      object: sent(`nginx@${A}`, after),
    };
    expect(told(decisionOn(DEPLOYMENT, request))).toBe(expected);
  });

  it('asks for nothing that the old record has answered already', () => {
    const request = {
      oldObject: stored(`nginx@${A}`, { ...answered, [RESTART]: 'tuesday' }),
      object: sent('nginx:1', { [RESTART]: 'monday' }),
    };
    expect(told(decisionOn(DEPLOYMENT, request))).toBe(`reuse nginx@${A}`);
  });

  it('never happens in a new object', () => {
    const object = sent(`nginx@${A}`, { ...kept, [RESTART]: 'monday' });
    expect(told(decisionOn(DEPLOYMENT, { object }))).toBe('already_pinned');
  });

  it.each([
    ['its tag', `nginx:1@${A}`, 'nginx:1', `refresh nginx:1, else nginx:1@${A}`],
    [
      'its tag, spelled in full',
      `nginx:1@${A}`,
      'docker.io/nginx:1',
      `refresh docker.io/nginx:1, else nginx:1@${A}`,
    ],
    [
      'latest, which nobody wrote',
      `nginx:latest@${A}`,
      'nginx',
      `refresh nginx, else nginx:latest@${A}`,
    ],
    ['itself', `nginx:1@${A}`, `nginx:1@${A}`, 'already_pinned'],
    ['another tag', `nginx:1@${A}`, 'nginx:2', 'resolve nginx:2'],
    ['another repository', `nginx:1@${A}`, 'httpd:1', 'resolve httpd:1'],
    ['a tag behind a bare digest', `nginx@${A}`, 'nginx:1', 'resolve nginx:1'],
  ])("of another tool's pin needs the tag: %s", (...[, before, after, expected]) => {
    const request = { oldObject: sent(before), object: sent(after, { [RESTART]: 'monday' }) };
    expect(told(decisionOn(DEPLOYMENT, request))).toBe(expected);
  });

  it('takes a recorded tag in another spelling for the same one', () => {
    const request = {
      oldObject: stored(`nginx:1@${A}`),
      object: sent('docker.io/library/nginx:1', { ...kept, [RESTART]: 'monday' }),
    };
    expect(told(decisionOn(DEPLOYMENT, request))).toBe(
      `refresh docker.io/library/nginx:1, else nginx:1@${A}`,
    );
  });

  it('makes no look-up for what the operator skips: the pin stays', () => {
    const oldObject = stored(`nginx@${A}`);
    const asking = { skip: ['docker.io/library/nginx'] };
    const pinned = { oldObject, object: sent(`nginx@${A}`, { ...kept, [RESTART]: 'monday' }) };
    expect(told(decisionOn(DEPLOYMENT, pinned, asking))).toBe('already_pinned');
    const tagged = { oldObject, object: sent('nginx:1', { ...kept, [RESTART]: 'monday' }) };
    expect(told(decisionOn(DEPLOYMENT, tagged, asking))).toBe(`reuse nginx@${A}`);
  });

  it('takes along a container that is added or renamed with the same tag', () => {
    const request = {
      oldObject: stored(`nginx@${A}`),
      object: objectOf(DEPLOYMENT, {
        spec: specOf({ web: 'nginx:1', renamed: 'nginx:1' }),
        annotations: { [RESTART]: 'monday' },
      }),
    };
    expect(told(decisionOn(DEPLOYMENT, request))).toBe(refresh);
    expect(told(decisionOn(DEPLOYMENT, request, { key: 'renamed' }))).toBe(refresh);
  });

  it.each([
    ['another image, pinned', `httpd@${B}`],
    ['another image', 'httpd:1'],
    ['its tag, not pinned', 'nginx:1'],
  ])('takes along a container with the same tag that had %s', (_, image) => {
    const request = {
      oldObject: objectOf(DEPLOYMENT, {
        spec: specOf({ web: `nginx@${A}`, side: image }),
        annotations: record({ web: `nginx:1 ${A}`, side: `httpd:1 ${B}` }),
      }),
      object: objectOf(DEPLOYMENT, {
        spec: specOf({ web: 'nginx:1', side: 'nginx:1' }),
        annotations: { [RESTART]: 'monday' },
      }),
    };
    expect(told(decisionOn(DEPLOYMENT, request))).toBe(refresh);
    expect(told(decisionOn(DEPLOYMENT, request, { key: 'side' }))).toBe(refresh);
  });
});

describe('decide() on a record', () => {
  it.each([
    ['another digest', { web: `nginx:1 ${B}` }],
    ['another repository', { web: `httpd:1 ${A}` }],
    ['another registry', { web: `ghcr.io/library/nginx:1 ${A}` }],
    ['another container', { db: `nginx:1 ${A}` }],
    ['no digest', { web: 'nginx:1' }],
    ['a short digest', { web: `nginx:1 ${A.slice(0, -1)}` }],
    ['a reference that cannot be read', { web: `Nginx:1 ${A}` }],
  ])('finds no pin where it names %s', (_, entries) => {
    const oldObject = objectOf(DEPLOYMENT, {
      spec: specOf({ web: `nginx@${A}` }),
      annotations: record(entries),
    });
    expect(told(decisionOn(DEPLOYMENT, { oldObject, object: sent('nginx:1') }))).toBe(
      'resolve nginx:1',
    );
  });

  it('does not believe an original that carries a digest itself', () => {
    const forged = record({ web: `nginx@${B} ${A}` });
    const request = {
      oldObject: objectOf(DEPLOYMENT, {
        spec: specOf({ web: `nginx@${A}` }),
        annotations: forged,
      }),
      object: sent(`nginx@${A}`, { ...forged, [RESTART]: 'monday' }),
    };
    expect(told(decisionOn(DEPLOYMENT, request))).toBe('already_pinned');
  });

  it('does not believe the record in the request', () => {
    const request = {
      oldObject: sent(`nginx@${A}`),
      object: sent('nginx:1', record({ web: `nginx:1 ${A}` })),
    };
    expect(told(decisionOn(DEPLOYMENT, request))).toBe('resolve nginx:1');
  });

  const two = objectOf(DEPLOYMENT, {
    spec: specOf({ web: `nginx@${A}`, side: `nginx@${B}` }),
    annotations: record({ web: `nginx:1 ${A}`, side: `nginx:1 ${B}` }),
  });

  it.each([
    ['web', A],
    ['side', B],
    ['added', A],
  ])("gives %s its own pin, and an added container a sibling's", (key, expected) => {
    const containers = specOf({ added: 'nginx:1', side: 'nginx:1', web: 'nginx:1' });
    const object = objectOf(DEPLOYMENT, { spec: containers });
    const decision = decisionOn(DEPLOYMENT, { oldObject: two, object }, { key });
    expect(told(decision)).toBe(`reuse nginx@${expected}`);
  });

  it('finds a container that moved to another list', () => {
    const object = objectOf(DEPLOYMENT, { spec: specOf({ web: 'nginx:1' }, INIT_CONTAINERS) });
    const request = { oldObject: stored(`nginx@${A}`), object };
    expect(told(decisionOn(DEPLOYMENT, request))).toBe(`reuse nginx@${A}`);
  });

  it("gives a debug container the digest of the Pod's own", () => {
    const web = specOf({ web: `nginx@${A}` });
    const annotations = record({ web: `nginx:1 ${A}` });
    const request = {
      oldObject: objectOf(POD, { spec: web, annotations }),
      object: objectOf(POD, {
        spec: { ...web, ...specOf({ debug: 'nginx:1' }, EPHEMERAL) },
        annotations,
      }),
    };
    expect(told(decisionOn(POD, request, { key: 'debug' }))).toBe(`reuse nginx@${A}`);
  });
});

function spec(image: string, more?: Json): Json {
  return { containers: [CONTAINERS.item('web', image, more)] };
}

describe('decide() in the order of its rows', () => {
  const never = { imagePullPolicy: 'Never' };
  const changed = { [RESTART]: 'monday' };
  const all = { 'tagpin.dev/skip': 'true' };
  const known = record({ web: `nginx:1 ${A}` });

  it.each<[string, Kind, ObjectParts, ObjectParts, string]>([
    [
      'no image before the annotation',
      DEPLOYMENT,
      { spec: spec('nginx:1') },
      { spec: spec('auto'), annotations: all },
      'not_an_image',
    ],
    [
      'the annotation before imagePullPolicy',
      DEPLOYMENT,
      { spec: spec('nginx:1') },
      { spec: spec('nginx:2', never), annotations: all },
      'skipped annotation',
    ],
    [
      'the annotation before a name that cannot be read',
      DEPLOYMENT,
      { spec: spec('nginx:1') },
      { spec: spec('Nginx'), annotations: all },
      'skipped annotation',
    ],
    [
      'the annotation before a refresh',
      DEPLOYMENT,
      { spec: spec(`nginx@${A}`), annotations: known },
      { spec: spec(`nginx@${A}`), annotations: { ...known, ...all, ...changed } },
      'skipped annotation',
    ],
    [
      'imagePullPolicy before a refresh',
      DEPLOYMENT,
      { spec: spec(`nginx@${A}`), annotations: known },
      { spec: spec('nginx:1', never), annotations: { ...known, ...changed } },
      'never_pulled',
    ],
    [
      'the digest before what did not change',
      DEPLOYMENT,
      { spec: spec(`nginx@${A}`) },
      { spec: spec(`nginx@${A}`) },
      'already_pinned',
    ],
    [
      'what did not change before the skip list',
      POD,
      { spec: spec('kind.local/app:1') },
      { spec: spec('kind.local/app:1'), annotations: { color: 'blue' } },
      'unchanged',
    ],
    [
      'the old pin before the skip list',
      DEPLOYMENT,
      { spec: spec(`kind.local/app@${A}`), annotations: record({ web: `kind.local/app:1 ${A}` }) },
      { spec: spec('kind.local/app:1') },
      `reuse kind.local/app@${A}`,
    ],
    [
      'the old pin before immutability',
      JOB,
      { spec: spec(`nginx@${A}`), annotations: known },
      { spec: spec('nginx:1') },
      `reuse nginx@${A}`,
    ],
    [
      'immutability before the skip list',
      JOB,
      { spec: spec('nginx:1') },
      { spec: spec('kind.local/app:1') },
      'immutable',
    ],
    [
      'the skip list before a look-up',
      DEPLOYMENT,
      { spec: spec('nginx:1') },
      { spec: spec('kind.local/app:1') },
      'skipped skip_list',
    ],
  ])('puts %s', (...[, kind, before, after, expected]) => {
    const request = { oldObject: objectOf(kind, before), object: objectOf(kind, after) };
    expect(told(decisionOn(kind, request, { skip: ['kind.local/*'] }))).toBe(expected);
  });

  it.each(WORKLOADS)('compares templates of $kind, not what stands around them', (kind) => {
    const before = { spec: spec('nginx:1') };
    const oldObject = { ...objectOf(kind, before), status: { replicas: 1 } };
    const object = { ...objectOf(kind, before), status: { replicas: 3 }, data: 'other' };
    expect(told(decisionOn(kind, { oldObject, object }))).toBe('unchanged');
  });
});
