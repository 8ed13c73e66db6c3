import { rootCertificates, setDefaultCACertificates } from 'node:tls';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { RegistryRequest, RegistryResponse } from '../../src/registry/exchange.ts';
import { createGuard } from '../../src/registry/guard.ts';
import { createAuthority, createSelfSigned, type KeyPair } from '../support/certificate.ts';
import type { Fault } from '../support/fault.ts';
import {
  createRegistryStack,
  guardWithNames,
  type RegistryStack,
} from '../support/registry-stack.ts';
import { type Rule, startRegistry } from '../support/scripted-registry.ts';

const MAX_BODY_BYTES = 1000;
const MIB = 1024 * 1024;

function get(
  stack: RegistryStack,
  url: string,
  change: Partial<RegistryRequest> = {},
): Promise<RegistryResponse> {
  return stack.transport.send({
    method: 'GET',
    url: new URL(url),
    headers: {},
    signal: AbortSignal.timeout(30_000),
    maxBodyBytes: MAX_BODY_BYTES,
    followRedirects: true,
    ...change,
  });
}

/** A stack that speaks http with these registries. */
function plainStack(...hosts: string[]): RegistryStack {
  return createRegistryStack({ plainHttp: hosts });
}

const REDIRECTS_FOR_EVER: Rule = { status: 302, headers: { location: '/again' } };

