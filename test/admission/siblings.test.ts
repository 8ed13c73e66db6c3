import { describe, expect, it } from '@jest/globals';

import { MODES } from '../../src/admission/policy.ts';
import type {
  PinsByOriginal,
  ResolvedImage,
  Revision,
  SiblingPins,
} from '../../src/admission/ports.ts';
import { PinError } from '../../src/errors.ts';
import { Admission, type AdmissionOptions, digest, record } from '../support/admission.ts';
import { annotationsOf, imagesOf, type Json, objectOf, POD, specOf } from '../support/review.ts';

const A = digest('a');
const B = digest('b');
const NGINX = 'docker.io/library/nginx:1';
const HTTPD = 'docker.io/library/httpd:2';

/** A sibling port that has one answer, and remembers what it was asked. */
class Siblings implements SiblingPins {
  readonly asked: Revision[] = [];
  readonly told: [Revision, PinsByOriginal][] = [];
  answer: PinsByOriginal | undefined | Promise<PinsByOriginal | undefined>;
  /** What others of the same revision got meanwhile. */
  meanwhile: ReadonlyMap<string, string> = new Map();

  constructor(answer?: Siblings['answer']) {
    this.answer = answer;
  }

  readonly of = (revision: Revision): Siblings['answer'] => {
    this.asked.push(revision);
    return this.answer;
  };

  readonly agree = (revision: Revision, found: PinsByOriginal): PinsByOriginal => {
    this.told.push([revision, found]);
    return new Map([...found, ...this.meanwhile]);
  };
}

interface PodParts {
  readonly by?: string;
  readonly uid?: unknown;
  readonly labels?: Json;
  readonly images?: Json;
  readonly annotations?: Json;
}

function pod({ by = 'apps/v1 ReplicaSet', uid = 'u-1', ...parts }: PodParts = {}): Json {
  const { labels = { 'pod-template-hash': '5d9c' }, images = { web: 'nginx:1' } } = parts;
  const [apiVersion, kind] = by.split(' ');
  const ownerReferences = [
    { apiVersion: 'v1', kind: 'ConfigMap', name: 'other', uid: 'u-0' },
    { apiVersion, kind, name: 'web-5d9c', uid, controller: true },
  ];
  const { annotations = {} } = parts;
  return objectOf(POD, {
    metadata: { labels, ownerReferences },
    annotations,
    spec: specOf(images),
  });
}

function admissionWith(siblings: Siblings, options: AdmissionOptions = {}): Admission {
  return new Admission({ [NGINX]: A, [HTTPD]: A }, { ...options, parts: { siblings } });
}

describe('a new Pod whose siblings are known', () => {
  const known = new Map([['nginx:1', B]]);

  it.each(['pin', 'enforce'] as const)('gets their digest in mode %s, from no registry', (mode) => {
    const admission = admissionWith(new Siblings(known), { mode });
    const answer = admission.review(POD, { object: pod() });
    expect(imagesOf(POD, answer.object)).toEqual({ web: `nginx@${B}` });
    expect(annotationsOf(POD, answer.object)).toEqual(record({ web: `nginx:1 ${B}` }));
    expect(answer.outcomes).toEqual({ web: 'sibling' });
    expect(admission.asked).toEqual([]);
  });

  it('gets it in the form of the operator', () => {
    const admission = admissionWith(new Siblings(known), { referenceForm: 'tag-and-digest' });
    const { object } = admission.review(POD, { object: pod() });
    expect(imagesOf(POD, object)).toEqual({ web: `nginx:1@${B}` });
  });

  it('has looked up what no sibling has', () => {
    const siblings = new Siblings(known);
    const admission = admissionWith(siblings);
    const images = { web: 'nginx:1', sidecar: 'httpd:2' };
    const answer = admission.review(POD, { object: pod({ images }) });
    expect(answer.outcomes).toEqual({ web: 'sibling', sidecar: 'pinned' });
    expect(siblings.told.map(([, found]) => [...found])).toEqual([[['httpd:2', A]]]);
  });

  it('gets it as well where the siblings have to be asked for', async () => {
    const admission = admissionWith(new Siblings(Promise.resolve(known)));
    const answer = await admission.reviewLater(POD, { object: pod() });
    expect(answer.outcomes).toEqual({ web: 'sibling' });
  });

  it('gets it where nothing may be looked up', () => {
    const admission = admissionWith(new Siblings(known), { mayLookUp: false });
    expect(admission.review(POD, { object: pod() }).outcomes).toEqual({ web: 'sibling' });
  });

  it('is not given one for an image that needs none', () => {
    const siblings = new Siblings(known);
    const images = { web: `nginx@${A}`, odd: 'auto' };
    admissionWith(siblings).review(POD, { object: pod({ images }) });
    expect(siblings.asked).toEqual([]);
  });
});

