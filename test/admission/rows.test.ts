import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from '@jest/globals';

import { IMAGE_OUTCOMES, MODES, type Mode } from '../../src/admission/policy.ts';
import type { SiblingPins } from '../../src/admission/ports.ts';
import { Admission, type AdmissionOptions, digest, record } from '../support/admission.ts';
import {
  imagesOf,
  JOB,
  type Json,
  KINDS,
  type Kind,
  objectOf,
  POD,
  type RequestParts,
  specOf,
} from '../support/review.ts';

const A = digest('a');
const B = digest('b');
const NGINX = 'docker.io/library/nginx:1';
const RESTART = 'kubectl.kubernetes.io/restartedAt';

const ROLLOUT: Kind = { kind: 'Rollout', group: 'argoproj.io', template: ['spec', 'template'] };
const ALL_KINDS = [...KINDS, ROLLOUT];

function owned(by: string, uid = 'u'): Json {
  const [apiVersion, kind] = by.split(' ');
  return { ownerReferences: [{ apiVersion, kind, name: 'owner', uid, controller: true }] };
}

const SIBLINGS: SiblingPins = {
  of: () => new Map([['nginx:1', B]]),
  agree: (_revision, found) => found,
};

/** What a row of the table is shown with, for one kind; undefined where it cannot hold for it. */
interface Row {
  readonly row: string;
  readonly request: (kind: Kind) => RequestParts;
  /** Outcome of the image or of the whole object, and the image that is stored. */
  readonly becomes: (kind: Kind, mode: Mode) => readonly [outcome: string, image: unknown];
  readonly options?: AdmissionOptions;
  readonly only?: (kind: Kind) => boolean;
}

const isPod = (kind: Kind): boolean => kind === POD;
const isInPlace = (kind: Kind): boolean => kind === POD || kind === JOB;
const isNoPod = (kind: Kind): boolean => kind !== POD;
const web = (image: unknown): Json => specOf({ web: image });
const known = record({ web: `nginx:1 ${A}` });

/** A Pod's metadata is its template's, too. */
function withMetadata(kind: Kind, metadata: Json, image: string): Json {
  const object = objectOf(kind, { spec: web(image) });
  return { ...object, metadata: { ...(object['metadata'] as Json), ...metadata } };
}

const pinnedOrTold = (mode: Mode): readonly [string, string] =>
  mode === 'warn' ? ['would_pin', 'nginx:1'] : ['pinned', `nginx@${A}`];

