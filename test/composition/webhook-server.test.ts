import { once } from 'node:events';
import { Agent } from 'node:https';
import { type AddressInfo, connect } from 'node:net';

import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';

import { composeWebhookServer } from '../../src/composition/webhook-server.ts';
import { SERVE_SETTINGS } from '../../src/config.ts';
import { PinError } from '../../src/errors.ts';
import { readSettings } from '../../src/settings/setting.ts';
import { type Answered, call } from '../support/call.ts';
import { type Authority, createAuthority } from '../support/certificate.ts';
import { Files } from '../support/files.ts';
import { createRecordedLog } from '../support/recorded-log.ts';
import { until } from '../support/until.ts';

const TOKEN = '0123456789abcdef'.repeat(4);
const NEXT = 'fedcba9876543210'.repeat(4);
const POLL_MS = 10_000;
/** How a caller sees that its handshake, or its connection, was ended: a matter of timing. */
const HUNG_UP = /alert|hang up|ECONNRESET/;

/** A server around an app that answers with the path that it sees. */
class Running implements AsyncDisposable {
  readonly files = new Files();
  readonly #recorded = createRecordedLog();
  readonly refused: string[] = [];
  authority!: Authority;
  #server!: ReturnType<typeof composeWebhookServer>;
  nowMs = 0;

  static async start(flags: Readonly<Record<string, string>>): Promise<Running> {
    const running = new Running();
    running.authority = await createAuthority();
    const { cert, key } = await running.authority.issue(['127.0.0.1']);
    const { files } = running;
    const certificate = {
      tlsCert: files.write('tls.crt', cert),
      tlsKey: files.write('tls.key', key),
    };
    files.write('ca.crt', running.authority.certificate);
    files.write('tokens', `${TOKEN}\n`);
    const paths = Object.fromEntries(
      Object.entries(flags).map(([name, value]) => [name, value.replace('@', files.directory)]),
    );
    const settings = readSettings(SERVE_SETTINGS, {
      flags: { ...certificate, ...paths },
      environment: {},
    });
    running.#server = composeWebhookServer(
      settings,
      (request, response) => response.end(request.url),
      {
        metrics: {
          certificateExpiry: () => undefined,
          webhookEntries: () => undefined,
          refused: (code) => void running.refused.push(code),
        },
        log: running.#recorded.log,
        now: () => running.nowMs,
      },
    );
    await running.#server.certificate.start();
    await new Promise<void>((resolve) => {
      running.#server.webhook.listen(0, '127.0.0.1', resolve);
    });
    return running;
  }

  get lines(): readonly string[] {
    return this.#recorded.lines;
  }

  waitsFor(): string[] {
    return this.#server.certificate.waitsFor();
  }

  async get(path: string, agent?: Agent): Promise<Answered> {
    const { port } = this.#server.webhook.address() as AddressInfo;
    return call(port, this.authority.certificate, { path, ...(agent && { agent }) });
  }

  /** Until the server has seen it end: it says so of a handshake that never was. */
  async touch(): Promise<void> {
    const { webhook } = this.#server;
    const { port } = webhook.address() as AddressInfo;
    const left = once(webhook, 'tlsClientError');
    connect(port, '127.0.0.1').end();
    await left;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.certificate.stop();
    await this.files[Symbol.asyncDispose]();
    await new Promise<void>((resolve) => {
      this.#server.webhook.close(() => resolve());
      this.#server.webhook.closeAllConnections();
    });
  }
}

beforeEach(() => {
  jest.useFakeTimers({
    doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask', 'performance'],
  });
});
afterEach(() => {
  jest.useRealTimers();
});

describe('composeWebhookServer() with certificates from files', () => {
  it('lets any call through where no token is asked for', async () => {
    await using running = await Running.start({});
    expect(await running.get('/admission/pin')).toMatchObject({
      status: 200,
      text: '/admission/pin',
    });
  });

  it.each([
    '/admission/pin',
    '/',
    `/caller/${NEXT}/admission/pin`,
    `/caller/${TOKEN}`,
    `/caller/${TOKEN}0/admission/pin`,
    `/caller//${TOKEN}/admission/pin`,
    `/Caller/${TOKEN}/admission/pin`,
    `/admission/pin?caller=${TOKEN}`,
  ])('refuses a call without the token, whatever it asks for: %s', async (path) => {
    await using running = await Running.start({ callerTokenFile: '@/tokens' });
    const { status, text, headers } = await running.get(path);
    expect({ status, text }).toEqual({
      status: 401,
      text: '{"error":"The path names no caller that is known here","reason":"unknown_caller"}',
    });
    expect(headers['connection']).toBe('close');
    expect(running.refused).toEqual(['unknown_caller']);
  });

  it('lets a call with the token through, and shows it to nobody', async () => {
    await using running = await Running.start({ callerTokenFile: '@/tokens' });
    const { text } = await running.get(`/caller/${TOKEN}/admission/pin?timeout=10s`);
    expect(text).toBe('/admission/pin?timeout=10s');
    await running.get(`/caller/${NEXT}/admission/pin`);
    expect(running.lines.join('\n')).not.toMatch(/0123456789abcdef|fedcba9876543210/);
  });

  it('logs callers that it refuses once a minute, with their number', async () => {
    await using running = await Running.start({ callerTokenFile: '@/tokens' });
    const refusals = (): string[] =>
      running.lines.filter((line) => line.startsWith('warn callers refused'));
    for (let calls = 0; calls < 3; calls += 1) await running.get('/');
    running.nowMs = 60_000;
    await running.get('/');
    expect(refusals().map((line) => /"calls":\d+/.exec(line)?.[0])).toEqual([
      '"calls":1',
      '"calls":3',
    ]);
  });

  it('takes tokens from the file as it changes, and forgets those that are taken out', async () => {
    await using running = await Running.start({ callerTokenFile: '@/tokens' });
    const statuses = async (): Promise<number[]> => [
      (await running.get(`/caller/${TOKEN}/a`)).status,
      (await running.get(`/caller/${NEXT}/a`)).status,
    ];
    const written = async (text: string, line: string): Promise<void> => {
      const before = running.lines.length;
      running.files.write('tokens', text);
      jest.advanceTimersByTime(POLL_MS);
      await until(() => running.lines.slice(before).some((logged) => logged.includes(line)));
    };
    expect(await statuses()).toEqual([200, 401]);
    await written(`${NEXT}\n\n${TOKEN}`, 'caller tokens loaded {');
    expect(await statuses()).toEqual([200, 200]);
    await written('short', 'Cannot use token 1');
    expect(await statuses()).toEqual([200, 200]);
    await written('', 'Cannot use 0 tokens');
    await written(NEXT, 'caller tokens loaded {');
    expect(await statuses()).toEqual([401, 200]);
    expect(running.lines.join('\n')).not.toContain('short');
  });

  it.each([
    ['callerTokenFile', 'no caller token is loaded'],
    ['clientCa', 'no authority of callers is loaded'],
    ['tlsCert', 'no certificate is loaded'],
  ])('is not ready without the file of %s', async (name, what) => {
    await using running = await Running.start({ [name]: '@/missing' });
    expect(running.waitsFor()).toEqual([what]);
  });

  it('is ready with all of them', async () => {
    const flags = { callerTokenFile: '@/tokens', clientCa: '@/ca.crt' };
    await using running = await Running.start(flags);
    expect(running.waitsFor()).toEqual([]);
  });
});