describe('a new Pod whose siblings are not known', () => {
  it('tells what it gets, so that the next one has it', () => {
    const siblings = new Siblings();
    const answer = admissionWith(siblings).review(POD, { object: pod() });
    expect(answer.outcomes).toEqual({ web: 'pinned' });
    const revision = { namespace: 'shop', ownerUid: 'u-1', selector: 'pod-template-hash=5d9c' };
    expect(siblings.asked).toEqual([revision]);
    expect(siblings.told.map(([whose, found]) => [whose, [...found]])).toEqual([
      [revision, [['nginx:1', A]]],
    ]);
  });

  it('gets what another one got that was looked up at the same time', () => {
    const siblings = new Siblings();
    siblings.meanwhile = new Map([['nginx:1', B]]);
    const answer = admissionWith(siblings).review(POD, { object: pod() });
    expect(imagesOf(POD, answer.object)).toEqual({ web: `nginx@${B}` });
    expect(annotationsOf(POD, answer.object)).toEqual(record({ web: `nginx:1 ${B}` }));
    expect(answer.outcomes).toEqual({ web: 'sibling' });
  });

  it('tells nothing of a dry run, nor of what could not be resolved', () => {
    const siblings = new Siblings();
    const dryRun = { object: pod(), more: { dryRun: true } };
    expect(admissionWith(siblings).review(POD, dryRun).outcomes).toEqual({ web: 'pinned' });
    const failing = new Admission(
      { [NGINX]: new PinError('unavailable', 'no') },
      { parts: { siblings } },
    );
    expect(failing.review(POD, { object: pod() }).outcomes).toEqual({ web: 'failed' });
    expect(siblings.told).toEqual([]);
    expect(siblings.asked).toHaveLength(2);
  });
});

describe('revisionOf()', () => {
  function selectorOf(parts: PodParts): unknown {
    const siblings = new Siblings();
    admissionWith(siblings).review(POD, { object: pod(parts) });
    return siblings.asked.map(({ selector }) => selector);
  }
  const hash = { 'controller-revision-hash': 'web-1' };

  it.each<[string, PodParts, unknown]>([
    ['a ReplicaSet of a Deployment', {}, ['pod-template-hash=5d9c']],
    [
      'a StatefulSet',
      { by: 'apps/v1 StatefulSet', labels: hash },
      ['controller-revision-hash=web-1'],
    ],
    ['a DaemonSet', { by: 'apps/v1 DaemonSet', labels: hash }, ['controller-revision-hash=web-1']],
    [
      'a ReplicaSet of a Rollout',
      { labels: { 'rollouts-pod-template-hash': 'abc' } },
      ['rollouts-pod-template-hash=abc'],
    ],
    [
      'a Job',
      { by: 'batch/v1 Job', labels: { 'batch.kubernetes.io/controller-uid': 'u-1' } },
      ['batch.kubernetes.io/controller-uid=u-1'],
    ],
    [
      'a Job of before',
      { by: 'batch/v1 Job', labels: { 'controller-uid': 'u-1' } },
      ['controller-uid=u-1'],
    ],
    ['a Job with a selector of its own', { by: 'batch/v1 Job', labels: {} }, [undefined]],
    [
      'an operator that labels its Pods so',
      { by: 'a.b/v1 Db', labels: hash },
      ['controller-revision-hash=web-1'],
    ],
    ['an operator that does not', { by: 'a.b/v1 Db', labels: { app: 'db' } }, []],
    ['a ReplicaSet by itself, whose template may change', { labels: { app: 'web' } }, []],
    ['a label that is none', { labels: { 'pod-template-hash': 'a,b!=c' } }, []],
    ['a label that is too long', { labels: { 'pod-template-hash': 'a'.repeat(64) } }, []],
    ['an empty label', { labels: { 'pod-template-hash': '' } }, []],
    ['no uid', { uid: null }, []],
    ['a uid that is none', { uid: 'u 1' }, []],
    ['a uid of another type', { uid: 7 }, []],
  ])('knows the siblings of %s', (_, parts, expected) => {
    expect(selectorOf(parts)).toEqual(expected);
  });

  it('knows none of a Pod that nobody owns, of an update, or in mode warn', () => {
    const siblings = new Siblings(new Map([['nginx:1', B]]));
    const admission = admissionWith(siblings);
    const bare = objectOf(POD, {
      metadata: { labels: { 'pod-template-hash': 'x' } },
      spec: specOf({ web: 'nginx:1' }),
    });
    admission.review(POD, { object: bare });
    const other = pod({ images: { web: 'httpd:2' } });
    admission.review(POD, { object: pod(), oldObject: other });
    admissionWith(siblings, { mode: 'warn' }).review(POD, { object: pod() });
    expect(siblings.asked).toEqual([]);
  });

  it.each(MODES)('asks nobody where siblings are off, in mode %s', (mode) => {
    const admission = new Admission({ [NGINX]: A }, { mode });
    expect(admission.review(POD, { object: pod() }).report.outcome).not.toBe('sibling');
    expect(admission.asked).toHaveLength(1);
  });
});

function movedToA(): ResolvedImage {
  return { digest: A, host: 'registry.example.com', stale: false, ageMs: 3000 };
}

describe('a new Pod whose siblings hold a tag that has moved', () => {
  it('tells the controller so', () => {
    const siblings = new Siblings(new Map([['nginx:1', B]]));
    const admission = new Admission({}, { parts: { siblings, peek: movedToA } });
    expect(admission.review(POD, { object: pod() }).response.warnings).toEqual([
      'container "web" keeps its pin, though "nginx:1" named another digest 3 s ago: "kubectl rollout restart" takes it',
    ]);
  });
});