const ROWS: readonly Row[] = [
  {
    row: '1',
    request: (kind) => ({ object: withMetadata(kind, owned('apps/v1 Deployment'), 'nginx:1') }),
    becomes: () => ['owned', 'nginx:1'],
    only: isNoPod,
  },
  {
    row: '1',
    request: (kind) => ({
      object: withMetadata(kind, { deletionTimestamp: '2026-01-01T00:00:00Z' }, 'nginx:1'),
    }),
    becomes: () => ['deleting', 'nginx:1'],
  },
  {
    row: '1',
    request: (kind) => ({
      object: objectOf(kind, {
        spec: web('nginx:1'),
        annotations: { 'kubernetes.io/config.mirror': 'x' },
      }),
    }),
    becomes: () => ['mirror', 'nginx:1'],
    only: isPod,
  },
  {
    row: '1b',
    request: (kind) => ({
      object: withMetadata(kind, owned('postgresql.cnpg.io/v1 Cluster'), 'nginx:1'),
    }),
    becomes: () => ['foreign_owner', 'nginx:1'],
    options: { skipOwner: ['postgresql.cnpg.io/Cluster'] },
    only: isPod,
  },
  {
    row: '2',
    request: (kind) => ({ object: objectOf(kind, { spec: web('auto') }) }),
    becomes: () => ['not_an_image', 'auto'],
  },
  {
    row: '3',
    request: (kind) => ({
      object: objectOf(kind, { spec: web('nginx:1'), annotations: { 'tagpin.dev/skip': 'web' } }),
    }),
    becomes: (_kind, mode) =>
      mode === 'enforce' ? ['pinned', `nginx@${A}`] : ['skipped', 'nginx:1'],
  },
  {
    row: '3',
    request: (kind) => ({
      object: objectOf(kind, {
        spec: { containers: [{ name: 'web', image: 'nginx:1', imagePullPolicy: 'Never' }] },
      }),
    }),
    becomes: () => ['never_pulled', 'nginx:1'],
  },
  {
    row: '4',
    request: (kind) => ({
      oldObject: objectOf(kind, {
        spec: web(`nginx@${B}`),
        annotations: record({ web: `nginx:1 ${B}` }),
      }),
      object: objectOf(kind, {
        spec: web(`nginx@${B}`),
        annotations: { ...record({ web: `nginx:1 ${B}` }), [RESTART]: 'now' },
      }),
    }),
    becomes: (kind, mode) =>
      isInPlace(kind) || mode === 'warn'
        ? ['already_pinned', `nginx@${B}`]
        : ['refreshed', `nginx@${A}`],
  },
  {
    row: '4',
    request: (kind) => ({
      oldObject: objectOf(kind, { spec: web(`nginx:1@${B}`) }),
      object: objectOf(kind, { spec: web('nginx:1'), annotations: { [RESTART]: 'now' } }),
    }),
    becomes: (kind, mode) =>
      isInPlace(kind) || mode === 'warn' ? ['reused', `nginx:1@${B}`] : ['refreshed', `nginx@${A}`],
  },
  {
    row: '5',
    request: (kind) => ({ object: objectOf(kind, { spec: web(`nginx:1@${B}`) }) }),
    becomes: () => ['already_pinned', `nginx:1@${B}`],
  },
  {
    row: '6',
    request: (kind) => {
      const object = objectOf(kind, { spec: web('nginx:1') });
      return { oldObject: object, object: { ...object, status: { replicas: 2 } } };
    },
    becomes: () => ['unchanged', 'nginx:1'],
  },
  {
    row: '6',
    request: (kind) => ({
      oldObject: objectOf(kind, { spec: web('nginx:1') }),
      object: objectOf(kind, { spec: web('nginx:1'), annotations: { color: 'blue' } }),
    }),
    becomes: (kind, mode) => (isInPlace(kind) ? ['unchanged', 'nginx:1'] : pinnedOrTold(mode)),
  },
  {
    row: '7',
    request: (kind) => ({
      oldObject: objectOf(kind, {
        spec: web(`nginx@${B}`),
        annotations: record({ web: `nginx:1 ${B}` }),
      }),
      object: objectOf(kind, { spec: web('nginx:1') }),
    }),
    becomes: () => ['reused', `nginx@${B}`],
  },
  {
    row: '8',
    request: (kind) => ({
      oldObject: objectOf(kind, { spec: web(`nginx@${A}`), annotations: known }),
      object: objectOf(kind, { spec: web('nginx:2') }),
    }),
    becomes: () => ['immutable', 'nginx:2'],
    only: (kind) => kind === JOB,
  },
  {
    row: '9',
    request: (kind) => ({ object: objectOf(kind, { spec: web('nginx:1') }) }),
    becomes: () => ['skipped', 'nginx:1'],
    options: { skip: ['docker.io/library/*'] },
  },
  {
    row: '10',
    request: (kind) => {
      const labels = { 'pod-template-hash': '5d9c7b8f6d' };
      const metadata = { ...owned('apps/v1 ReplicaSet'), labels };
      return { object: withMetadata(kind, metadata, 'nginx:1') };
    },
    becomes: (_kind, mode) =>
      mode === 'warn' ? ['would_pin', 'nginx:1'] : ['sibling', `nginx@${B}`],
    options: { parts: { siblings: SIBLINGS } },
    only: isPod,
  },
  {
    row: '11',
    request: (kind) => ({ object: objectOf(kind, { spec: web('nginx:1') }) }),
    becomes: (_kind, mode) => pinnedOrTold(mode),
  },
];

