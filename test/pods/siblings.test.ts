import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';

import { PinError } from '../../src/errors.ts';
import { createSiblings, type Siblings } from '../../src/pods/siblings.ts';
import { digest, record } from '../support/admission.ts';
import { type Json, objectOf, POD, specOf } from '../support/review.ts';

const A = digest('a');
const B = digest('b');
const REVISION = { namespace: 'shop', ownerUid: 'u', selector: 'pod-template-hash=1' };
const MINUTE_MS = 60_000;

function pod(tagDigest: string): Json {
  return objectOf(POD, {
    metadata: { ownerReferences: [{ uid: 'u', controller: true }] },
    annotations: record({ web: `nginx:1 ${tagDigest}` }),
    spec: specOf({ web: `nginx@${tagDigest}` }),
  });
}

/** A namespace's Pods, and a memory of them that is told the time by hand. */
class Stage {
  pods: unknown[] | PinError = [];
  /** What a list waits for. */
  hold: Promise<void> = Promise.resolve();
  nowMs = 1000;
  readonly lists: string[] = [];
  readonly results: string[] = [];
  readonly lines: unknown[] = [];
  readonly siblings: Siblings;

  constructor(hasCluster = true) {
    this.siblings = createSiblings({
      listPods: hasCluster ? (namespace, selector) => this.#list(namespace, selector) : undefined,
      log: {
        info: () => {},
        warn: (fields) => void this.lines.push(fields),
        error: () => {},
      },
      observe: (result) => this.results.push(result),
      now: () => this.nowMs,
    });
  }

  /** What a new Pod would be told; an object for a Map. */
  async ask(revision: Parameters<Siblings['of']>[0] = REVISION): Promise<Json | undefined> {
    const pins = await this.siblings.of(revision, this.nowMs + 8500);
    return pins && Object.fromEntries(pins);
  }

  agree(found: string, original = 'nginx:1'): Json {
    return Object.fromEntries(this.siblings.agree(REVISION, new Map([[original, found]])));
  }

  async #list(namespace: string, selector: string): Promise<readonly unknown[]> {
    this.lists.push(`${namespace} ${selector}`);
    await this.hold;
    if (this.pods instanceof PinError) throw this.pods;
    return this.pods;
  }
}

describe('createSiblings()', () => {
  it('lists the Pods of the revision, and remembers for a minute what they say', async () => {
    const stage = new Stage();
    stage.pods = [pod(A), pod(A), pod(B)];
    expect(await stage.ask()).toEqual({ 'nginx:1': A });
    stage.pods = [pod(B)];
    stage.nowMs += MINUTE_MS - 1;
    expect(stage.siblings.of(REVISION, 0)).not.toBeInstanceOf(Promise);
    expect(await stage.ask()).toEqual({ 'nginx:1': A });
    expect(stage.lists).toEqual(['shop pod-template-hash=1']);
    stage.nowMs += 1;
    expect(await stage.ask()).toEqual({ 'nginx:1': B });
    expect(stage.results).toEqual(['listed', 'memory', 'memory', 'listed']);
  });

  it('remembers no empty answer: the first Pod may be there in a moment', async () => {
    const stage = new Stage();
    expect(await stage.ask()).toBeUndefined();
    stage.pods = [pod(A)];
    expect(await stage.ask()).toEqual({ 'nginx:1': A });
    expect(stage.results).toEqual(['none', 'listed']);
  });

  it('remembers what the first Pod got before that can be listed', async () => {
    const stage = new Stage();
    expect(await stage.ask()).toBeUndefined();
    expect(stage.agree(A)).toEqual({ 'nginx:1': A });
    expect(await stage.ask()).toEqual({ 'nginx:1': A });
    expect(stage.lists).toHaveLength(1);
  });

  it('lets the first decide of those that were looked up at the same time', async () => {
    const stage = new Stage();
    expect(stage.agree(A)).toEqual({ 'nginx:1': A });
    expect(stage.agree(B)).toEqual({ 'nginx:1': A });
    expect(stage.agree(B, 'httpd:2')).toEqual({ 'httpd:2': B });
    expect(await stage.ask()).toEqual({ 'nginx:1': A, 'httpd:2': B });
  });

  it('forgets what it gave when no Pod has it a minute later', async () => {
    const stage = new Stage();
    stage.agree(A);
    stage.nowMs += MINUTE_MS;
    expect(await stage.ask()).toBeUndefined();
    expect(stage.agree(B)).toEqual({ 'nginx:1': B });
  });

  it('goes by the Pods where another replica of tagpin gave them something else', async () => {
    const stage = new Stage();
    stage.agree(A);
    stage.pods = [pod(B), pod(B), pod(A)];
    stage.nowMs += MINUTE_MS;
    expect(await stage.ask()).toEqual({ 'nginx:1': B });
  });

  it.each([
    ['owner', { ...REVISION, ownerUid: 'u2' }],
    ['namespace', { ...REVISION, namespace: 'shop2' }],
    ['revision', { ...REVISION, selector: 'pod-template-hash=2' }],
  ])('keeps another %s apart', async (_, revision) => {
    const stage = new Stage();
    stage.agree(A);
    expect(await stage.ask(revision)).toBeUndefined();
    expect(stage.lists).toHaveLength(1);
  });

  it('lists once for all who ask at the same time', async () => {
    const stage = new Stage();
    const { promise, resolve } = Promise.withResolvers<void>();
    stage.hold = promise;
    stage.pods = [pod(A)];
    const asked = [stage.ask(), stage.ask(), stage.ask()];
    resolve();
    expect(await Promise.all(asked)).toEqual([
      { 'nginx:1': A },
      { 'nginx:1': A },
      { 'nginx:1': A },
    ]);
    expect(stage.lists).toHaveLength(1);
  });

  it('lists no more than a hundred revisions of a namespace at once, and of others all the same', async () => {
    const stage = new Stage();
    const { promise, resolve } = Promise.withResolvers<void>();
    stage.hold = promise;
    const of = (ownerUid: string, namespace = 'shop'): unknown =>
      stage.siblings.of({ ...REVISION, namespace, ownerUid }, 9000);
    const pending = Array.from({ length: 100 }, (_, index) => of(`u${index}`));
    expect(of('one too many')).toBeUndefined();
    expect(of('u0')).toBeInstanceOf(Promise);
    const elsewhere = of('u', 'other');
    expect(elsewhere).toBeInstanceOf(Promise);
    resolve();
    await Promise.all([...pending, elsewhere]);
    expect(await of('one more')).toBeUndefined();
    expect(stage.lists).toHaveLength(102);
  });

  it('keeps what a Pod was given while the others were listed', async () => {
    const stage = new Stage();
    const { promise, resolve } = Promise.withResolvers<void>();
    stage.hold = promise;
    const asked = stage.ask();
    stage.agree(A);
    resolve();
    expect(await asked).toEqual({ 'nginx:1': A });
    expect(stage.agree(B)).toEqual({ 'nginx:1': A });
  });

  it('remembers no more images of a revision than a template has', () => {
    const stage = new Stage();
    for (let index = 0; index < 200; index += 1) stage.agree(A, `nginx:${index}`);
    stage.agree(A, 'nginx:one-too-many');
    expect(stage.agree(B, 'nginx:one-too-many')).toEqual({ 'nginx:one-too-many': B });
    expect(stage.agree(B, 'nginx:0')).toEqual({ 'nginx:0': A });
  });

  it('does with its memory where only the owner is known, or there is no cluster', async () => {
    const job = { ...REVISION, selector: undefined };
    const stage = new Stage();
    expect(stage.siblings.of(job, 0)).toBeUndefined();
    stage.siblings.agree(job, new Map([['nginx:1', A]]));
    stage.nowMs += 2 * MINUTE_MS;
    expect(await stage.ask(job)).toEqual({ 'nginx:1': A });
    expect(stage.lists).toEqual([]);
    const alone = new Stage(false);
    expect(alone.siblings.of(REVISION, 0)).toBeUndefined();
    alone.agree(A);
    alone.nowMs += 2 * MINUTE_MS;
    expect(alone.siblings.of(REVISION, 0)).toEqual(new Map([['nginx:1', A]]));
  });
});

