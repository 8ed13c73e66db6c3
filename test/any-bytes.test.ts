import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { Agent } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';

import { digest, record } from './support/admission.ts';
import { type Answered, call } from './support/call.ts';
import { type Authority, createAuthority } from './support/certificate.ts';
import { type RunningTagpin, startTagpin } from './support/process.ts';
import { KINDS, objectOf, POD, reviewBody, specOf } from './support/review.ts';

/** The budget that remains of it for a registry is half a second. */
const TIMEOUT_PATH = '?timeout=2s';
const JUDGED = '/validate/digests';
const CALL_TIMEOUT_MS = 10_000;

let directory: string;
let authority: Authority;
let tagpin: RunningTagpin;
const agent = new Agent({ keepAlive: true });

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tagpin-bytes-'));
  authority = await createAuthority();
  const { cert, key } = await authority.issue(['127.0.0.1']);
  await writeFile(join(directory, 'tls.crt'), cert);
  await writeFile(join(directory, 'tls.key'), key);
  tagpin = await startTagpin([
    '--no-cluster',
    `--tls-cert=${join(directory, 'tls.crt')}`,
    `--tls-key=${join(directory, 'tls.key')}`,
  ]);
  await tagpin.logged(({ msg }) => msg === 'certificate loaded');
});
afterAll(async () => {
  agent.destroy();
  await tagpin[Symbol.asyncDispose]();
  await rm(directory, { recursive: true });
});

function post(body: string | Buffer, change: Parameters<typeof call>[2] = {}): Promise<Answered> {
  const signal = AbortSignal.timeout(CALL_TIMEOUT_MS);
  const path = `/admission/pin${TIMEOUT_PATH}`;
  return call(tagpin.webhookPort, authority.certificate, { path, body, agent, signal, ...change });
}

/** What the documentation promises of any answer; anything else by its own text. */
function verdictOf({ status, text }: Answered): string {
  const answer: unknown = JSON.parse(text);
  if (status === 200) {
    const { response } = answer as { response?: { uid?: unknown; allowed?: unknown } };
    const whole = typeof response?.uid === 'string' && typeof response.allowed === 'boolean';
    return whole ? 'a review' : text;
  }
  const { error } = answer as { error?: unknown };
  const refused = [400, 404, 413, 415].includes(status) && typeof error === 'string';
  return refused ? 'a refusal' : `${status} ${text}`;
}

// Addresses that the guard refuses at once: no test asks a registry of the world.
const IMAGES = { web: '127.0.0.1/a:1', other: `127.0.0.1/b@${digest('a')}`, odd: '' };

/** Reviews as the API server sends them, of every kind, created and updated. */
const REVIEWS = KINDS.flatMap((kind) => {
  const annotations = record({ web: `127.0.0.1/a:1 ${digest('b')}` });
  const object = objectOf(kind, { spec: specOf(IMAGES), annotations });
  const oldObject = objectOf(kind, {
    spec: specOf({ web: `127.0.0.1/a@${digest('b')}` }),
    annotations,
  });
  return [reviewBody(kind, { object }), reviewBody(kind, { object, oldObject })];
});
const TEXTS = REVIEWS.map((review) => JSON.stringify(review));

/** Every place in a value, as the keys that lead to it. */
function placesIn(value: unknown): (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [[]];
  const below = Object.entries(value).flatMap(([key, inner]) =>
    placesIn(inner).map((place) => [key, ...place]),
  );
  return [[], ...below];
}

function replaced(value: unknown, place: readonly string[], by: unknown): unknown {
  const [key, ...rest] = place;
  if (key === undefined) return by;
  const copy: object = Array.isArray(value) ? Array.from(value) : { ...(value as object) };
  const inner: unknown = (value as Record<string, unknown>)[key];
  return Object.assign(copy, { [key]: replaced(inner, rest, by) });
}

/** A review with one value of it replaced by any other. */
const mutatedReview = fc
  .constantFrom(...REVIEWS)
  .chain((review) =>
    fc.tuple(fc.constant(review), fc.constantFrom(...placesIn(review)), fc.jsonValue()),
  )
  .map(([review, place, value]) => JSON.stringify(replaced(review, place, value)));

/** A review with some of its bytes replaced, left out, or with others between them. */
const spoiltReview = fc
  .tuple(
    fc.constantFrom(...TEXTS),
    fc.double({ min: 0, max: 1, noNaN: true }),
    fc.uint8Array({ maxLength: 8 }),
    fc.nat(8),
  )
  .map(([text, where, bytes, left]) => {
    const whole = Buffer.from(text);
    const at = Math.floor(where * whole.length);
    return Buffer.concat([whole.subarray(0, at), bytes, whole.subarray(at + left)]);
  });

