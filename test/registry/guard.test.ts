import type { LookupAddress } from 'node:dns';
import { isIP } from 'node:net';

import { describe, expect, it } from '@jest/globals';
import { PinError } from '../../src/errors.ts';
import { createGuard, type Guard, type GuardOptions } from '../../src/registry/guard.ts';
import type { ResolveName } from '../../src/registry/name-lookups.ts';
import { REGISTRY_SETTINGS } from '../../src/settings/registry-settings.ts';

const NOTHING: GuardOptions = { plainHttp: [], allowRegistry: [], allowAddress: [] };

const DIAL = { timeoutMs: 60_000, mayBeOld: false };

const LOOPBACK_REFUSAL = 'a loopback address (--allow-address 127.0.0.0/8,::1/128 allows it)';

function guard(options: Partial<GuardOptions> = {}): Guard {
  return createGuard({ ...NOTHING, ...options });
}

/** Why the guard refuses, or undefined. */
function refusal(url: string, options: Partial<GuardOptions> = {}): string | undefined {
  return refusalOf(url, options)?.message;
}

function refusalOf(url: string, options: Partial<GuardOptions> = {}): PinError | undefined {
  try {
    guard(options).checkUrl(new URL(url));
    return undefined;
  } catch (error) {
    if (error instanceof PinError && error.code === 'blocked_address') return error;
    throw error;
  }
}

/** The flag that a refusal names. */
function flagNamed(message: string | undefined): string | undefined {
  return /--[a-z-]+/.exec(message ?? '')?.[0];
}

/** The options that a flag of a refusal makes, read as the program reads them. */
function flagRead(told: string): Partial<GuardOptions> {
  const [flag = '', text = ''] = told.split(' ');
  const read: Readonly<Record<string, () => Partial<GuardOptions>>> = {
    '--plain-http': () => ({ plainHttp: REGISTRY_SETTINGS.plainHttp.parse(text) }),
    '--allow-registry': () => ({ allowRegistry: REGISTRY_SETTINGS.allowRegistry.parse(text) }),
    '--allow-address': () => ({ allowAddress: REGISTRY_SETTINGS.allowAddress.parse(text) }),
  };
  return read[flag]?.() ?? {};
}

