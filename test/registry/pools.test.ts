import { once } from 'node:events';
import { createServer } from 'node:net';

import { describe, expect, it } from '@jest/globals';

import { createGuard, type GuardOptions } from '../../src/registry/guard.ts';
import type { ResolveName } from '../../src/registry/name-lookups.ts';
import { createPools } from '../../src/registry/pools.ts';
import { createRegistryStack, type RegistryStack } from '../support/registry-stack.ts';
import { type ScriptedRegistry, startRegistry } from '../support/scripted-registry.ts';

const FOUND = { headers: { 'docker-content-digest': `sha256:${'a'.repeat(64)}` } };

/** The real guard before a DNS that has these addresses for every name. */
function stackWithDns(resolveName: ResolveName, change: Partial<GuardOptions> = {}): RegistryStack {
  const guard = createGuard({
    plainHttp: ['r.example.com:*'],
    allowRegistry: [],
    allowAddress: ['127.0.0.0/8', '::1/128'],
    resolveName,
    ...change,
  });
  return createRegistryStack({ guard });
}

function dnsWith(...addresses: readonly string[]): ResolveName {
  return (_hostname, _options, callback) =>
    callback(
      null,
      addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    );
}

/** A server at ::1, at the port of a registry, that counts whom it hung up on. */
async function listenAtIpv6(port: number): Promise<AsyncDisposable & { dialled: () => number }> {
  let dialled = 0;
  const server = createServer((socket) => {
    dialled += 1;
    socket.destroy();
  });
  server.listen({ port, host: '::1', ipv6Only: true });
  await once(server, 'listening');
  return {
    dialled: () => dialled,
    [Symbol.asyncDispose]: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

async function statusOf(
  stack: RegistryStack,
  { port }: ScriptedRegistry,
  name = 'r.example.com',
): Promise<number> {
  const response = await stack.transport.send({
    method: 'GET',
    url: new URL(`http://${name}:${port}/v2/a/manifests/1`),
    headers: {},
    signal: AbortSignal.timeout(30_000),
    maxBodyBytes: 1000,
    followRedirects: true,
  });
  return response.status;
}

describe('createPools() and addresses of both families', () => {
  it.each([
    ['IPv6 refuses connections', ['::1', '127.0.0.1']],
    ['the first of each family refuses them', ['::1', '127.0.0.9', '127.0.0.1']],
  ])('reaches the address that works where %s', async (_what, addresses) => {
    await using registry = await startRegistry([FOUND]);
    await using stack = stackWithDns(dnsWith(...addresses));
    expect(await statusOf(stack, registry)).toBe(200);
  });

  it('dials none of the addresses where one of them is refused', async () => {
    await using registry = await startRegistry([FOUND]);
    await using other = await listenAtIpv6(registry.port);
    const options = { allowAddress: ['127.0.0.0/8'] };
    await using stack = stackWithDns(dnsWith('127.0.0.1', '::1'), options);
    await expect(statusOf(stack, registry)).rejects.toMatchObject({ code: 'blocked_address' });
    expect(other.dialled()).toBe(0);
    expect(registry.requests).toHaveLength(0);
  });
});

describe('createPools() and a name that is not resolved in time', () => {
  it('says so, and nothing against the host, which was not dialled', async () => {
    await using stack = stackWithDns(() => {});
    const asked = stack.transport.send({
      method: 'HEAD',
      url: new URL('http://r.example.com:5000/v2/'),
      headers: {},
      signal: AbortSignal.timeout(30_000),
      maxBodyBytes: 1000,
      followRedirects: true,
      connection: { named: false, connectTimeoutMs: 400 },
    });
    await expect(asked).rejects.toMatchObject({
      code: 'dns_failed',
      message: 'r.example.com:5000 could not be looked up: its name was not resolved in time',
      silence: undefined,
    });
  });
});

describe('createPools() and rules that change', () => {
  it('leaves a connection alone that was made while the registry was named', async () => {
    await using registry = await startRegistry([FOUND]);
    let lookups = 0;
    let more: readonly string[] = [];
    const answer = dnsWith('127.0.0.1');
    // Names are loopback here, where the guard would see private addresses elsewhere.
    const guard = createGuard({
      plainHttp: [],
      allowRegistry: [],
      allowAddress: ['127.0.0.0/8'],
      moreRegistries: () => more,
      resolveName: (hostname, options, callback) => {
        lookups += 1;
        answer(hostname, options, callback);
      },
    });
    await using stack = createRegistryStack({ guard: { ...guard, checkUrl: () => {} } });
    more = ['r.example.com:*'];
    // oxlint-disable-next-line no-await-in-loop -- one after the other, until the connections stay
    for (let n = 0; n < 5; n += 1) await statusOf(stack, registry);
    const whileNamed = lookups;
    await statusOf(stack, registry);
    expect(lookups).toBe(whileNamed);
    more = [];
    await statusOf(stack, registry);
    expect(lookups).toBe(whileNamed + 1);
  });
});

describe('createPools() and whoever leads to a host', () => {
  it('has connections of its own for a stranger, as other rules hold for it', async () => {
    const guard = createGuard({
      plainHttp: [],
      allowRegistry: ['r.example.com'],
      allowAddress: [],
    });
    const pools = createPools({ guard });
    const url = new URL('https://r.example.com/');
    const ofImages = pools.poolOf(url, undefined);
    const ofStranger = pools.poolOf(url, undefined, new URL('https://evil.example/'));
    expect(ofStranger).not.toBe(ofImages);
    expect(pools.poolOf(url, undefined)).toBe(ofImages);
    await pools.close();
  });
});

describe('createPools() and many origins', () => {
  it('closes the pool that was used least, and lets its request end', async () => {
    const release = Promise.withResolvers<void>();
    await using registry = await startRegistry([{ ...FOUND, hold: release.promise }]);
    const guard = createGuard({
      plainHttp: ['*:*'],
      allowRegistry: [],
      allowAddress: ['127.0.0.0/8'],
    });
    const pools = createPools({ guard });
    const url = new URL(registry.origin);
    const first = pools.poolOf(url, undefined);
    const answer = first.request({ origin: url.origin, path: '/', method: 'HEAD' });
    await registry.received(1);
    for (let n = 0; n < 200; n += 1) pools.poolOf(new URL(`http://r${n}.example.com/`), undefined);
    expect(pools.poolOf(url, undefined)).not.toBe(first);
    release.resolve();
    expect((await answer).statusCode).toBe(200);
    await expect(
      first.request({ origin: url.origin, path: '/', method: 'HEAD' }),
    ).rejects.toMatchObject({ code: 'UND_ERR_CLOSED' });
    await pools.close();
  });
});

describe('createPools() and invented host names', () => {
  it('keeps connections to 200 of them, and closes those that were used least', async () => {
    await using registry = await startRegistry([FOUND]);
    const asked: string[] = [];
    const answer = dnsWith('127.0.0.1');
    const resolveName: ResolveName = (hostname, options, callback) => {
      asked.push(hostname);
      answer(hostname, options, callback);
    };
    await using stack = stackWithDns(resolveName, { plainHttp: ['*.example.com:*'] });
    const names = Array.from({ length: 201 }, (_, n) => `h${n}.example.com`);
    // oxlint-disable-next-line no-await-in-loop -- their order is what is tested
    for (const name of names) await statusOf(stack, registry, name);
    expect(asked).toEqual(names);
    const [first = '', second = ''] = names;
    await statusOf(stack, registry, first);
    expect(asked.slice(201)).toEqual([first]);
    await statusOf(stack, registry, second);
    expect(asked.slice(202)).toEqual([second]);
  });
});
