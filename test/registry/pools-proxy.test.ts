import { rootCertificates, setDefaultCACertificates } from 'node:tls';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Connection } from '../../src/registry/connection.ts';
import type { RegistryResponse } from '../../src/registry/exchange.ts';
import { createGuard } from '../../src/registry/guard.ts';
import { createProxies } from '../../src/registry/proxies.ts';
import { type Authority, createAuthority, type KeyPair } from '../support/certificate.ts';
import { startProxy } from '../support/proxy.ts';
import { createRegistryStack, type RegistryStack } from '../support/registry-stack.ts';
import { startRegistry } from '../support/scripted-registry.ts';

let authority: Authority;
let pair: KeyPair;

beforeAll(async () => {
  authority = await createAuthority();
  pair = await authority.issue(['r.example.com', '127.0.0.1']);
  setDefaultCACertificates([authority.certificate]);
});
afterAll(() => setDefaultCACertificates(rootCertificates));

/** The real guard, whose DNS knows no name: whoever reaches a registry came through the proxy. */
function stackBehind(environment: Record<string, string>): RegistryStack {
  const guard = createGuard({
    plainHttp: ['plain.example.com:*'],
    allowRegistry: ['r.example.com:*', 'direct.example.com:*'],
    allowAddress: [],
    resolveName: (hostname, _options, callback) => {
      const addresses =
        hostname === 'direct.example.com' ? [{ address: '127.0.0.1', family: 4 }] : [];
      callback(addresses.length > 0 ? null : new Error('no DNS here'), addresses);
    },
  });
  return createRegistryStack({ guard, proxyOf: createProxies(environment) });
}

function get(
  stack: RegistryStack,
  url: string,
  connection?: Connection,
): Promise<RegistryResponse> {
  return stack.transport.send({
    method: 'GET',
    url: new URL(url),
    headers: {},
    signal: AbortSignal.timeout(30_000),
    maxBodyBytes: 1000,
    followRedirects: true,
    connection,
  });
}