function resolve(url: string, options: Partial<GuardOptions>): Promise<readonly LookupAddress[]> {
  const parsed = new URL(url);
  const lookup = guard(options).lookupFor(parsed, DIAL);
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
    ['Amazon Pod Identity', '169.254.170.23'],
    ['Amazon Pod Identity of IPv6', '[fd00:ec2::23]'],
    ['Oracle metadata of IPv6', '[fd00:c1::a9fe:a9fe]'],
    ['Scaleway metadata of IPv6', '[fd00:42::42]'],
    ['Linode metadata of IPv6', '[fd00:a9fe:a9fe::1]'],
    ['Alibaba metadata of IPv6', '[fd00:100::100:200]'],
    ['link-local as one number', '2852039166'],
    ['link-local in hexadecimal', '0xa9fea9fe'],
    ['link-local in octal', '0251.0376.0251.0376'],
    ['link-local with two parts', '169.16689662'],
    ['link-local with a dot at the end', '169.254.169.254.'],
    ['link-local in wide digits', '１６９.254.169.254'],
    ['link-local in percent signs', '%31%36%39.254.169.254'],
    ['link-local, IPv4-compatible', '[::a9fe:a9fe]'],
    ['loopback, IPv4-compatible', '[::127.0.0.1]'],
    ['private, IPv4-translated', '[::ffff:0:10.0.0.1]'],
    ['Teredo', '[2001:0:a9fe:a9fe::1]'],
  ])('refuses a %s address, whatever the operator allows', (_what, host) => {
    expect(refusal(`https://${host}/`, EVERYTHING)).toMatch(
      /is not asked: it is a link-local, metadata or reserved address$/,
    );
  });

  it.each([
    ['https://169.254.169.254/', 'name another registry: no flag allows this one'],
    ['https://10.0.0.1/', 'name another registry, or use the flag if you trust this one'],
  ])('leads whoever asks for %s to a flag where there is one', (url, advice) => {
    expect(refusalOf(url)?.advice).toBe(advice);
  });

  it.each([
    'metadata.google.internal',
    'METADATA.google.internal.',
    'ｍetadata.google.internal',
    '%6detadata.google.internal..',
    'metadata',
    'metadata.goog',
    'instance-data',
    'instance-data.ec2.internal',
    'metadata.azure.internal',
    'metadata.tencentyun.com',
  ])('refuses the name %s, whatever the operator allows', (host) => {
    expect(refusal(`http://${host}/`, EVERYTHING)).toMatch(/it names a metadata service$/);
  });

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
    expect(refusal(`https://${host}/`)).toContain(`(--allow-registry ${host} allows it)`);
    expect(refusal(`https://${host}/`, { allowRegistry: [host] })).toBeUndefined();
    expect(refusal(`https://${host}/`, { allowAddress: ['0.0.0.0/0', '::/0'] })).toBeUndefined();
  });

  it.each(['127.0.0.1', '127.8.8.8', '[::1]', '[::ffff:127.0.0.1]', '[64:ff9b::7f00:1]'])(
    'refuses the loopback address %s unless --allow-address has it',
    (host) => {
      const url = `https://${host}/`;
      expect(refusal(url)).toContain(LOOPBACK_REFUSAL);
      expect(refusal(url, { allowRegistry: ['*:*'] })).toContain(LOOPBACK_REFUSAL);
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
  ])('lets %s go without TLS only where it is named: %j', (url, options, flag) => {
    expect(flagNamed(refusal(url, options))).toBe(flag);
  });

  it.each([
    'ftp://r.example.com/',
    'file:///etc/passwd',
    'data:text/plain,hello',
    'ws://r.example.com/',
  ])('refuses %s, whatever the operator allows', (url) => {
    expect(refusal(url, EVERYTHING)).toMatch(/ is not asked: it speaks neither https nor http$/);
  });

  // What a shell or the flag itself would read must not stand behind the name of the flag.
  it.each([
    '*',
    '*.example.com',
    'a,b.example.com',
    '$(id).example.com',
    "r';id;'.example.com",
    '`id`.example.com',
    'registry.example.com.',
    'registry..example.com',
    `${'a'.repeat(300)}.example.com`,
  ])('refuses the host %s, whatever the operator allows, and offers no flag', (host) => {
    const message = refusal(`https://${host}:5000/`, EVERYTHING) ?? '';
    expect(message).toMatch(/ is not asked: it is no plain host name or address$/);
    expect(message.length).toBeLessThan(200);
    expect(flagNamed(refusal(`https://${host}:5000/`))).toBeUndefined();
  });

  it.each<[string, string]>([
    ['https://10.0.0.1/', '--allow-registry 10.0.0.1'],
    ['https://10.0.0.1:5000/', '--allow-registry 10.0.0.1:5000'],
    ['https://[fc00::1]/', '--allow-registry [fc00::1]'],
    ['https://[fc00::1]:5000/', '--allow-registry [fc00::1]:5000'],
    ['https://r.example.com:5000/', '--allow-registry r.example.com:5000'],
    ['https://8.8.8.8:5000/', '--allow-registry 8.8.8.8:5000'],
    ['http://r.example.com/', '--plain-http r.example.com'],
    ['http://r.example.com:443/', '--plain-http r.example.com:443'],
    ['http://[fc00::1]:5000/', '--plain-http [fc00::1]:5000'],
    ['http://10.0.0.1/', '--plain-http 10.0.0.1'],
    ['https://127.0.0.1/', '--allow-address 127.0.0.0/8,::1/128'],
    ['https://[::1]:5000/', '--allow-address 127.0.0.0/8,::1/128'],
    ['https://[64:ff9b::7f00:1]/', '--allow-address 127.0.0.0/8,::1/128'],
  ])('refuses %s, and "%s", as it says, allows it', (url, told) => {
    const message = refusal(url) ?? '';
    expect(message).toContain(`(${told} allows it)`);
    expect(refusal(url, flagRead(told))).toBeUndefined();
  });

  it.each<[string, Partial<GuardOptions>, string]>([
    ['https://10.0.0.1/', { allowRegistry: ['10.0.0.1'] }, 'it is a private address'],
    ['https://r.example.com:5000/', { allowRegistry: ['*:*'] }, 'its port is not 443'],
    ['http://r.example.com/', { plainHttp: ['*:*'] }, 'it does not speak https'],
  ])('refuses %s, with %j, where a stranger leads to it', (url, options, why) => {
    const named = guard({ ...options, allowAddress: [] });
    const word = { stranger: new URL('https://evil.example') };
    expect(() => named.checkUrl(new URL(url))).not.toThrow();
    expect(() => named.checkUrl(new URL(url), word)).toThrow(
      `${new URL(url).host} is not asked: ${why}, and evil.example, which names it, is not allowed to (--allow-registry evil.example`,
    );
  });

  it('lets a stranger lead to what anybody may name', () => {
    const word = { stranger: new URL('https://r.example.net') };
    expect(() => guard().checkUrl(new URL('https://auth.example.com/token'), word)).not.toThrow();
  });

  it('reads the list that changes each time it has changed', () => {
    let more: readonly string[] = [];
    const changing = guard({ moreRegistries: () => more });
    const url = new URL('https://r.example.com:5000/');
    expect(() => changing.checkUrl(url)).toThrow('--allow-registry r.example.com:5000');
    expect(changing.isNamed(url)).toBe(false);
    more = ['*.example.com:5000'];
    expect(() => changing.checkUrl(url)).not.toThrow();
    expect(changing.isNamed(url)).toBe(true);
    more = [];
    expect(() => changing.checkUrl(url)).toThrow('--allow-registry');
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
      message: `localhost is not asked: it resolves to ${LOOPBACK_REFUSAL}`,
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
      DIAL,
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

/** A resolver that gives these answers, one after the other, and the last for ever. */
function dnsOf(...answers: readonly (readonly string[])[]): ResolveName {
  let asked = 0;
  return (_hostname, _options, callback) => {
    const addresses = answers[Math.min(asked, answers.length - 1)] ?? [];
    asked += 1;
    callback(
      null,
      addresses.map((address) => ({ address, family: isIP(address) })),
    );
  };
}

describe('createGuard() lookupFor with the answers of a stranger', () => {
  const REGISTRY = 'https://r.example.com/';

  it.each([
    ['a public and a loopback address', ['8.8.8.8', '127.0.0.1']],
    ['a public and a private address', ['8.8.8.8', '10.0.0.1']],
    ['a private address of IPv6 behind public ones', ['8.8.8.8', '2606:4700::1111', 'fd12::1']],
    ['a metadata address behind a public one', ['8.8.8.8', '169.254.169.254']],
  ])('rejects an answer with %s as a whole', async (_what, addresses) => {
    await expect(resolve(REGISTRY, { resolveName: dnsOf(addresses) })).rejects.toMatchObject({
      code: 'blocked_address',
    });
  });

  it.each([
    ['169.254.169.254'],
    ['fe80::1%eth0'],
    ['::ffff:169.254.169.254'],
    ['64:ff9b::a9fe:a9fe'],
    ['fd00:ec2::254'],
    ['0.0.0.0'],
    ['no address'],
  ])('rejects %s whatever the operator allows', async (address) => {
    const options = { ...EVERYTHING, resolveName: dnsOf([address]) };
    const message =
      'r.example.com is not asked: it resolves to a link-local, metadata or reserved address';
    await expect(resolve(REGISTRY, options)).rejects.toMatchObject({ message });
  });

  it('says what allows a private address, and not which one it is', async () => {
    const resolveName = dnsOf(['10.20.30.40']);
    const url = 'https://r.example.com:5000/';
    await expect(resolve(url, { resolveName })).rejects.toMatchObject({
      message:
        'r.example.com:5000 is not asked: it resolves to a private address (--allow-registry r.example.com:5000 allows it)',
    });
    const allowed = { resolveName, ...flagRead('--allow-registry r.example.com:5000') };
    expect(await resolve(url, allowed)).toEqual([{ address: '10.20.30.40', family: 4 }]);
  });

  it('rejects a private address of a named host where a stranger leads to it', async () => {
    const named = guard({ allowRegistry: ['r.example.com'], resolveName: dnsOf(['10.0.0.1']) });
    const stranger = new URL('https://evil.example');
    const lookup = named.lookupFor(new URL(REGISTRY), { ...DIAL, stranger });
    const told = await new Promise((done) => {
      lookup('r.example.com', { all: true }, (error) => done(error));
    });
    expect(told).toMatchObject({
      code: 'blocked_address',
      message:
        'r.example.com is not asked: it resolves to a private address, and evil.example, which names it, is not allowed to (--allow-registry evil.example,r.example.com allows it)',
    });
  });

  it('looks at every answer, so that a second one cannot be another', async () => {
    const lookup = guard({ resolveName: dnsOf(['8.8.8.8'], ['10.0.0.1']) }).lookupFor(
      new URL(REGISTRY),
      DIAL,
    );
    const once = (): Promise<unknown> =>
      new Promise((done) => {
        lookup('r.example.com', { all: true }, (error, addresses) => done(error ?? addresses));
      });
    expect(await once()).toEqual([{ address: '8.8.8.8', family: 4 }]);
    expect(await once()).toMatchObject({ code: 'blocked_address' });
  });
});