const CASES = MODES.flatMap((mode) =>
  ALL_KINDS.flatMap((kind) =>
    ROWS.filter(({ only }) => only?.(kind) ?? true).map((row) => {
      const [outcome] = row.becomes(kind, mode);
      return { ...row, kind, mode, name: `${row.row} (${outcome}) of a ${kind.kind} in ${mode}` };
    }),
  ),
);

describe('the decision table, row by row for every kind', () => {
  it.each(CASES)('$name', ({ kind, mode, request, becomes, options }) => {
    const extraKind = ['argoproj.io/Rollout=spec.template'];
    const admission = new Admission({ [NGINX]: A }, { mode, extraKind, ...options });
    const answer = admission.review(kind, request(kind));
    const [outcome, image] = becomes(kind, mode);
    expect(answer.report.outcome).toBe(outcome);
    expect(answer.report.kind).toBe(kind.kind);
    expect(imagesOf(kind, answer.object)).toEqual({ web: image });
    const asksNobody = !['pinned', 'refreshed', 'would_pin'].includes(outcome);
    expect(admission.asked).toHaveLength(asksNobody ? 0 : 1);
  });

  it('is the table of the documentation, with every outcome that there is', () => {
    const page = join(import.meta.dirname, '..', '..', 'docs', 'how-a-pin-is-decided.md');
    const rows = readFileSync(page, 'utf8')
      .split('\n')
      .filter((line) => /^\| \d+b? \|/.test(line))
      .map((line) => line.split('|').map((cell) => cell.trim()));
    expect(rows.map(([, number]) => number)).toEqual([...new Set(ROWS.map(({ row }) => row))]);
    const told = rows.flatMap(([, , , outcome = '']) =>
      [...outcome.matchAll(/`([a-z_]+)`/g)].map(([, name]) => name),
    );
    const whole = ['owned', 'mirror', 'deleting', 'foreign_owner'];
    expect(new Set(told)).toEqual(new Set([...whole, ...IMAGE_OUTCOMES]));
  });
});

describe('the kind of a custom resource', () => {
  const object = objectOf(ROLLOUT, { spec: web('nginx:1') });

  it('is not looked at unless the operator names it', () => {
    const answer = new Admission({ [NGINX]: A }).review(ROLLOUT, { object });
    expect(answer.report).toMatchObject({ outcome: 'no_images', kind: 'other' });
    expect(answer.patch).toEqual([]);
  });

  it('keeps the pin of a container that had no name, once another webhook has named it', () => {
    const extraKind = ['serving.knative.dev/Service=spec.template'];
    const service: Kind = {
      kind: 'Service',
      group: 'serving.knative.dev',
      template: ['spec', 'template'],
    };
    const unnamed = objectOf(service, { spec: { containers: [{ image: 'nginx:1' }] } });
    const admission = new Admission({ [NGINX]: A }, { extraKind });
    const pinned = admission.review(service, { object: unnamed }).object;
    const named = JSON.parse(
      JSON.stringify(pinned).replace('{"image":', '{"name":"user-container","image":'),
    ) as Json;
    // The API server calls again, since somebody has changed the object after us.
    const again = admission.review(service, { object: named }).object;
    expect(again).toEqual(
      objectOf(service, {
        spec: { containers: [{ name: 'user-container', image: `nginx@${A}` }] },
        annotations: record({ 'user-container': `nginx:1 ${A}` }),
      }),
    );
    admission.tags.set(NGINX, B);
    const applied = objectOf(service, { spec: specOf({ 'user-container': 'nginx:1' }) });
    expect(admission.review(service, { oldObject: again, object: applied }).object).toEqual(again);
    // The name is filled in later than the call: what is sent has none still.
    const early = admission.review(service, { oldObject: again, object: unnamed });
    expect(early.outcomes).toEqual({ '': 'reused' });
  });
});