describe('createTransport()', () => {
  it('sends what it is given, asks for no compression, and says who it is', async () => {
    await using registry = await startRegistry([
      { body: 'hello', headers: { 'x-two': ['a', 'b'] } },
    ]);
    await using stack = plainStack(registry.host);
    const headers = { accept: 'text/plain' };
    const response = await get(stack, `${registry.origin}/v2/a?n=1`, { headers });
    expect(response.status).toBe(200);
    expect(response.body.toString()).toBe('hello');
    expect(response.header('x-two')).toEqual(['a', 'b']);
    expect(response.header('x-three')).toEqual([]);
    expect(registry.requests).toHaveLength(1);
    expect(registry.requests[0]).toMatchObject({
      method: 'GET',
      path: '/v2/a',
      headers: {
        accept: 'text/plain',
        'accept-encoding': 'identity',
        'user-agent': 'tagpin/test',
      },
    });
    expect(stack.observed).toEqual([`${registry.host} 200`]);
  });

  it('tells what an answer says of a quota, and nothing where it says nothing', async () => {
    const quota = { 'ratelimit-limit': '100;w=21600', 'ratelimit-remaining': '76;w=21600' };
    await using registry = await startRegistry([
      { when: { path: '/told' }, headers: quota },
      { when: { path: '/limited' }, status: 429, headers: { 'ratelimit-remaining': '0' } },
      { body: 'hello' },
    ]);
    await using stack = plainStack(registry.host);
    for (const path of ['/told', '/limited', '/silent']) {
      // oxlint-disable-next-line no-await-in-loop -- told in their order
      await get(stack, `${registry.origin}${path}`);
    }
    expect(stack.quotas).toEqual([
      { remaining: 76, limit: 100, windowS: 21_600 },
      { remaining: 0, limit: undefined, windowS: undefined },
    ]);
  });

  it('takes a body of the greatest length, and cuts off one byte more', async () => {
    await using registry = await startRegistry([
      { when: { path: '/fits' }, body: 'x'.repeat(MAX_BODY_BYTES) },
      { when: { path: '/long' }, body: 'x'.repeat(MAX_BODY_BYTES + 1) },
      { when: { path: '/endless' }, fault: 'endless_body' },
    ]);
    await using stack = plainStack(registry.host);
    expect((await get(stack, `${registry.origin}/fits`)).body).toHaveLength(MAX_BODY_BYTES);
    for (const path of ['/long', '/endless']) {
      await expect(get(stack, registry.origin + path)).rejects.toMatchObject({
        code: 'invalid_response',
        message: `${registry.host} sent more than 1000 bytes`,
      });
    }
  });

  it('reads long bodies up to 32 MiB together, and small ones meanwhile', async () => {
    await using registry = await startRegistry([
      { when: { path: '/small' }, body: 'x'.repeat(MAX_BODY_BYTES) },
      { when: { path: '/long' }, body: Buffer.alloc(4 * MIB) },
      { observe: (response) => response.write(Buffer.alloc(4 * MIB)), fault: 'silence' },
    ]);
    await using stack = plainStack(registry.host);
    const giveUp = new AbortController();
    const { signal } = giveUp;
    const change = { maxBodyBytes: 5 * MIB, signal };
    const ends = Array.from({ length: 12 }, async () => get(stack, registry.origin, change));
    const refused = await Promise.race(ends.map((end) => end.catch((error: unknown) => error)));
    expect(refused).toMatchObject({ code: 'unavailable', asked: false });
    expect(await get(stack, `${registry.origin}/small`)).toMatchObject({ status: 200 });
    giveUp.abort();
    await Promise.allSettled(ends);
    const again = Array.from({ length: 8 }, () =>
      get(stack, `${registry.origin}/long`, { maxBodyBytes: 4 * MIB }),
    );
    expect((await Promise.all(again)).map(({ body }) => body.length)).toStrictEqual(
      Array.from({ length: 8 }, () => 4 * MIB),
    );
  });

  it.each<[Fault, string, string]>([
    ['reset', 'unavailable', 'broke the connection off'],
    ['reset_in_body', 'unavailable', 'broke the connection off'],
    ['large_header', 'invalid_response', 'does not speak HTTP properly'],
  ])('calls the fault "%s" %s', async (fault, code, said) => {
    await using registry = await startRegistry([{ fault }]);
    await using stack = plainStack(registry.host);
    await expect(get(stack, registry.origin)).rejects.toMatchObject({
      name: 'PinError',
      code,
      message: `${registry.host} ${said}`,
      host: '127.0.0.1',
    });
    expect(stack.observed).toEqual([`${registry.host} ${code}`]);
  });

  it('calls a body shorter than its Content-Length a broken connection', async () => {
    await using registry = await startRegistry([
      { headers: { 'content-length': '10', connection: 'close' }, fault: 'cut_short' },
    ]);
    await using stack = plainStack(registry.host);
    await expect(get(stack, registry.origin)).rejects.toMatchObject({ code: 'unavailable' });
  });

  it.each<Fault>(['silence', 'silent_body', 'drip'])(
    'ends the fault "%s" by the signal',
    async (fault) => {
      await using registry = await startRegistry([{ fault }]);
      await using stack = plainStack(registry.host);
      const signal = AbortSignal.timeout(100);
      await expect(get(stack, registry.origin, { signal })).rejects.toMatchObject({
        code: 'deadline_exceeded',
        message: `${registry.host} did not answer in time`,
      });
    },
  );

  it('keeps its connections, after a HEAD as well', async () => {
    await using registry = await startRegistry([{ body: 'hello' }]);
    await using stack = plainStack(registry.host);
    for (const method of ['HEAD', 'GET', 'HEAD', 'HEAD', 'GET', 'HEAD', 'HEAD'] as const) {
      const response = await get(stack, `${registry.origin}/v2/a`, { method });
      expect(response.body.toString()).toBe(method === 'GET' ? 'hello' : '');
    }
    // Two, as the one may not be free yet when the next request is sent.
    expect(registry.accepted()).toBeLessThanOrEqual(2);
  });

  it('is not misled by a server that sends a body after a HEAD', async () => {
    const raw = 'HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello';
    await using registry = await startRegistry([{ raw }]);
    await using stack = plainStack(registry.host);
    for (const method of ['HEAD', 'HEAD', 'GET'] as const) {
      const response = await get(stack, `${registry.origin}/v2/a`, { method });
      expect(response.body.toString()).toBe(method === 'GET' ? 'hello' : '');
    }
  });

  it('asks nobody when the signal has ended before', async () => {
    await using registry = await startRegistry([{}]);
    await using stack = plainStack(registry.host);
    const signal = AbortSignal.abort();
    await expect(get(stack, registry.origin, { signal })).rejects.toMatchObject({
      code: 'deadline_exceeded',
    });
    expect(registry.requests).toHaveLength(0);
  });

  it('says that a port refuses connections', async () => {
    const registry = await startRegistry([]);
    await registry[Symbol.asyncDispose]();
    await using stack = plainStack(registry.host);
    await expect(get(stack, registry.origin)).rejects.toMatchObject({
      code: 'unavailable',
      message: `${registry.host} refuses connections`,
    });
  });

  it('says that DNS does not know a name', async () => {
    await using stack = createRegistryStack();
    await expect(get(stack, 'https://registry.invalid/')).rejects.toMatchObject({
      code: 'dns_failed',
      message: expect.stringMatching(
        /^registry\.invalid (is not known to DNS|could not be looked up)/,
      ),
    });
  });

  it('refuses a name whose address is blocked when it connects', async () => {
    await using registry = await startRegistry([{}]);
    const options = { plainHttp: [`localhost:${registry.port}`] };
    await using stack = createRegistryStack(options);
    expect(await get(stack, `http://localhost:${registry.port}/`)).toMatchObject({ status: 200 });
    const guard = createGuard({
      plainHttp: options.plainHttp,
      allowRegistry: [],
      allowAddress: [],
    });
    await using strict = createRegistryStack({ guard });
    await expect(get(strict, `http://localhost:${registry.port}/`)).rejects.toMatchObject({
      code: 'blocked_address',
      message: expect.stringContaining('resolves to a loopback address'),
    });
  });
});

