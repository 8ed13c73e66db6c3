import { once } from 'node:events';
import { Agent } from 'node:https';
import { connect, type TLSSocket } from 'node:tls';

import { describe, expect, it } from '@jest/globals';

import type { AdmissionHandler } from '../../src/admission/handler.ts';
import { allow } from '../../src/admission/response.ts';
import { PinError } from '../../src/errors.ts';
import { objectOf, POD, reviewBody, specOf } from '../support/review.ts';
import { until } from '../support/until.ts';
import { type RunningWebhook, startWebhook } from '../support/webhook.ts';

const MAX_BODY_BYTES = 7 * 1024 * 1024;
const MAX_WAITING = 1000;
const REVIEW = JSON.stringify(
  reviewBody(POD, { object: objectOf(POD, { spec: specOf({ web: 'nginx:1.27' }) }) }),
);

function reviewIn(namespace: string): string {
  const object = objectOf(POD, { spec: specOf({ web: 'nginx:1.27' }) });
  return JSON.stringify(reviewBody(POD, { object, more: { namespace } }));
}

/** The review with spaces behind it, so that all of it is so long. */
function reviewOfLength(length: number): Buffer {
  return Buffer.concat([Buffer.from(REVIEW), Buffer.alloc(length - REVIEW.length, ' ')]);
}

/** Holds all reviews until they are released, and notes which of them might look up. */
function heldReviews(): {
  readonly handle: AdmissionHandler;
  readonly allowed: readonly boolean[];
  readonly release: () => void;
} {
  const hold = Promise.withResolvers<void>();
  const allowed: boolean[] = [];
  return {
    handle: async ({ review, mayLookUp }) => {
      allowed.push(mayLookUp);
      await hold.promise;
      return allow(review.uid, [], []);
    },
    allowed,
    release: hold.resolve,
  };
}

/** Calls until it is answered so; what never is ends with the time of the test. */
async function answersAtLast(
  webhook: RunningWebhook,
  { body, status }: { readonly body: Buffer; readonly status: number },
): Promise<void> {
  // oxlint-disable-next-line no-await-in-loop -- each answer may be the one
  while ((await webhook.call({ body })).status !== status);
}

