import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { Agent } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  it,
  jest,
} from '@jest/globals';

import type { LogFields } from '../../src/log.ts';
import type { PolledFiles } from '../../src/server/polled-files.ts';
import { createCertificateFiles } from '../../src/server/tls.ts';
import { type Answered, call } from '../support/call.ts';
import { type Authority, createAuthority, type KeyPair } from '../support/certificate.ts';
import { until } from '../support/until.ts';
import { startWebhook } from '../support/webhook.ts';

const FIRST_POLL_MS = 1000;
const POLL_MS = 10_000;

const lines: { readonly message: string; readonly fields: LogFields }[] = [];

function log(fields: LogFields, message: string): void {
  lines.push({ message, fields });
}

/** One more reading, and its end: each ends with a new wait. */
async function nextReading(ms: number): Promise<void> {
  jest.advanceTimersByTime(ms);
  await until(() => jest.getTimerCount() === 1);
}

describe('createCertificateFiles()', () => {
  let authority: Authority;
  let one: KeyPair;
  let two: KeyPair;
  let directory: string;
  let files: PolledFiles;
  const used: KeyPair[] = [];
  const expiries: number[] = [];

  beforeAll(async () => {
    authority = await createAuthority();
    one = await authority.issue(['127.0.0.1'], new Date('2040-01-02T03:04:05Z'));
    two = await authority.issue(['127.0.0.1'], new Date('2041-01-02T03:04:05Z'));
    directory = await mkdtemp(join(tmpdir(), 'tagpin-tls-'));
  });
  afterAll(() => rm(directory, { recursive: true }));

  beforeEach(() => {
    for (const list of [used, expiries, lines]) list.length = 0;
    // Sockets and files take the time they take; only the waits between two readings are skipped.
    jest.useFakeTimers({
      doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask', 'performance'],
    });
    files = filesFor((pair) => used.push(pair));
  });
  afterEach(async () => {
    files.stop();
    jest.useRealTimers();
    for (const name of ['tls.crt', 'tls.key']) await rm(join(directory, name), { force: true });
  });

  async function write(pair: Partial<KeyPair>): Promise<void> {
    if (pair.cert !== undefined) await writeFile(join(directory, 'tls.crt'), pair.cert);
    if (pair.key !== undefined) await writeFile(join(directory, 'tls.key'), pair.key);
  }

  function filesFor(use: (pair: KeyPair) => void): PolledFiles {
    return createCertificateFiles({
      certFile: join(directory, 'tls.crt'),
      keyFile: join(directory, 'tls.key'),
      use,
      observeExpiry: (timestamp) => expiries.push(timestamp),
      log: { info: log, warn: log, error: log },
    });
  }

  it('loads the pair that is there, and tells when it expires', async () => {
    await write(one);
    await files.start();
    expect(files.isLoaded()).toBe(true);
    expect(used).toEqual([one]);
    expect(expiries).toEqual([Date.parse('2040-01-02T03:04:05Z') / 1000]);
    expect(lines).toMatchObject([
      { message: 'certificate loaded', fields: { expires: '2040-01-02T03:04:05.000Z' } },
    ]);
  });

  it('waits for a pair that comes later', async () => {
    await files.start();
    expect(files.isLoaded()).toBe(false);
    await write({ cert: one.cert });
    await nextReading(FIRST_POLL_MS);
    expect(files.isLoaded()).toBe(false);
    await write(one);
    await nextReading(FIRST_POLL_MS);
    expect(files.isLoaded()).toBe(true);
    expect(lines.map(({ message }) => message)).toEqual([
      'certificate not loaded',
      'certificate not loaded',
      'certificate loaded',
    ]);
  });

  it('uses a pair once, for as long as the files stay as they are', async () => {
    await write(one);
    await files.start();
    await nextReading(POLL_MS);
    await nextReading(POLL_MS);
    expect(used).toEqual([one]);
    expect(lines).toHaveLength(1);
  });

  it('takes a new pair into use', async () => {
    await write(one);
    await files.start();
    await write(two);
    await nextReading(POLL_MS);
    expect(used).toEqual([one, two]);
    expect(expiries.at(-1)).toBe(Date.parse('2041-01-02T03:04:05Z') / 1000);
  });

  it.each<[string, (pair: KeyPair) => Partial<KeyPair>]>([
    ['a new certificate with the old key', ({ cert }) => ({ cert })],
    ['a new key with the old certificate', ({ key }) => ({ key })],
    ['an empty certificate', () => ({ cert: '' })],
    ['an empty key', () => ({ key: '' })],
    ['half a certificate', ({ cert }) => ({ cert: cert.slice(0, cert.length / 2) })],
    ['half a key', ({ key }) => ({ key: key.slice(0, key.length / 2) })],
    ['something else', () => ({ cert: 'hello', key: 'hello' })],
  ])('serves on with the old pair over %s', async (_what, half) => {
    await write(one);
    await files.start();
    await write(half(two));
    await nextReading(POLL_MS);
    expect(used).toEqual([one]);
    expect(files.isLoaded()).toBe(true);
    expect(lines.at(-1)).toMatchObject({
      message: 'certificate not loaded',
      fields: { error: expect.stringContaining('it does not go with its key') },
    });
    expect(JSON.stringify(lines)).not.toContain(two.key.slice(40, 80));
    await write(two);
    await nextReading(POLL_MS);
    expect(used).toEqual([one, two]);
  });

  it('reads no more when it is stopped', async () => {
    await write(one);
    await files.start();
    files.stop();
    expect(jest.getTimerCount()).toBe(0);
  });

  it('changes the certificate of a server, which keeps its connections', async () => {
    await using webhook = await startWebhook();
    const reloaded = filesFor(webhook.use);
    await write(one);
    await reloaded.start();
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const kept = (): Promise<Answered> =>
      call(webhook.port, authority.certificate, { agent, path: '/' });
    expect(await kept()).toMatchObject({ status: 404 });
    const stranger = await createAuthority();
    await write(await stranger.issue(['127.0.0.1']));
    await nextReading(POLL_MS);
    expect(await kept()).toMatchObject({ status: 404 });
    agent.destroy();
    await expect(kept()).rejects.toMatchObject({ code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' });
    expect(await call(webhook.port, stranger.certificate)).toMatchObject({ status: 400 });
    reloaded.stop();
  });
});