async function isWell(): Promise<void> {
  expect(tagpin.isAlive()).toBe(true);
  expect(await tagpin.operations('/healthz')).toEqual([200, 'ok\n']);
  const whole = JSON.stringify(
    reviewBody(POD, { object: objectOf(POD, { spec: specOf(IMAGES) }) }),
  );
  expect(verdictOf(await post(whole))).toBe('a review');
  expect(tagpin.output()).not.toMatch(/"level":"error"|"code":"internal"/);
}

describe('tagpin serve, called with any bytes', () => {
  it('answers a review with anything in place of any value', async () => {
    await fc.assert(
      fc.asyncProperty(
        mutatedReview,
        fc.constantFrom('/admission/pin', '/admission/enforce', '/admission/warn', JUDGED),
        async (body, path) => {
          const answered = await post(body, { path: `${path}${TIMEOUT_PATH}` });
          expect(['a review', 'a refusal']).toContain(verdictOf(answered));
        },
      ),
      { numRuns: 400 },
    );
    await isWell();
  });

  it('answers spoilt bytes, and bytes that never were a review', async () => {
    const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array));
    await fc.assert(
      fc.asyncProperty(fc.oneof(spoiltReview, bytes), async (body) => {
        expect(['a review', 'a refusal']).toContain(verdictOf(await post(body)));
      }),
      { numRuns: 300 },
    );
    await isWell();
  });

  it.each([
    ['100,000 lists in one another', '['.repeat(100_000)],
    ['100,000 lists, closed', `${'['.repeat(100_000)}${']'.repeat(100_000)}`],
    [
      'an object of 50,000 in one another where the Pod is',
      TEXTS[0]?.replace(
        '"object":{',
        `"object":{"x":${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)},`,
      ) ?? '',
    ],
    [
      'an update with 50,000 objects in one another on both sides',
      (TEXTS[1] ?? '').replaceAll(
        '"spec":{',
        `"spec":{"x":${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)},`,
      ),
    ],
    [
      'an update of a Deployment with 50,000 lists in one another on both sides',
      (
        TEXTS.find((text) => text.includes('"Deployment"') && text.includes('"UPDATE"')) ?? ''
      ).replaceAll('"containers":', `"x":${'['.repeat(50_000)}${']'.repeat(50_000)},"containers":`),
    ],
    ['a number of 100,000 digits', '1'.repeat(100_000)],
    ['keys of prototypes', '{"__proto__":{"request":{}},"constructor":{"prototype":{}}}'],
    ['a text in UTF-16', Buffer.from(TEXTS[0] ?? '', 'utf16le')],
    ['a byte order mark', `\ufeff${TEXTS[0]}`],
    ['8 MiB of spaces', ' '.repeat(8 * 1024 * 1024)],
    ['nothing', ''],
  ])(
    'answers %s',
    async (_what, body) => {
      expect(['a review', 'a refusal']).toContain(verdictOf(await post(body)));
      await isWell();
    },
    20_000,
  );

  it.each<Parameters<typeof post>[1]>([
    { path: '/admission/' },
    { path: '/admission/pin/../enforce' },
    { path: '/admission/%70in' },
    { path: '/admission/%' },
    { path: '/%00' },
    { path: '/admission/pin?timeout=-1s&timeout=99999999999s' },
    { path: `/admission/pin?${'a'.repeat(80)}` },
    { method: 'PUT' },
    { method: 'DELETE' },
    { headers: { 'content-type': 'text/plain' } },
    { headers: { 'content-type': `application/json; charset=${'x'.repeat(80)}` } },
    { headers: { 'content-encoding': 'gzip' } },
    { headers: { 'content-type': '' } },
  ])(
    'answers %j',
    async (change) => {
      expect(['a review', 'a refusal']).toContain(verdictOf(await post(TEXTS[0] ?? '', change)));
      await isWell();
    },
    20_000,
  );

  it('answers what is no HTTP with 400 or hangs up', async () => {
    const lines = fc.oneof(
      fc.uint8Array({ minLength: 1, maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
      fc
        .array(
          fc.constantFrom(
            'POST',
            ' ',
            '/admission/pin',
            'HTTP/1.1',
            '\r\n',
            'Host: a',
            'Content-Length: 1e9',
            'Transfer-Encoding: chunked',
            'ffffffff',
            '\0',
          ),
          { minLength: 1 },
        )
        .map((parts) => Buffer.from(parts.join(''))),
    );
    await fc.assert(
      fc.asyncProperty(lines, async (bytes) => {
        const answer = await raw(bytes);
        expect(answer === '' || /^HTTP\/1\.1 4\d\d /.test(answer)).toBe(true);
      }),
      { numRuns: 100 },
    );
    await isWell();
  });
});

/** What comes back for bytes on a connection of their own, which is then ended from this side. */
function raw(bytes: Buffer): Promise<string> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    const end = (): void => resolve(Buffer.concat(chunks).toString('latin1'));
    const socket = connect({
      port: tagpin.webhookPort,
      host: '127.0.0.1',
      ca: authority.certificate,
    });
    socket.once('secureConnect', () => socket.end(bytes));
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.once('close', end);
    socket.on('error', end);
  });
}