describe('createPools() behind a proxy', () => {
  it('reaches a registry through a tunnel, with the credential for the proxy alone', async () => {
    await using registry = await startRegistry([{ body: 'hello' }], pair);
    await using proxy = await startProxy();
    await using stack = stackBehind({ HTTPS_PROXY: `http://alice:canary@${proxy.host}` });
    const url = `https://r.example.com:${registry.port}/`;
    expect((await get(stack, url)).body.toString()).toBe('hello');
    expect(proxy.tunnels).toEqual([
      {
        target: `r.example.com:${registry.port}`,
        headers: expect.objectContaining({
          'proxy-authorization': `Basic ${btoa('alice:canary')}`,
        }),
      },
    ]);
    expect(registry.requests[0]?.headers).not.toHaveProperty('proxy-authorization');
    expect(registry.requests[0]?.headers).toMatchObject({ 'user-agent': 'tagpin/test' });
  });

  it('keeps a tunnel for the requests that follow', async () => {
    await using registry = await startRegistry([{ body: 'hello' }], pair);
    await using proxy = await startProxy();
    await using stack = stackBehind({ HTTPS_PROXY: proxy.origin });
    const url = `https://r.example.com:${registry.port}/`;
    // oxlint-disable-next-line no-await-in-loop -- one after the other, as tunnels become free
    for (let n = 0; n < 6; n += 1) await get(stack, url);
    expect(registry.requests).toHaveLength(6);
    expect(proxy.tunnels.length).toBeLessThanOrEqual(2);
  });

  it('speaks TLS with the proxy where its URL says so, and http through a tunnel', async () => {
    await using registry = await startRegistry([{ body: 'hello' }]);
    await using proxy = await startProxy({ pair });
    await using stack = stackBehind({ HTTP_PROXY: proxy.origin });
    const response = await get(stack, `http://plain.example.com:${registry.port}/`);
    expect(response.body.toString()).toBe('hello');
    expect(proxy.tunnels).toMatchObject([{ target: `plain.example.com:${registry.port}` }]);
  });

  it('holds the TLS settings of a connection to the far end, not to the proxy', async () => {
    const other = await createAuthority();
    const strange = await other.issue(['r.example.com']);
    await using registry = await startRegistry([{ body: 'hello' }], strange);
    await using proxy = await startProxy({ pair });
    await using stack = stackBehind({ HTTPS_PROXY: proxy.origin });
    const url = `https://r.example.com:${registry.port}/`;
    await expect(get(stack, url)).rejects.toMatchObject({
      code: 'tls_failed',
      message: expect.stringMatching(
        /^r\.example\.com:\d+ has a certificate of an unknown authority/,
      ),
    });
    const tls = { id: 'other', ca: [other.certificate] };
    expect((await get(stack, url, { named: true, tls })).status).toBe(200);
  });

  it.each([
    [407, ' (it asks for a user name and password)'],
    [502, ''],
    [403, ''],
    [204, ''],
  ])('says that it was the proxy that answered %i, once', async (status, hint) => {
    await using proxy = await startProxy({ status });
    await using stack = stackBehind({ HTTPS_PROXY: `http://alice:canary@${proxy.host}` });
    const failure = await get(stack, 'https://r.example.com/').catch((error: unknown) => error);
    expect(failure).toMatchObject({
      code: 'unavailable',
      host: 'r.example.com',
      message: `the proxy ${proxy.host} answered ${status}${hint} when asked for r.example.com`,
    });
    expect(proxy.tunnels).toHaveLength(1);
    expect(stack.observed).toEqual(['r.example.com unavailable']);
  });

  it('says that the proxy refuses connections', async () => {
    const proxy = await startProxy();
    await proxy[Symbol.asyncDispose]();
    await using stack = stackBehind({ HTTPS_PROXY: `http://alice:canary@${proxy.host}` });
    const failure = await get(stack, 'https://r.example.com/').catch((error: unknown) => error);
    expect(failure).toMatchObject({
      code: 'unavailable',
      message: `the proxy ${proxy.host} refuses connections`,
      advice:
        'look at the proxy, which HTTPS_PROXY names, or leave r.example.com out of it by NO_PROXY',
    });
    expect(JSON.stringify(failure, Object.getOwnPropertyNames(failure))).not.toContain('canary');
  });

  it('says that the proxy does not answer', async () => {
    await using proxy = await startProxy({ silent: true });
    await using stack = stackBehind({ HTTPS_PROXY: proxy.origin });
    await expect(get(stack, 'https://r.example.com/')).rejects.toMatchObject({
      message: expect.stringMatching(/^the proxy 127\.0\.0\.1:\d+ did not answer/),
    });
  });

  it.each([
    'https://169.254.169.254/',
    'https://127.0.0.2/',
    'https://10.0.0.1/',
    'https://metadata.google.internal/',
    'https://other.example.com:5000/',
    'http://r.example.com/',
    'https://user@r.example.com/',
  ])('never asks the proxy for %s', async (url) => {
    await using proxy = await startProxy();
    await using stack = stackBehind({ HTTPS_PROXY: proxy.origin, HTTP_PROXY: proxy.origin });
    await expect(get(stack, url)).rejects.toMatchObject({ code: 'blocked_address' });
    expect(proxy.tunnels).toEqual([]);
  });

  it('keeps the whole guard on a host of NO_PROXY', async () => {
    await using registry = await startRegistry([{}], pair);
    await using proxy = await startProxy();
    await using stack = stackBehind({
      HTTPS_PROXY: proxy.origin,
      NO_PROXY: 'direct.example.com',
    });
    await expect(get(stack, `https://direct.example.com:${registry.port}/`)).rejects.toMatchObject({
      code: 'blocked_address',
      message: expect.stringContaining('it resolves to a loopback address'),
    });
    expect(proxy.tunnels).toEqual([]);
    expect(registry.requests).toEqual([]);
  });
});
