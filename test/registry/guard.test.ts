import type { LookupAddress } from 'node:dns';

import { describe, expect, it } from '@jest/globals';

import { PinError } from '../../src/errors.ts';
import { createGuard, type Guard, type GuardOptions } from '../../src/registry/guard.ts';

const NOTHING: GuardOptions = { plainHttp: [], allowRegistry: [], allowAddress: [] };

function guard(options: Partial<GuardOptions> = {}): Guard {
  return createGuard({ ...NOTHING, ...options });
}

/** Why the guard refuses, or undefined. */
function refusal(url: string, options: Partial<GuardOptions> = {}): string | undefined {
  try {
    guard(options).checkUrl(new URL(url));
    return undefined;
  } catch (error) {
    if (error instanceof PinError && error.code === 'blocked_address') return error.message;
    throw error;
  }
}

/** The flag that a refusal names. */
function flagNamed(message: string | undefined): string | undefined {
  return /--[a-z-]+/.exec(message ?? '')?.[0];
}

function resolve(url: string, options: Partial<GuardOptions>): Promise<readonly LookupAddress[]> {
  const parsed = new URL(url);
  const lookup = guard(options).lookupFor(parsed);
  return new Promise((done, fail) => {
    lookup(parsed.hostname, { all: true }, (error, addresses) => {
      if (error === null) done(addresses as LookupAddress[]);
      else fail(error);
    });
  });
}

const EVERYTHING: GuardOptions = {
  plainHttp: ['*:*'],
  allowRegistry: ['*:*'],
  allowAddress: ['0.0.0.0/0', '::/0'],
};