describe('composeWebhookServer() with --client-ca', () => {
  it('lets in who shows a certificate of the authority with one of the names', async () => {
    const flags = { clientCa: '@/ca.crt', clientNames: 'kube-apiserver,other' };
    await using running = await Running.start(flags);
    const ca = running.authority.certificate;
    const known = await running.authority.issue(['kube-apiserver']);
    expect(await running.get('/a', new Agent({ ca, ...known }))).toMatchObject({ status: 200 });

    const stranger = await running.authority.issue(['somebody']);
    await expect(running.get('/a', new Agent({ ca, ...stranger }))).rejects.toThrow(HUNG_UP);
    expect(running.refused).toEqual(['unknown_caller']);
    expect(running.lines.at(-1)).toMatch(/^warn callers refused .*"by":"certificate"/);
  });

  it('lets nobody in without one, or with one of another authority', async () => {
    await using running = await Running.start({ clientCa: '@/ca.crt' });
    const ca = running.authority.certificate;
    const foreign = await (await createAuthority()).issue(['kube-apiserver']);
    await expect(running.get('/a', new Agent({ ca, ...foreign }))).rejects.toThrow(HUNG_UP);
    await expect(running.get('/a')).rejects.toThrow(HUNG_UP);
    expect(running.refused).toEqual(['unknown_caller', 'unknown_caller']);
    const known = await running.authority.issue(['anybody']);
    expect(await running.get('/a', new Agent({ ca, ...known }))).toMatchObject({ status: 200 });
  });

  it('does not take for a caller who opens a connection and leaves', async () => {
    await using running = await Running.start({ clientCa: '@/ca.crt' });
    await running.touch();
    await expect(running.get('/a')).rejects.toThrow(HUNG_UP);
    expect(running.refused).toEqual(['unknown_caller']);
  });

  it('takes another authority into use, and keeps the last good one', async () => {
    await using running = await Running.start({ clientCa: '@/ca.crt' });
    const ca = running.authority.certificate;
    const next = await createAuthority();
    const pair = await next.issue(['kube-apiserver']);
    const known = await running.authority.issue(['kube-apiserver']);
    const written = async (text: string, line: string): Promise<void> => {
      running.files.write('ca.crt', text);
      jest.advanceTimersByTime(POLL_MS);
      await until(() => running.lines.at(-1)?.startsWith(line) === true);
    };
    await written('nothing', 'warn authorities of callers not loaded');
    expect(await running.get('/a', new Agent({ ca, ...known }))).toMatchObject({ status: 200 });
    await written(next.certificate, 'info authorities of callers loaded');
    expect(await running.get('/a', new Agent({ ca, ...pair }))).toMatchObject({ status: 200 });
    await expect(running.get('/a', new Agent({ ca, ...known }))).rejects.toThrow(HUNG_UP);
  });
});

describe('composeWebhookServer() with settings that contradict each other', () => {
  it.each<[Readonly<Record<string, string>>, string]>([
    [{ certificates: 'built-in', cluster: 'false' }, 'needs the cluster'],
    [{ certificates: 'built-in', callerTokenFile: 'a' }, '--caller-token-file is for'],
    [
      { certificates: 'built-in', certificateLifetime: '2h', authorityLifetime: '1h' },
      '--authority-lifetime must not be shorter',
    ],
    [{ clientNames: 'a' }, 'says nothing without --client-ca'],
    [{ explainInDryRun: 'true' }, '--explain-in-dry-run needs callers that are known'],
  ])('refuses %j', (flags, message) => {
    const settings = readSettings(SERVE_SETTINGS, { flags, environment: {} });
    const parts = {
      metrics: {
        certificateExpiry: () => undefined,
        webhookEntries: () => undefined,
        refused: () => undefined,
      },
      log: createRecordedLog().log,
      now: () => 0,
    };
    const start = (): unknown => composeWebhookServer(settings, () => undefined, parts);
    expect(start).toThrow(PinError);
    expect(start).toThrow(message);
  });
});
