import { connect, type TLSSocket } from 'node:tls';

import { describe, expect, it } from '@jest/globals';

import { objectOf, POD, reviewBody, specOf } from '../support/review.ts';
import { startWebhook } from '../support/webhook.ts';

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
});

function failure(socket: TLSSocket): Promise<string> {
  return new Promise((resolve) => {
    socket.once('error', (error) => resolve('code' in error ? String(error.code) : error.message));
  });
}