describe('createGuard() checkUrl', () => {
  it.each([
    'https://registry.example.com/v2/',
    'https://REGISTRY.example.com:443/',
    'https://192.0.1.1/',
    'https://8.8.8.8/',
    'https://[2606:4700::1111]/',
    'https://172.15.255.255/',
    'https://172.32.0.0/',
    'https://100.128.0.0/',
  ])('lets %s pass', (url) => {
    expect(refusal(url)).toBeUndefined();
  });

  it.each([
    ['link-local', '169.254.169.254'],
    ['link-local in the form of IPv6', '[::ffff:a9fe:a9fe]'],
    ['link-local behind NAT64', '[64:ff9b::a9fe:a9fe]'],
    ['link-local in 6to4', '[2002:a9fe:a9fe::]'],
    ['link-local of IPv6', '[fe80::1]'],
    ['unspecified', '0.0.0.0'],
    ['unspecified, as a number', '0'],
    ['unspecified of IPv6', '[::]'],
    ['multicast', '224.0.0.1'],
    ['multicast of IPv6', '[ff02::1]'],
    ['broadcast', '255.255.255.255'],
    ['AWS metadata of IPv6', '[fd00:ec2::254]'],
    ['Google metadata of IPv6', '[fd20:ce::254]'],
    ['Alibaba metadata', '100.100.100.200'],
    ['Azure wire server', '168.63.129.16'],
    ['Oracle metadata', '192.0.0.192'],
  ])('refuses a %s address, whatever the operator allows', (_what, host) => {
    expect(refusal(`https://${host}/`, EVERYTHING)).toMatch(
      /is not asked: it is a link-local, metadata or reserved address$/,
    );
  });

  it.each(['metadata.google.internal', 'METADATA.google.internal.'])(
    'refuses the name %s, whatever the operator allows',
    (host) => {
      expect(refusal(`http://${host}/`, EVERYTHING)).toMatch(/it names a metadata service$/);
    },
  );

  it.each([
    ['10.1.2.3'],
    ['172.16.0.1'],
    ['172.31.255.255'],
    ['192.168.1.1'],
    ['100.64.0.1'],
    ['[fc00::1]'],
    ['[fec0::1]'],
    ['[::ffff:a01:203]'],
    ['[64:ff9b::a01:203]'],
    ['[64:ff9b:1::a01:203]'],
    ['[2002:a01:203::1]'],
  ])('refuses the private address %s unless it is named or allowed', (host) => {
    expect(refusal(`https://${host}/`)).toContain('(--allow-registry allows this registry)');
    expect(refusal(`https://${host}/`, { allowRegistry: [host] })).toBeUndefined();
    expect(refusal(`https://${host}/`, { allowAddress: ['0.0.0.0/0', '::/0'] })).toBeUndefined();
  });

  it.each(['127.0.0.1', '127.8.8.8', '[::1]', '[::ffff:127.0.0.1]', '[64:ff9b::7f00:1]'])(
    'refuses the loopback address %s unless --allow-address has it',
    (host) => {
      const url = `https://${host}/`;
      expect(refusal(url)).toContain('(--allow-address allows it)');
      expect(refusal(url, { allowRegistry: ['*:*'] })).toContain('(--allow-address allows it)');
      expect(refusal(url, { allowAddress: ['127.0.0.0/8', '::1/128'] })).toBeUndefined();
    },
  );

  it.each<[string, Partial<GuardOptions>, string | undefined]>([
    ['https://r.example.com:5000/', {}, '--allow-registry'],
    ['https://r.example.com:5000/', { allowRegistry: ['r.example.com'] }, '--allow-registry'],
    ['https://r.example.com:5000/', { allowRegistry: ['r.example.com:5001'] }, '--allow-registry'],
    ['https://r.example.com:5000/', { allowRegistry: ['r.example.com:5000'] }, undefined],
    ['https://r.example.com:5000/', { allowRegistry: ['*.example.com:*'] }, undefined],
    [
      'https://r.example.com.evil.io:5000/',
      { allowRegistry: ['*.example.com:*'] },
      '--allow-registry',
    ],
    ['https://10.0.0.1:5000/', { allowRegistry: ['10.0.0.1:5000'] }, undefined],
    ['https://10.0.0.1:5000/', { allowAddress: ['10.0.0.0/24'] }, undefined],
    ['https://10.0.1.1:5000/', { allowAddress: ['10.0.0.0/24'] }, '--allow-registry'],
  ])('holds the port of %s against %j', (url, options, flag) => {
    expect(flagNamed(refusal(url, options))).toBe(flag);
  });

  it.each<[string, Partial<GuardOptions>, string | undefined]>([
    ['http://r.example.com/', {}, '--plain-http'],
    ['http://r.example.com/', { plainHttp: ['r.example.com'] }, undefined],
    ['http://r.example.com/', { plainHttp: ['R.Example.com'] }, undefined],
    ['http://r.example.com:5000/', { plainHttp: ['r.example.com'] }, '--plain-http'],
    ['http://r.example.com:5000/', { plainHttp: ['r.example.com:5000'] }, undefined],
    ['http://10.0.0.1:5000/', { plainHttp: ['10.0.0.1:5000'] }, undefined],
    // Allowed to have a private address is not allowed to go without TLS.
    ['http://r.example.com:5000/', { allowRegistry: ['r.example.com:5000'] }, '--plain-http'],
    ['http://10.0.0.1:5000/', { allowAddress: ['10.0.0.0/8'] }, '--plain-http'],
    ['http://127.0.0.1:5000/', { plainHttp: ['127.0.0.1:5000'] }, '--allow-address'],
    ['ftp://r.example.com/', { plainHttp: ['*:*'] }, '--plain-http'],
    ['file:///etc/passwd', EVERYTHING, '--plain-http'],
  ])('lets %s go without TLS only where it is named: %j', (url, options, flag) => {
    expect(flagNamed(refusal(url, options))).toBe(flag);
  });

  it('says which value of the flag would allow a port', () => {
    expect(refusal('https://r.example.com:5000/')).toBe(
      'r.example.com:5000 is not asked: its port is not 443 (--allow-registry r.example.com:5000 allows it)',
    );
  });

  it('refuses a URL with a user name', () => {
    expect(refusal('https://canary:secret@r.example.com/')).toMatch(
      /^r\.example\.com is not asked: it holds a user name$/,
    );
  });
});

describe('createGuard() lookupFor', () => {
  it.each<[string, Partial<GuardOptions>]>([
    ['http://localhost/', {}],
    ['http://localhost/', { allowRegistry: ['localhost'] }],
    ['http://localhost/', { plainHttp: ['localhost'] }],
  ])('refuses a name that resolves to loopback: %s with %j', async (url, options) => {
    await expect(resolve(url, options)).rejects.toMatchObject({
      name: 'PinError',
      code: 'blocked_address',
      host: 'localhost',
      message:
        'localhost is not asked: it resolves to a loopback address (--allow-address allows it)',
    });
  });

  it('yields the addresses that are allowed', async () => {
    const options = { allowAddress: ['127.0.0.0/8', '::1/128'] };
    const addresses = await resolve('https://localhost/', options);
    expect(addresses.length).toBeGreaterThan(0);
    for (const { address } of addresses) expect(['127.0.0.1', '::1']).toContain(address);
  });

  it('yields one address to a caller that asks for one', async () => {
    const lookup = guard({ allowAddress: ['127.0.0.0/8', '::1/128'] }).lookupFor(
      new URL('https://localhost/'),
    );
    const found = await new Promise((done) => {
      lookup('localhost', { family: 4 }, (...answer) => done(answer));
    });
    expect(found).toEqual([null, '127.0.0.1', 4]);
  });

  it('passes the failure of DNS on', async () => {
    await expect(resolve('https://registry.invalid/', {})).rejects.toMatchObject({
      syscall: 'getaddrinfo',
    });
  });
});