describe('createSiblings() where Pods cannot be listed', () => {
  const forbidden = new PinError('forbidden_secret', 'tagpin may not read pods "shop"');

  it('says so once, and leaves the namespace alone for half a minute', async () => {
    const stage = new Stage();
    stage.pods = forbidden;
    expect(await stage.ask()).toBeUndefined();
    expect(await stage.ask()).toBeUndefined();
    expect(stage.lists).toHaveLength(1);
    expect(stage.lines).toEqual([
      expect.objectContaining({
        namespace: 'shop',
        error: expect.stringContaining('may not read pods "shop"'),
      }),
    ]);
    await stage.ask({ ...REVISION, namespace: 'other' });
    expect(stage.lists).toHaveLength(2);
    stage.nowMs += 30_000;
    await stage.ask();
    expect(stage.lists).toHaveLength(3);
  });

  it('goes by what it remembers, however old', async () => {
    const stage = new Stage();
    stage.agree(A);
    stage.pods = forbidden;
    stage.nowMs += 2 * MINUTE_MS;
    expect(await stage.ask()).toEqual({ 'nginx:1': A });
    expect(await stage.ask()).toEqual({ 'nginx:1': A });
    expect(stage.results).toEqual(['failed', 'memory']);
  });
});

describe('createSiblings() with an API server that takes its time', () => {
  beforeEach(() => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate'] });
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  it.each([
    ['a second and a half', 8500, 1500],
    ['what the review has left, if that is less', 300, 300],
  ])('waits %s, and uses the answer for the next Pod', async (_, leftMs, waitMs) => {
    const stage = new Stage();
    const { promise, resolve } = Promise.withResolvers<void>();
    stage.hold = promise;
    stage.pods = [pod(A)];
    const asked = stage.siblings.of(REVISION, stage.nowMs + leftMs);
    let told: unknown = 'nothing yet';
    const ended = (async () => {
      told = await asked;
    })();
    await jest.advanceTimersByTimeAsync(waitMs - 1);
    expect(told).toBe('nothing yet');
    await jest.advanceTimersByTimeAsync(1);
    await ended;
    expect(told).toBeUndefined();
    resolve();
    await jest.advanceTimersByTimeAsync(0);
    expect(stage.siblings.of(REVISION, 0)).toEqual(new Map([['nginx:1', A]]));
  });
});