describe('createTransport() with redirects', () => {
  const credentials = { authorization: 'Basic canary', accept: 'text/plain' };

  it('keeps the credentials on the way to the same origin', async () => {
    await using registry = await startRegistry([
      { when: { path: '/a' }, status: 307, headers: { location: '/b' } },
      { when: { path: '/b' }, body: 'there' },
    ]);
    await using stack = plainStack(registry.host);
    const response = await get(stack, `${registry.origin}/a`, { headers: credentials });
    expect(response.body.toString()).toBe('there');
    expect(response.url.pathname).toBe('/b');
    expect(registry.requests[1]?.headers).toMatchObject(credentials);
  });

  it.each([301, 302, 303, 307, 308])(
    'follows a %i to another origin without the credentials, and never gives them back',
    async (status) => {
      await using back = await startRegistry([{ when: { path: '/c' }, body: 'there' }]);
      await using other = await startRegistry([
        { status, headers: { location: `${back.origin}/c` } },
      ]);
      await using registry = await startRegistry([
        { when: { path: '/a' }, status, headers: { location: `${other.origin}/b` } },
      ]);
      await using stack = plainStack(registry.host, other.host, back.host);
      const response = await get(stack, `${registry.origin}/a`, {
        method: 'HEAD',
        headers: credentials,
      });
      expect(response.status).toBe(200);
      for (const { requests } of [other, back]) {
        expect(requests).toHaveLength(1);
        expect(requests[0]?.method).toBe('HEAD');
        expect(requests[0]?.headers).toMatchObject({ accept: 'text/plain' });
        expect(requests[0]?.headers).not.toHaveProperty('authorization');
      }
    },
  );

  it('does not give the credentials back to the first origin after another one', async () => {
    const rules: Rule[] = [];
    await using registry = await startRegistry(rules);
    await using other = await startRegistry([
      { status: 302, headers: { location: `${registry.origin}/end` } },
    ]);
    rules.push(
      { when: { path: '/end' }, body: 'there' },
      { status: 302, headers: { location: `${other.origin}/` } },
    );
    await using stack = plainStack(registry.host, other.host);
    await get(stack, `${registry.origin}/start`, { headers: credentials });
    expect(registry.requests.map(({ headers }) => headers.authorization)).toEqual([
      'Basic canary',
      undefined,
    ]);
  });

  it('follows five times, and no more', async () => {
    await using registry = await startRegistry([
      { ...REDIRECTS_FOR_EVER, times: 5 },
      { body: 'there', times: 1 },
      REDIRECTS_FOR_EVER,
    ]);
    await using stack = plainStack(registry.host);
    expect(await get(stack, registry.origin)).toMatchObject({ status: 200 });
    await expect(get(stack, registry.origin)).rejects.toMatchObject({
      code: 'invalid_response',
      message: `${registry.host} redirects more than 5 times`,
    });
    expect(registry.requests).toHaveLength(6 + 6);
  });

  it('returns the redirect itself where it is not to be followed', async () => {
    await using registry = await startRegistry([REDIRECTS_FOR_EVER]);
    await using stack = plainStack(registry.host);
    const response = await get(stack, registry.origin, { followRedirects: false });
    expect(response.status).toBe(302);
    expect(registry.requests).toHaveLength(1);
  });

  it.each([
    ['https://169.254.169.254/latest/meta-data/', 'blocked_address'],
    ['http://[::ffff:a9fe:a9fe]/', 'blocked_address'],
    ['//metadata.google.internal/', 'blocked_address'],
    ['http://registry.example.com/', 'blocked_address'],
    ['https://user:password@registry.example.com/', 'blocked_address'],
    ['file:///etc/passwd', 'blocked_address'],
    ['data:text/plain,hello', 'blocked_address'],
    ['https://', 'invalid_response'],
  ])('does not follow to %s', async (location, code) => {
    await using registry = await startRegistry([{ status: 302, headers: { location } }]);
    await using stack = plainStack(registry.host);
    await expect(get(stack, registry.origin)).rejects.toMatchObject({ code });
    expect(registry.requests).toHaveLength(1);
  });
});

