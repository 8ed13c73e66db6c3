import { describe, expect, it } from '@jest/globals';

import { type HostEntry, parseHostsToml } from '../../../src/registry/files/hosts-toml.ts';

// The facts of TestParseHostFile in containerd's core/remotes/docker/config/hosts_test.go
// (Apache License 2.0), in the terms of this parser; that a host may push or list referrers is of
// no interest here.
const CONTAINERD_FILE = `
server = "https://test-default.registry"
ca = "/etc/path/default"
[header]
  x-custom-1 = "custom header"

[host."https://mirror.registry"]
  capabilities = ["pull"]
  ca = "/etc/certs/mirror.pem"
  skip_verify = false
  [host."https://mirror.registry".header]
    x-custom-2 = ["value1", "value2"]

[host."https://mirror-bak.registry/us"]
  capabilities = ["pull"]
  skip_verify = true

[host."http://mirror.registry"]
  capabilities = ["pull"]

[host."https://test-1.registry"]
  capabilities = ["pull", "resolve", "push", "referrers"]
  ca = ["/etc/certs/test-1-ca.pem", "/etc/certs/special.pem"]
  client = [["/etc/certs/client.cert", "/etc/certs/client.key"],["/etc/certs/client.pem", ""]]

[host."https://test-2.registry"]
  client = "/etc/certs/client.pem"

[host."https://test-3.registry"]
  client = ["/etc/certs/client-1.pem", "/etc/certs/client-2.pem"]

[host."https://no-referrers.registry"]
  capabilities = ["pull", "resolve", "push"]
  client = ["/etc/certs/client-1.pem", "/etc/certs/client-2.pem"]

[host."https://noncompliantmirror.registry/v2/namespaceprefix"]
  capabilities = ["pull"]
  override_path = true

[host."https://noprefixnoncompliant.registry"]
  override_path = true

[host."https://onlyheader.registry".header]
  x-custom-1 = "justaheader"

[host."https://dial-timeout.registry"]
  dial_timeout = "3s"
`;

/** An entry in the form of the table below. */
function told({ server, resolves, tls, headers, connectTimeoutMs }: HostEntry): unknown {
  return {
    at: server === undefined ? 'the registry itself' : server.url.origin + server.root,
    resolves,
    ...(tls.ca.length > 0 && { ca: tls.ca }),
    ...(tls.client && { client: tls.client }),
    ...(tls.skipVerify !== undefined && { skipVerify: tls.skipVerify }),
    ...(Object.keys(headers).length > 0 && { headers }),
    ...(connectTimeoutMs !== undefined && { connectTimeoutMs }),
  };
}

function read(text: string): unknown[] {
  return parseHostsToml(text, '/certs.d/r.example.com').map(told);
}

