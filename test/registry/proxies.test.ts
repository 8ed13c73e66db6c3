import { describe, expect, it } from '@jest/globals';

import { createProxies } from '../../src/registry/proxies.ts';

const PROXY = 'http://proxy.corp.example:3128';

/** The host of the proxy that a URL is asked through. */
function proxyOf(url: string, environment: Record<string, string>): string | undefined {
  return createProxies(environment)(new URL(url))?.host;
}

describe('createProxies()', () => {
  it.each<[string, Record<string, string>, string | undefined]>([
    ['https://r.example.com/', {}, undefined],
    ['https://r.example.com/', { HTTPS_PROXY: PROXY }, 'proxy.corp.example:3128'],
    ['https://r.example.com/', { https_proxy: PROXY }, 'proxy.corp.example:3128'],
    ['https://r.example.com/', { HTTPS_PROXY: 'http://a:1', https_proxy: 'http://b:2' }, 'b:2'],
    ['https://r.example.com/', { HTTPS_PROXY: PROXY, https_proxy: '' }, undefined],
    ['https://r.example.com/', { HTTPS_PROXY: 'proxy:3128' }, 'proxy:3128'],
    ['https://r.example.com/', { HTTPS_PROXY: 'https://proxy' }, 'proxy'],
    ['https://r.example.com/', { HTTPS_PROXY: ' ' }, undefined],
    ['https://r.example.com/', { HTTP_PROXY: PROXY }, undefined],
    ['http://r.example.com/', { HTTP_PROXY: PROXY }, 'proxy.corp.example:3128'],
    ['http://r.example.com/', { HTTPS_PROXY: PROXY }, undefined],
  ])('asks %s with %j through %s', (url, environment, host) => {
    expect(proxyOf(url, environment)).toBe(host);
  });

  it('keeps the credential apart from what is shown', () => {
    const environment = { HTTPS_PROXY: 'http://al%40ice:p%3Aw@proxy:3128/path' };
    expect(createProxies(environment)(new URL('https://r.example.com/'))).toEqual({
      origin: 'http://proxy:3128',
      host: 'proxy:3128',
      authorization: `Basic ${btoa('al@ice:p:w')}`,
    });
  });

  it.each([
    'socks5://alice:canary@proxy:1080',
    'http://alice:canary@',
    'http://alice:canary%zz@proxy:3128',
    'ftp://alice:canary@proxy',
    'alice:canary@pro xy',
  ])('refuses %s by the name of the variable, without repeating it', (value) => {
    const read = (): unknown => createProxies({ HTTPS_PROXY: value });
    expect(read).toThrow(expect.objectContaining({ code: 'invalid_config' }));
    expect(read).toThrow(/^Cannot use HTTPS_PROXY: /);
    expect(read).not.toThrow(/canary|alice/);
  });

  it.each<[string, string, boolean]>([
    ['r.corp.example', 'https://r.corp.example/', true],
    ['R.Corp.example', 'https://r.corp.example/', true],
    ['corp.example', 'https://r.corp.example/', true],
    ['.corp.example', 'https://r.corp.example/', true],
    ['*.corp.example', 'https://r.corp.example/', true],
    ['.corp.example', 'https://corp.example/', false],
    ['corp.example', 'https://notcorp.example/', false],
    ['corp.example', 'https://corp.example.evil.io/', false],
    ['corp.example.', 'https://corp.example/', true],
    ['r.corp.example:5000', 'https://r.corp.example:5000/', true],
    ['r.corp.example:5000', 'https://r.corp.example/', false],
    ['r.corp.example:443', 'https://r.corp.example/', true],
    ['r.corp.example:80', 'http://r.corp.example/', true],
    ['a.example, .corp.example', 'https://r.corp.example/', true],
    ['a.example .corp.example', 'https://r.corp.example/', true],
    ['*', 'https://r.corp.example/', true],
    ['*:5000', 'https://r.corp.example/', false],
    ['10.0.0.0/8', 'https://10.1.2.3/', true],
    ['10.0.0.0/8', 'https://11.1.2.3/', false],
    ['10.0.0.0/8', 'https://r.corp.example/', false],
    ['10.1.2.3', 'https://10.1.2.3:5000/', true],
    ['10.1.2.3:5000', 'https://10.1.2.3:5000/', true],
    ['10.1.2.3:5000', 'https://10.1.2.3/', false],
    ['fc00::/7', 'https://[fd12::1]/', true],
    ['fd12::1', 'https://[fd12::1]:5000/', true],
    ['[fd12::1]', 'https://[fd12::1]/', true],
    ['[fd12::1]:5000', 'https://[fd12::1]:5000/', true],
    ['[fd12::1]:5000', 'https://[fd12::1]/', false],
    ['', 'https://localhost:5000/', true],
    ['', 'https://a.localhost/', true],
    ['', 'https://127.0.0.9/', true],
    ['', 'https://[::1]/', true],
    ['', 'https://r.corp.example/', false],
    ['10.0.0.0/99', 'https://10.1.2.3/', false],
  ])('reads NO_PROXY "%s": asks %s directly: %s', (noProxy, url, direct) => {
    const environment = { HTTPS_PROXY: PROXY, HTTP_PROXY: PROXY, NO_PROXY: noProxy };
    expect(proxyOf(url, environment) === undefined).toBe(direct);
  });
});