function tlsStack(): RegistryStack {
  return createRegistryStack({ guard: guardWithNames(['*.example.com:*']) });
}

describe('createTransport() with redirects of strangers', () => {
  it('gives no credential to the target of a redirect that asks for one', async () => {
    await using other = await startRegistry([
      { status: 401, headers: { 'www-authenticate': 'Basic realm="r"' } },
    ]);
    await using registry = await startRegistry([
      {
        when: { headers: { authorization: null } },
        status: 401,
        headers: { 'www-authenticate': 'Basic realm="r"' },
      },
      { status: 302, headers: { location: `${other.origin}/v2/a/manifests/1` } },
    ]);
    await using stack = plainStack(registry.host, other.host);
    const asked = stack.lookup(`${registry.host}/a:1`, {
      credentials: [{ username: 'alice', password: 'canary' }],
      signal: AbortSignal.timeout(30_000),
    });
    await expect(asked).rejects.toMatchObject({ code: 'unauthorized' });
    expect(registry.requests.some(({ headers }) => headers.authorization !== undefined)).toBe(true);
    expect(other.requests.length).toBeGreaterThan(0);
    expect(other.requests.filter(({ headers }) => 'authorization' in headers)).toEqual([]);
  });

  it('refuses a location of 10 KB without repeating it', async () => {
    const host = `${'a'.repeat(10_000)}.example.com`;
    await using registry = await startRegistry([
      { when: { path: '/host' }, status: 302, headers: { location: `https://${host}/` } },
      { when: { path: '/path' }, status: 302, headers: { location: `/${'b'.repeat(10_000)}` } },
      { body: 'there' },
    ]);
    await using stack = plainStack(registry.host);
    const refused = await get(stack, `${registry.origin}/host`).catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: 'blocked_address' });
    expect((refused as Error).message.length).toBeLessThan(200);
    expect((await get(stack, `${registry.origin}/path`)).url.pathname).toHaveLength(10_001);
  });

  it('asks no second time what redirects to itself more than five times', async () => {
    await using registry = await startRegistry([{ status: 302, headers: { location: '' } }]);
    await using stack = plainStack(registry.host);
    await expect(get(stack, `${registry.origin}/loop`)).rejects.toMatchObject({
      code: 'invalid_response',
    });
    expect(registry.requests).toHaveLength(6);
  });
});

/** What a refusal of an unknown authority ends in. */
function trust(host: string): string {
  return `; --registry-ca ${host}=FILE trusts its authority, and so does NODE_EXTRA_CA_CERTS`;
}

