import { once } from 'node:events';
import { Agent } from 'node:https';
import { connect as connectPlain, type Socket } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';

import { describe, expect, it } from '@jest/globals';

import type { AdmissionHandler } from '../../src/admission/handler.ts';
import { allow } from '../../src/admission/response.ts';
import { objectOf, POD, reviewBody, specOf } from '../support/review.ts';
import { until } from '../support/until.ts';
import { startWebhook } from '../support/webhook.ts';

const MAX_CONNECTIONS = 1000;
const REVIEW = JSON.stringify(
  reviewBody(POD, { object: objectOf(POD, { spec: specOf({ web: 'nginx:1.27' }) }) }),
);

describe('createWebhookServer()', () => {
  it('speaks HTTP/1.1 alone, over TLS 1.2 at least', async () => {
    await using webhook = await startWebhook();
    const to = { port: webhook.port, host: '127.0.0.1', ca: webhook.ca };
    const both = connect({ ...to, ALPNProtocols: ['h2', 'http/1.1'] });
    await new Promise((resolve) => {
      both.once('secureConnect', resolve);
    });
    expect(both.alpnProtocol).toBe('http/1.1');
    both.destroy();
    for (const refused of [
      connect({ ...to, ALPNProtocols: ['h2'] }),
      connect({ ...to, minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'ALL@SECLEVEL=0' }),
    ]) {
      expect(await failure(refused)).toMatch(/ALERT/);
    }
    expect(await webhook.call({ body: REVIEW })).toMatchObject({ status: 200 });
  });

  it('drops the oldest connection without an answer where there are too many, and none that had one', async () => {
    await using webhook = await startWebhook();
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const ports = new Set<number | undefined>();
    agent.on('free', ({ localPort }: Socket) => ports.add(localPort));
    expect(await webhook.call({ agent, body: REVIEW })).toMatchObject({ status: 200 });
    const silent = await connectOneByOne(webhook.port, MAX_CONNECTIONS);
    await until(() => webhook.dropped() === 1);
    await closed(silent[0]!);
    expect(await webhook.call({ body: REVIEW })).toMatchObject({ status: 200 });
    expect(webhook.dropped()).toBe(2);
    expect(await webhook.call({ agent, body: REVIEW })).toMatchObject({ status: 200 });
    expect(ports.size).toBe(1);
    agent.destroy();
    for (const socket of silent) socket.destroy();
  });

  it('drops none that had an answer, in the middle of another call either', async () => {
    await using webhook = await startWebhook();
    const known = connect({ port: webhook.port, host: '127.0.0.1', ca: webhook.ca });
    const answered = async (text: string): Promise<string> => {
      const data = once(known, 'data');
      known.write(text);
      return String(await data);
    };
    const half = REVIEW.length / 2;
    expect(await answered(head(REVIEW.length) + REVIEW)).toMatch(/^HTTP\/1.1 200 /);
    known.write(head(REVIEW.length) + REVIEW.slice(0, half));
    const silent = await connectOneByOne(webhook.port, MAX_CONNECTIONS);
    await until(() => webhook.dropped() === 1);
    await closed(silent[0]!);
    expect(await answered(REVIEW.slice(half))).toMatch(/^HTTP\/1.1 200 /);
    for (const socket of [known, ...silent]) socket.destroy();
  });

  it('counts connections while they are there', async () => {
    await using webhook = await startWebhook();
    for (let n = 0; n < 2; n += 1) {
      const silent = Array.from({ length: MAX_CONNECTIONS - 1 }, () =>
        connectPlain({ port: webhook.port, host: '127.0.0.1' }),
      );
      // oxlint-disable-next-line no-await-in-loop -- the second lot when the first has gone
      await Promise.all(silent.map((socket) => once(socket, 'connect')));
      for (const socket of silent) socket.end();
      // oxlint-disable-next-line no-await-in-loop -- see above
      await Promise.all(silent.map(closed));
    }
    expect(await webhook.call({ body: REVIEW })).toMatchObject({ status: 200 });
    expect(webhook.dropped()).toBe(0);
  });

  it.each([
    ['says nothing', undefined],
    ['has sent a head alone', head(1000)],
    ['has sent a part of a body', `${head(1000)}{`],
  ])('ends soon where a caller %s, and after the answer of one who waits', async (_, sent) => {
    const answer = Promise.withResolvers<void>();
    const handle: AdmissionHandler = async ({ review }) => {
      await answer.promise;
      return allow(review.uid, [], []);
    };
    await using webhook = await startWebhook({ handle });
    const to = { port: webhook.port, host: '127.0.0.1', ca: webhook.ca };
    const stuck = sent === undefined ? connectPlain(to) : connect(to);
    stuck.on('error', () => {});
    const gone = closed(stuck);
    if (sent === undefined) await once(stuck, 'connect');
    else await new Promise<void>((resolve) => void stuck.write(sent, () => resolve()));
    const waits = webhook.call({ body: REVIEW });
    await until(() => webhook.inFlight() === 1);
    const ended = webhook.close();
    await gone;
    answer.resolve();
    expect(await waits).toMatchObject({ status: 200 });
    await ended;
  });
});

/** So that it is known which is the oldest. */
async function connectOneByOne(port: number, count: number): Promise<readonly Socket[]> {
  const sockets: Socket[] = [];
  for (let n = 0; n < count; n += 1) {
    const socket = connectPlain({ port, host: '127.0.0.1' });
    sockets.push(socket);
    // oxlint-disable-next-line no-await-in-loop -- see above
    await once(socket, 'connect');
  }
  return sockets;
}

function head(length: number): string {
  return `POST /admission/pin HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n\r\n`;
}

async function closed(socket: Socket): Promise<void> {
  if (!socket.destroyed) await once(socket, 'close');
}

function failure(socket: TLSSocket): Promise<string> {
  return new Promise((resolve) => {
    socket.once('error', (error) => resolve('code' in error ? String(error.code) : error.message));
  });
}
