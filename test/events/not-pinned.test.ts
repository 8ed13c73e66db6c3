import { beforeEach, describe, expect, it } from '@jest/globals';

import type { Mode } from '../../src/admission/policy.ts';
import type { AdmissionReport, ImageReport } from '../../src/admission/report.ts';
import { PinError } from '../../src/errors.ts';
import { createNotPinnedEvents, type NotPinnedEvent } from '../../src/events/not-pinned.ts';
import { createRecordedLog } from '../support/recorded-log.ts';
import { type Json, objectOf, POD, reviewOf, specOf } from '../support/review.ts';
import { until } from '../support/until.ts';

const WINDOW_MS = 10 * 60_000;
const OWNER = {
  apiVersion: 'apps/v1',
  kind: 'ReplicaSet',
  name: 'web-5d',
  uid: 'uid-of-web-5d',
  controller: true,
};

let nowMs: number;
let written: NotPinnedEvent[];
let results: string[];
let write: (event: NotPinnedEvent) => Promise<void>;
let lines: readonly string[];
let tell: (report: AdmissionReport) => void;

beforeEach(() => {
  nowMs = 1000;
  written = [];
  results = [];
  write = async (event) => void written.push(event);
  const recorded = createRecordedLog();
  ({ lines } = recorded);
  tell = createNotPinnedEvents({
    write: (event) => write(event),
    observe: (result) => void results.push(result),
    log: recorded.log,
    now: () => nowMs,
  });
});

function failed(change: Partial<ImageReport> = {}): ImageReport {
  return {
    container: 'web',
    outcome: 'failed',
    reason: 'rate_limited',
    registry: 'registry.example.com',
    original: 'registry.example.com/a/b:1',
    digest: undefined,
    stale: false,
    ms: 1,
    phases: undefined,
    ...change,
  };
}

/** A Pod of the controller, under a name. */
function of(name: string): Told {
  return { metadata: { name, ownerReferences: [OWNER] }, more: { name } };
}

async function accept(): Promise<void> {}

interface Told {
  readonly images?: readonly ImageReport[];
  readonly mode?: Mode;
  readonly outcome?: AdmissionReport['outcome'];
  readonly metadata?: Json;
  readonly more?: Json;
}

function report(told: Told = {}): AdmissionReport {
  const { images = [failed()], mode = 'pin', outcome = 'failed', more = {} } = told;
  const pod = objectOf(POD, { spec: specOf({ web: 'nginx:1' }) });
  const object = { ...pod, metadata: told.metadata ?? { name: 'web-1' } };
  const review = reviewOf(POD, { object, more: { namespace: 'team', name: 'web-1', ...more } });
  return { mode, kind: 'Pod', review, outcome, images, ms: 2 };
}