describe('createTransport() over TLS', () => {
  let trusted: KeyPair;
  let expired: KeyPair;
  let untrusted: KeyPair;
  let selfSigned: KeyPair;

  beforeAll(async () => {
    const authority = await createAuthority();
    trusted = await authority.issue(['registry.example.com']);
    expired = await authority.issue(['registry.example.com'], new Date(Date.now() - 1000));
    untrusted = await (await createAuthority()).issue(['registry.example.com']);
    selfSigned = await createSelfSigned();
    setDefaultCACertificates([authority.certificate]);
  });
  afterAll(() => setDefaultCACertificates(rootCertificates));

  it('accepts a certificate of a trusted authority for the right name', async () => {
    await using registry = await startRegistry([{ body: 'hello' }], trusted);
    await using stack = tlsStack();
    const response = await get(stack, `https://registry.example.com:${registry.port}/`);
    expect(response.body.toString()).toBe('hello');
  });

  it.each<{
    what: string;
    pair: () => KeyPair;
    name: string;
    said: string;
    code: string;
    isHelped?: true;
  }>([
    {
      what: 'an unknown authority',
      pair: () => untrusted,
      name: 'registry',
      said: 'has a certificate of an unknown authority',
      code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
      isHelped: true,
    },
    {
      what: 'a certificate that nobody else signed',
      pair: () => selfSigned,
      name: 'registry',
      said: 'has a certificate that it signed itself',
      code: 'DEPTH_ZERO_SELF_SIGNED_CERT',
      isHelped: true,
    },
    {
      what: 'an expired certificate',
      pair: () => expired,
      name: 'registry',
      said: 'has a certificate that has expired',
      code: 'CERT_HAS_EXPIRED',
    },
    {
      what: 'another name',
      pair: () => trusted,
      name: 'other',
      said: 'has a certificate for another name',
      code: 'ERR_TLS_CERT_ALTNAME_INVALID',
    },
  ])('refuses $what, and says what helps', async ({ pair, name, said, code, isHelped }) => {
    await using registry = await startRegistry([{}], pair());
    await using stack = tlsStack();
    const host = `${name}.example.com:${registry.port}`;
    await expect(get(stack, `https://${host}/`)).rejects.toMatchObject({
      code: 'tls_failed',
      message: `${host} ${said} (${code}${isHelped === true ? trust(host) : ''})`,
    });
    expect(registry.requests).toHaveLength(0);
  });

  it('does not follow from https to http, not even to a host of --plain-http', async () => {
    await using plain = await startRegistry([{ body: 'there' }]);
    await using registry = await startRegistry(
      [{ status: 302, headers: { location: `${plain.origin}/v2/` } }],
      trusted,
    );
    await using stack = createRegistryStack({
      guard: { ...guardWithNames(['*.example.com:*']), checkUrl: () => {} },
    });
    const host = `registry.example.com:${registry.port}`;
    await expect(get(stack, `https://${host}/`)).rejects.toMatchObject({
      code: 'blocked_address',
      message: `${host} redirects from https to http, which is not followed`,
    });
    expect(plain.requests).toHaveLength(0);
  });

  it('says that TLS is too old, and not that the certificate is wrong', async () => {
    const old = { ...trusted, maxVersion: 'TLSv1.1', minVersion: 'TLSv1' } as const;
    await using registry = await startRegistry([{}], old);
    await using stack = tlsStack();
    const host = `registry.example.com:${registry.port}`;
    await expect(get(stack, `https://${host}/`)).rejects.toMatchObject({
      code: 'tls_failed',
      message: `${host} does not agree on TLS (ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION)`,
    });
  });

  it('says that a server without TLS needs --plain-http', async () => {
    await using registry = await startRegistry([{}]);
    await using stack = tlsStack();
    const host = `registry.example.com:${registry.port}`;
    await expect(get(stack, `https://${host}/`)).rejects.toMatchObject({
      code: 'tls_failed',
      message: `${host} does not speak TLS (--plain-http ${host} allows http)`,
    });
  });
});