describe('createWebhookApp()', () => {
  it.each(['pin', 'enforce', 'warn'])('answers a review at /admission/%s', async (mode) => {
    await using webhook = await startWebhook();
    const answer = await webhook.call({ path: `/admission/${mode}?timeout=10s`, body: REVIEW });
    expect(answer.status).toBe(200);
    expect(answer.headers['content-type']).toBe('application/json');
    const body = JSON.parse(answer.text);
    expect(body).toMatchObject({
      apiVersion: 'admission.k8s.io/v1',
      kind: 'AdmissionReview',
      response: { uid: JSON.parse(REVIEW).request.uid, allowed: true },
    });
    expect('patch' in body.response).toBe(mode !== 'warn');
  });

  it('judges a review at /validate/digests', async () => {
    await using webhook = await startWebhook();
    const judge = async (image: string): Promise<unknown> => {
      const object = objectOf(POD, { spec: specOf({ web: image }) });
      const body = JSON.stringify(reviewBody(POD, { object }));
      const answer = await webhook.call({ path: '/validate/digests?timeout=10s', body });
      expect(answer.status).toBe(200);
      return JSON.parse(answer.text).response;
    };
    expect(await judge('exempt')).toEqual({ uid: JSON.parse(REVIEW).request.uid, allowed: true });
    expect(await judge('nginx:1.27')).toMatchObject({
      allowed: false,
      status: {
        code: 403,
        message: expect.stringMatching(
          /^container <web> uses an image without a digest <nginx:1.27>/,
        ),
      },
    });
    expect(await webhook.call({ path: '/validate/digests', body: '{' })).toMatchObject({
      status: 400,
    });
  });

  it.each([
    ['POST', '/'],
    ['POST', '/validate'],
    ['GET', '/validate/digests'],
    ['POST', '/admission'],
    ['POST', '/admission/other'],
    ['POST', '/admission/pin/more'],
    ['POST', '/admission/__proto__'],
    ['POST', '/admission/%E0%A4%A'],
    ['GET', '/admission/pin'],
    ['PUT', '/admission/pin'],
    ['GET', '/metrics'],
  ])('has nothing at %s %s', async (method, path) => {
    await using webhook = await startWebhook();
    const answer = await webhook.call({ method, path, ...(method !== 'GET' && { body: REVIEW }) });
    expect(answer.status).toBe(404);
    expect(answer.headers['content-type']).toMatch(/^application\/json/);
  });

  it.each([
    ['', 415],
    ['text/plain', 415],
    ['application/yaml', 415],
    ['application/jsonp', 415],
    ['application/json', 200],
    ['Application/JSON; charset=utf-8', 200],
    ['application/json ;charset=utf-8', 200],
  ])('answers the content type %j with %i', async (type, status) => {
    await using webhook = await startWebhook();
    const answer = await webhook.call({ body: REVIEW, headers: { 'content-type': type } });
    expect(answer.status).toBe(status);
    expect(webhook.refused).toEqual(status === 200 ? [] : ['unsupported_content_type']);
  });

  it.each<[string, string]>([
    ['nothing', ''],
    ['no JSON', '{'],
    ['a number', '1'],
    ['null', 'null'],
    ['a list', '[]'],
    ['an object', '{}'],
    ['no AdmissionReview', '{"apiVersion":"v1","kind":"Pod"}'],
    ['another version', REVIEW.replace('k8s.io/v1', 'k8s.io/v1beta1')],
    ['no request', '{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview"}'],
    ['no uid', REVIEW.replace('"uid"', '"uid2"')],
    ['no object', REVIEW.replace('"object"', '"object2"')],
    ['an UPDATE without its old object', REVIEW.replace('"CREATE"', '"UPDATE"')],
    ['no namespace', REVIEW.replace('"namespace"', '"namespace2"')],
  ])('answers %s with 400', async (_what, body) => {
    await using webhook = await startWebhook();
    const answer = await webhook.call({ body });
    expect(answer.status).toBe(400);
    expect(JSON.parse(answer.text)).toMatchObject({
      error: expect.stringMatching(/^Cannot read the admission review: /),
      reason: 'invalid_review',
    });
    expect(webhook.refused).toEqual(['invalid_review']);
    expect(webhook.lines).toMatchObject([{ level: 'warn', message: 'review refused' }]);
    expect(await webhook.call({ body: REVIEW })).toMatchObject({ status: 200 });
  });

  it('repeats nothing of a body that it cannot read', async () => {
    await using webhook = await startWebhook();
    const answer = await webhook.call({ body: '{"password": canary}' });
    expect(answer.text).not.toContain('canary');
    expect(JSON.stringify(webhook.lines)).not.toContain('cana');
  });

  it('reads a body of 7 MiB, in one piece and in many', async () => {
    await using webhook = await startWebhook();
    const body = reviewOfLength(MAX_BODY_BYTES);
    expect(await webhook.call({ body })).toMatchObject({ status: 200 });
    expect(await webhook.call({ body: [body] })).toMatchObject({ status: 200 });
  });

  it.each([MAX_BODY_BYTES + 1, 8 * 1024 * 1024])(
    'answers a body of %i bytes with 413, whether or not its length is told before',
    async (length) => {
      await using webhook = await startWebhook();
      const body = reviewOfLength(length);
      for (const sent of [body, [body]]) {
        const answer = await webhook.call({ body: sent });
        expect(answer).toMatchObject({ status: 413, headers: { connection: 'close' } });
        expect(JSON.parse(answer.text)).toMatchObject({ reason: 'review_too_large' });
      }
      expect(webhook.refused).toEqual(['review_too_large', 'review_too_large']);
      expect(webhook.inFlight()).toBe(0);
    },
  );

  it('answers a refused call though much of its body is still to come', async () => {
    await using webhook = await startWebhook();
    const body = reviewOfLength(MAX_BODY_BYTES);
    const headers = { 'content-type': 'text/plain' };
    expect(await webhook.call({ body, headers })).toMatchObject({ status: 415 });
  });

  it('cuts a body off that has no end', async () => {
    await using webhook = await startWebhook();
    const socket = connect({ port: webhook.port, host: '127.0.0.1', ca: webhook.ca });
    const ended = closed(socket);
    socket.on('error', () => {});
    socket.write(head(2 ** 40));
    const piece = Buffer.alloc(1024 * 1024, ' ');
    const pour = (): void => {
      while (!socket.destroyed && socket.write(piece));
    };
    socket.on('drain', pour);
    pour();
    await ended;
    expect(webhook.refused).toEqual(['review_too_large']);
    expect(webhook.inFlight()).toBe(0);
  });

  it('gives each call of many on one connection its own answer', async () => {
    await using webhook = await startWebhook();
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const uids = Array.from({ length: 20 }, (_, n) => `uid-${n}`);
    const answers = await Promise.all(
      uids.map((uid) =>
        webhook.call({ agent, body: REVIEW.replace(/"uid":"[^"]*"/, `"uid":"${uid}"`) }),
      ),
    );
    agent.destroy();
    expect(answers.map(({ text }) => JSON.parse(text).response.uid)).toEqual(uids);
    expect(new Set(answers.map(({ headers }) => headers.connection))).toEqual(
      new Set(['keep-alive']),
    );
  });

  it('closes the connection behind each answer while it drains', async () => {
    await using webhook = await startWebhook({ isDraining: () => true });
    const agent = new Agent({ keepAlive: true });
    const answer = await webhook.call({ agent, body: REVIEW });
    agent.destroy();
    expect(answer).toMatchObject({ status: 200, headers: { connection: 'close' } });
  });

  it('lives on when a caller hangs up, before its body is complete or after', async () => {
    const handled = Promise.withResolvers<void>();
    const answer = Promise.withResolvers<void>();
    const handle: AdmissionHandler = async ({ review }) => {
      handled.resolve();
      await answer.promise;
      return allow(review.uid, [], []);
    };
    await using webhook = await startWebhook({ handle });
    const early = connect({ port: webhook.port, host: '127.0.0.1', ca: webhook.ca }, () => {
      early.write(head(1000), () => early.destroy());
    });
    await closed(early);
    const late = new AbortController();
    const hungUp = webhook.call({ body: REVIEW, signal: late.signal });
    await handled.promise;
    late.abort();
    await expect(hungUp).rejects.toThrow('aborted');
    answer.resolve();
    expect(await webhook.call({ body: REVIEW })).toMatchObject({ status: 200 });
    expect(webhook.inFlight()).toBe(0);
    expect(webhook.lines.map(({ level }) => level)).not.toContain('error');
  });

  it('puts off what is too much at once, with 503 and the time to come again', async () => {
    const hold = Promise.withResolvers<void>();
    const handle: AdmissionHandler = ({ review, mayLookUp }) => {
      // As the handler does it: what is known needs no look-up.
      if (review.namespace === 'known') return allow(review.uid, [], []);
      if (!mayLookUp) throw new PinError('overloaded', 'too many');
      return hold.promise.then(() => allow(review.uid, [], []));
    };
    await using webhook = await startWebhook({ handle });
    // Pipelined, so that one connection makes them all.
    const socket = connect({ port: webhook.port, host: '127.0.0.1', ca: webhook.ca });
    const loud = reviewIn('loud');
    socket.write((head(loud.length) + loud).repeat(MAX_WAITING / 2));
    await until(() => webhook.inFlight() === MAX_WAITING / 2);
    expect(await webhook.call({ body: loud })).toMatchObject({
      status: 503,
      headers: { 'retry-after': '1', connection: 'close' },
    });
    expect(webhook.refused).toEqual(['overloaded']);
    expect(await webhook.call({ body: reviewIn('known') })).toMatchObject({ status: 200 });
    const quiet = webhook.call({ body: reviewIn('quiet') });
    await until(() => webhook.inFlight() === MAX_WAITING / 2 + 1);
    hold.resolve();
    expect(await quiet).toMatchObject({ status: 200 });
    await until(() => webhook.inFlight() === 0);
    socket.destroy();
    expect(await webhook.call({ body: loud })).toMatchObject({ status: 200 });
  });

  it('counts no call whose body has not ended', async () => {
    await using webhook = await startWebhook();
    const socket = connect({ port: webhook.port, host: '127.0.0.1', ca: webhook.ca });
    await once(socket, 'secureConnect');
    const half = REVIEW.length / 2;
    await new Promise<void>((resolve) => {
      socket.write(head(REVIEW.length) + REVIEW.slice(0, half), () => resolve());
    });
    expect(await webhook.call({ body: REVIEW })).toMatchObject({ status: 200 });
    expect(webhook.inFlight()).toBe(0);
    const answered = once(socket, 'data');
    socket.write(REVIEW.slice(half));
    const [answer] = await answered;
    expect(String(answer)).toMatch(/^HTTP\/1.1 200 /);
    socket.destroy();
  });

  it('holds 64 MiB of bodies, then puts off long ones, and answers short ones', async () => {
    await using webhook = await startWebhook();
    const body = reviewOfLength(MAX_BODY_BYTES);
    const sockets = Array.from({ length: 9 }, () =>
      connect({ port: webhook.port, host: '127.0.0.1', ca: webhook.ca }),
    );
    const written = sockets.map(
      (socket) =>
        new Promise<void>((resolve) => {
          // The last byte is missing.
          socket.write(head(MAX_BODY_BYTES) + body.slice(0, -1), () => resolve());
        }),
    );
    await Promise.all(written);
    const long = { body: reviewOfLength(2 * 1024 * 1024) };
    await answersAtLast(webhook, { ...long, status: 503 });
    expect(new Set(webhook.refused)).toEqual(new Set(['overloaded']));
    expect(await webhook.call({ body: REVIEW })).toMatchObject({ status: 200 });
    for (const socket of sockets) socket.destroy();
    await answersAtLast(webhook, { ...long, status: 200 });
  });

  it('lets a few look-ups wait while the event loop is late, and tells the handler when there are more', async () => {
    const { handle, allowed, release } = heldReviews();
    let isLate = true;
    await using webhook = await startWebhook({ handle, isLate: () => isLate });
    const socket = connect({ port: webhook.port, host: '127.0.0.1', ca: webhook.ca });
    /** How many of so many reviews of a namespace may look up. */
    const allowedOf = async (namespace: string, calls: number): Promise<number> => {
      const before = allowed.length;
      const review = reviewIn(namespace);
      socket.write((head(review.length) + review).repeat(calls));
      await until(() => allowed.length === before + calls);
      return allowed.slice(before).filter(Boolean).length;
    };
    expect(await allowedOf('loud', 20)).toBe(8);
    expect(await allowedOf('quiet', 3)).toBe(3);
    expect(await allowedOf('third', 6)).toBe(3);
    expect(await allowedOf('loud', 1)).toBe(0);
    for (const last of ['fourth', 'fifth', 'sixth']) await allowedOf(last, 1);
    expect(allowed.filter(Boolean)).toHaveLength(16);
    isLate = false;
    expect(await allowedOf('loud', 30)).toBe(30);
    release();
    await until(() => webhook.inFlight() === 0);
    isLate = true;
    expect(await allowedOf('loud', 1)).toBe(1);
    socket.destroy();
  });

  it('lets look-ups of others wait, however many of one namespace wait since before the event loop was late', async () => {
    const { handle, allowed, release } = heldReviews();
    let isLate = false;
    await using webhook = await startWebhook({ handle, isLate: () => isLate });
    const socket = connect({ port: webhook.port, host: '127.0.0.1', ca: webhook.ca });
    const [loud, quiet] = [reviewIn('loud'), reviewIn('quiet')];
    socket.write((head(loud.length) + loud).repeat(100));
    await until(() => allowed.length === 100);
    isLate = true;
    socket.write(head(quiet.length) + quiet);
    await until(() => allowed.length === 101);
    expect(allowed.at(-1)).toBe(true);
    release();
    await until(() => webhook.inFlight() === 0);
    socket.destroy();
  });

  it.each<[string, AdmissionHandler]>([
    [
      'at once',
      () => {
        throw new TypeError('a defect');
      },
    ],
    ['later', () => Promise.reject(new TypeError('a defect'))],
  ])(
    'answers a defect that shows %s with 500, and its stack in the log alone',
    async (_when, handle) => {
      await using webhook = await startWebhook({ handle });
      const answer = await webhook.call({ body: REVIEW });
      expect(answer.status).toBe(500);
      expect(JSON.parse(answer.text)).toMatchObject({ reason: 'internal' });
      expect(answer.text).not.toContain('.ts:');
      expect(webhook.refused).toEqual(['internal']);
      expect(webhook.lines).toMatchObject([
        {
          level: 'error',
          message: 'review failed',
          fields: { code: 'internal', stack: expect.stringContaining('webhook.test.ts:') },
        },
      ]);
    },
  );
});

function head(length: number): string {
  return `POST /admission/pin HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\n\r\n`;
}

function closed(socket: TLSSocket): Promise<void> {
  return new Promise((resolve) => {
    socket.once('close', () => resolve());
  });
}