describe('createNotPinnedEvents()', () => {
  it('tells of a Pod that keeps a tag: which container, which registry, and why', () => {
    tell(report({ images: [failed(), failed({ container: 'ok', outcome: 'pinned' })] }));
    expect(written).toEqual([
      {
        namespace: 'team',
        regarding: { kind: 'Pod', name: 'web-1', uid: undefined },
        message: 'Pod "web-1" was admitted with tags: web (registry.example.com) [rate_limited]',
      },
    ]);
  });

  it('tells of what was refused', () => {
    tell(report({ mode: 'enforce', outcome: 'denied' }));
    expect(written[0]?.message).toContain('was refused');
  });

  it('tells of images that were given back to their controller', () => {
    const images = [failed({ outcome: 'contended', reason: '', registry: undefined })];
    tell(report({ images, outcome: 'contended' }));
    expect(written[0]?.message).toBe('Pod "web-1" was admitted with tags: web [contended]');
  });

  it.each<[string, Json, NotPinnedEvent['regarding']]>([
    [
      'the controller of a Pod',
      { generateName: 'web-', ownerReferences: [OWNER] },
      { kind: 'ReplicaSet', name: 'web-5d', uid: 'uid-of-web-5d' },
    ],
    [
      'an object that is there',
      { name: 'web-1', uid: 'u' },
      { kind: 'Pod', name: 'web-1', uid: 'u' },
    ],
    [
      'the namespace, for a Pod of nobody without a name',
      { generateName: 'web-' },
      { kind: 'Namespace', name: 'team', uid: undefined },
    ],
  ])('is about %s', (_what, metadata, regarding) => {
    tell(report({ metadata }));
    expect(written.map((event) => event.regarding)).toEqual([regarding]);
  });

  it.each<[string, Told]>([
    ['a dry run', { more: { dryRun: true } }],
    ['a namespace of mode "warn"', { mode: 'warn' }],
    ['a refresh that failed: the pin stays', { outcome: 'refresh_failed' }],
    ['a name that no object can have', { metadata: { name: 'x'.repeat(254) } }],
    [
      'an owner that cannot be',
      { metadata: { ownerReferences: [{ ...OWNER, uid: 'x'.repeat(254) }] } },
    ],
    ['what is pinned', { outcome: 'pinned', images: [failed({ outcome: 'pinned' })] }],
  ])('tells nothing of %s', (_what, told) => {
    tell(report(told));
    expect([written, results]).toEqual([[], []]);
  });

  it('tells once in ten minutes of an object and a reason, whatever the Pod is called', () => {
    tell(report(of('web-1')));
    tell(report(of('web-2')));
    expect(written).toHaveLength(1);
    tell(report({ ...of('web-3'), images: [failed({ reason: 'not_found' })] }));
    expect(written).toHaveLength(2);
    nowMs += WINDOW_MS + 1;
    tell(report(of('web-4')));
    expect(written).toHaveLength(3);
    expect(results.filter((result) => result === 'dropped')).toHaveLength(1);
  });

  it('writes twenty in ten minutes to a namespace, and as many to another', async () => {
    for (let n = 0; n < 30; n += 1) {
      tell(report({ metadata: { name: `web-${n}` } }));
      // oxlint-disable-next-line no-await-in-loop -- each is written before the next
      await until(() => results.length > n);
    }
    expect(written).toHaveLength(20);
    tell(report({ more: { namespace: 'other' } }));
    expect(written).toHaveLength(21);
    nowMs += WINDOW_MS + 1;
    tell(report({ metadata: { name: 'later' } }));
    expect(written).toHaveLength(22);
  });

  it('asks an API server that hangs for eight at most', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    write = (event) => {
      written.push(event);
      return promise;
    };
    for (let n = 0; n < 12; n += 1) tell(report({ metadata: { name: `web-${n}` } }));
    expect(written).toHaveLength(8);
    expect(results).toEqual(['dropped', 'dropped', 'dropped', 'dropped']);
    resolve();
    await until(() => results.length === 12);
  });

  it('tells once that it may not write, and when it may again', async () => {
    const refused = new PinError('cluster_unreadable', 'the API server answered 403');
    const refuse = (): Promise<void> => Promise.reject(refused);
    for (const [n, how] of [refuse, refuse, accept, accept].entries()) {
      write = how;
      tell(report({ metadata: { name: `web-${n}` } }));
      // oxlint-disable-next-line no-await-in-loop -- in their order
      await until(() => results.length > n);
    }
    expect(results).toEqual(['failed', 'failed', 'written', 'written']);
    expect(lines).toEqual([
      expect.stringMatching(/^warn events not written .*answered 403/),
      'info events written again {}',
    ]);
  });

  it('tells at most 1024 characters, and none that moves a cursor', () => {
    const images = Array.from({ length: 100 }, (_none, n) => failed({ container: `c\u{1b}${n}` }));
    tell(report({ images }));
    expect(written[0]?.message).toHaveLength(1024);
    expect(written[0]?.message).not.toContain('\u{1b}');
  });
});
