import type { AddressInfo, Server } from 'node:net';

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

import { createOperationsServer } from '../../src/server/operations.ts';

describe('createOperationsServer()', () => {
  let server: Server & { closeAllConnections: () => void };
  let waiting: string[];

  beforeEach(async () => {
    waiting = [];
    server = createOperationsServer({
      metrics: { text: async () => 'up 1\n', contentType: 'text/plain; version=0.0.4' },
      notReady: () => waiting,
    });
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
  });
  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });

  async function get(path: string): Promise<[number, string]> {
    const { port } = server.address() as AddressInfo;
    const response = await fetch(`http://127.0.0.1:${port}${path}`);
    return [response.status, await response.text()];
  }

  it('is alive whatever readiness waits for', async () => {
    waiting.push('no certificate is loaded');
    expect(await get('/healthz')).toEqual([200, 'ok\n']);
  });

  it('is ready when it waits for nothing, and says for what it waits', async () => {
    expect(await get('/readyz')).toEqual([200, 'ok\n']);
    waiting.push('no certificate is loaded', 'draining');
    expect(await get('/readyz')).toEqual([503, 'not ready: no certificate is loaded, draining\n']);
  });

  it('serves the metrics', async () => {
    expect(await get('/metrics')).toEqual([200, 'up 1\n']);
  });

  it('serves nothing else', async () => {
    expect((await get('/admission/pin'))[0]).toBe(404);
  });
});