describe('parseHostsToml()', () => {
  it("reads containerd's own example, host for host", () => {
    expect(read(CONTAINERD_FILE)).toEqual([
      {
        at: 'https://mirror.registry/v2',
        resolves: false,
        ca: ['/etc/certs/mirror.pem'],
        skipVerify: false,
        headers: { 'x-custom-2': 'value1, value2' },
      },
      { at: 'https://mirror-bak.registry/us/v2', resolves: false, skipVerify: true },
      { at: 'http://mirror.registry/v2', resolves: false },
      {
        at: 'https://test-1.registry/v2',
        resolves: true,
        ca: ['/etc/certs/test-1-ca.pem', '/etc/certs/special.pem'],
        client: { cert: '/etc/certs/client.cert', key: '/etc/certs/client.key' },
      },
      {
        at: 'https://test-2.registry/v2',
        resolves: true,
        client: { cert: '/etc/certs/client.pem' },
      },
      {
        at: 'https://test-3.registry/v2',
        resolves: true,
        client: { cert: '/etc/certs/client-1.pem' },
      },
      {
        at: 'https://no-referrers.registry/v2',
        resolves: true,
        client: { cert: '/etc/certs/client-1.pem' },
      },
      { at: 'https://noncompliantmirror.registry/v2/namespaceprefix', resolves: false },
      { at: 'https://noprefixnoncompliant.registry', resolves: true },
      {
        at: 'https://onlyheader.registry/v2',
        resolves: true,
        headers: { 'x-custom-1': 'justaheader' },
      },
      { at: 'https://dial-timeout.registry/v2', resolves: true, connectTimeoutMs: 3000 },
      {
        at: 'https://test-default.registry/v2',
        resolves: true,
        ca: ['/etc/path/default'],
        headers: { 'x-custom-1': 'custom header' },
      },
    ]);
  });

  it.each([
    ['no server: the registry itself is last', '', ['the registry itself']],
    ['no scheme: https', 'server = "r.example.com:5000"', ['https://r.example.com:5000/v2']],
    [
      'a name that begins as a scheme does',
      'server = "httpd.example.com"',
      ['https://httpd.example.com/v2'],
    ],
    [
      'a path that is /v2 already',
      'server = "https://r.example.com/v2/"',
      ['https://r.example.com/v2'],
    ],
    [
      'a path that ends in /v2',
      'server = "https://r.example.com/a//b/v2"',
      ['https://r.example.com/a/b/v2'],
    ],
    [
      'a path that only ends in v2',
      'server = "https://r.example.com/av2"',
      ['https://r.example.com/av2/v2'],
    ],
    ['a slash alone', 'server = "https://r.example.com/"', ['https://r.example.com/v2']],
    [
      'a path of its own',
      'server = "r.example.com/x"\noverride_path = true',
      ['https://r.example.com/x'],
    ],
    [
      'the order of the file',
      '[host."https://b"]\n[host."https://a"]\n[host."https://c".header]\nx="1"',
      ['https://b/v2', 'https://a/v2', 'https://c/v2', 'the registry itself'],
    ],
  ])('knows %s', (_what, text, places) => {
    expect(read(text)).toMatchObject(places.map((at) => ({ at })));
  });

  it.each([
    ['no list', '', true],
    ['an empty list', 'capabilities = []', true],
    ['both', 'capabilities = ["pull", "resolve"]', true],
    ['both, in capitals', 'capabilities = ["Pull", "RESOLVE"]', true],
    ['pull alone', 'capabilities = ["pull"]', false],
    ['resolve alone', 'capabilities = ["resolve"]', false],
    ['push alone', 'capabilities = ["push"]', false],
  ])('lets a host resolve tags with %s of capabilities: %s', (_what, line, resolves) => {
    expect(read(`[host."https://m"]\n${line}`)[0]).toMatchObject({ resolves });
    expect(read(`server = "https://m"\n${line}`)[0]).toMatchObject({ resolves });
  });

  it('lets the registry itself resolve tags whatever stands at the root without a server', () => {
    expect(read('capabilities = ["push"]')).toEqual([
      { at: 'the registry itself', resolves: true },
    ]);
  });

  it('finds files beside itself, unless their paths are absolute', () => {
    const text = 'ca = ["ca.crt", "/etc/ca.crt", "../ca.crt"]\nclient = [["a.cert", "a.key"]]';
    expect(read(text)).toMatchObject([
      {
        ca: ['/certs.d/r.example.com/ca.crt', '/etc/ca.crt', '/certs.d/ca.crt'],
        client: { cert: '/certs.d/r.example.com/a.cert', key: '/certs.d/r.example.com/a.key' },
      },
    ]);
  });

  it.each([
    ['"300ms"', 300],
    ['"1.5s"', 1500],
    ['"1m30s"', 90_000],
    ['".5s"', 500],
    ['"1µs"', 1],
    ['"0"', undefined],
    ['"0s"', undefined],
    ['""', undefined],
  ])('reads a dial_timeout of %s', (text, ms) => {
    expect(parseHostsToml(`dial_timeout = ${text}`, '/')[0]?.connectTimeoutMs).toBe(ms);
  });

  it('writes names of headers in lower case, so that an own one replaces them', () => {
    const text = '[header]\nAuthorization = "Basic canary"';
    expect(parseHostsToml(text, '/')[0]?.headers).toEqual({ authorization: 'Basic canary' });
  });

  it.each([
    ['server = ', /line 1, column \d+ is no TOML/],
    ['server = 5', /"server" is no text/],
    ['[host."https://m"]\ncapabilities = ["pull", "fly"]', /"fly" is no capability/],
    ['capabilities = "pull"', /"capabilities" is no list/],
    ['capabilities = [1]', /"capabilities" holds what is no text/],
    ['ca = 1', /"ca" holds what is no text/],
    ['client = [["a", "b", "c"]]', /"client" holds what is no pair/],
    ['client = [1]', /"client" holds what is no text/],
    ['skip_verify = "yes"', /"skip_verify" is neither true nor false/],
    ['override_path = 1', /"override_path" is neither true nor false/],
    ['header = "x"', /"header" is no table/],
    ['[header]\nx = 1', /"header" holds what is no text/],
    ['[header]\n"x y" = "1"', /"header" is no header/],
    ['[header]\nx = "a\\nb"', /"header" is no header/],
    ['host = 1', /"host" is no table/],
    ['host = { "https://m" = 1 }', /"host" is no table/],
    ['dial_timeout = "soon"', /"dial_timeout" is no duration/],
    ['dial_timeout = 3', /"dial_timeout" is no text/],
    ['server = "https://user:secret@r.example.com"', /"r.example.com" is no address of a host/],
    ['server = "https://"', /"https:\/\/" is no address of a host/],
  ])('refuses %j', (text, message) => {
    expect(() => parseHostsToml(text, '/')).toThrow(
      expect.objectContaining({ code: 'invalid_config', message: expect.stringMatching(message) }),
    );
  });

  it('does not quote what it cannot read: a header may be a password', () => {
    let message = '';
    try {
      parseHostsToml('[header]\nauthorization = "Basic canary', '/');
    } catch (caught) {
      message = String(caught);
    }
    expect(message).toContain('is no TOML');
    expect(message).not.toContain('canary');
  });
});
