import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import type { Credential } from '../../src/credentials/credential.ts';
import { countEntries, createKeyring, type Secret } from '../../src/credentials/keyring.ts';
import { PinError } from '../../src/errors.ts';

function encode(content: unknown): string {
  return Buffer.from(JSON.stringify(content)).toString('base64');
}

/** A pull secret; each registry has a user, whose password is `p`. */
function secretOf(users: Readonly<Record<string, string>>): Secret {
  const auths = Object.fromEntries(
    Object.entries(users).map(([registry, username]) => [registry, { username, password: 'p' }]),
  );
  return {
    type: 'kubernetes.io/dockerconfigjson',
    data: { '.dockerconfigjson': encode({ auths }) },
    metadata: { name: 'regcred' },
  };
}

function usersFor(image: string, ...secrets: readonly Secret[]): string[] {
  return createKeyring(secrets)
    .lookup(image)
    .map(({ username }) => username);
}

describe('Keyring.lookup()', () => {
  // TestURLsMatch, TestDockerKeyringForGlob and TestKeyringMiss of kubernetes/kubernetes
  // pkg/credentialprovider/keyring_test.go, with images that a Pod could name.
  it.each([
    ['*.kubernetes.io', 'prefix.kubernetes.io/foo/bar'],
    ['prefix.*.io', 'prefix.kubernetes.io/foo'],
    ['prefix.kubernetes.*', 'prefix.kubernetes.io/foo'],
    ['*-good.kubernetes.io', 'prefix-good.kubernetes.io/foo'],
    ['*.kubernetes.io/blah', 'prefix.kubernetes.io/blah'],
    ['prefix.*.io/foo', 'prefix.kubernetes.io/foo/bar'],
    ['*.kubernetes.io:1111/blah', 'prefix.kubernetes.io:1111/blah'],
    ['prefix.*.io:1111/foo', 'prefix.kubernetes.io:1111/foo/bar'],
    ['*kubernetes.io', 'kubernetes.io/foo'],
    ['*.*.*.kubernetes.io', 'a.b.c.kubernetes.io/foo'],
    ['a*b*c.io', 'aXbYbZc.io/foo'],
    ['a**.io', 'a.io/foo'],
    ['https://hello.kubernetes.io', 'hello.kubernetes.io/foo/bar'],
    ['https://prefix.docker.*/path', 'prefix.docker.io/path/foo/bar'],
    ['https://*.docker.io:8888', 'prefix.docker.io:8888/foo/bar'],
    ['https://*.docker.io/v1/', 'prefix.docker.io/path/foo:1111'],
    ['https://*.docker.io/v2/', 'prefix.docker.io/path/foo:1111'],
    ['*.docker.io:1111', 'prefix.docker.io:1111/path/foo/bar'],
    ['http://a.example.com:', 'a.example.com/foo'],
    ['[fc00::1]:5000', '[fc00::1]:5000/foo'],
  ])('finds %s for %s', (registry, image) => {
    expect(usersFor(image, secretOf({ [registry]: 'u' }))).toStrictEqual(['u']);
  });

  it.each([
    ['*.kubernetes.io', 'kubernetes.io/foo'],
    ['*.*.kubernetes.io', 'prefix.kubernetes.io/foo'],
    ['*.*.kubernetes.io', 'kubernetes.io/foo'],
    ['*kubernetes.io', 'a.kubernetes.io/foo'],
    ['kubernetes.io', 'kubernetes.com/foo'],
    ['k*.io', 'quay.io/foo'],
    ['ab*ba.io', 'aba.io/foo'],
    ['*.kubernetes.io:1234/blah', 'prefix.kubernetes.io:1111/blah'],
    ['prefix.*.io/foo', 'prefix.kubernetes.io:1111/foo/bar'],
    ['https://hello.kubernetes.io', 'world.mesos.org/foo/bar'],
    ['https://*.docker.com', 'prefix.docker.io/foo/bar'],
    ['https://suffix.*.io', 'prefix.docker.io/foo/bar'],
    ['https://prefix.docker.c*', 'prefix.docker.io/foo/bar'],
    ['https://prefix.*.io/path:1111', 'prefix.docker.io/path/subpath:1111'],
    ['https://index.docker.io/v1/', 'world.mesos.org/foo/bar'],
    ['registry.example.com', 'registry.example.com.evil.example/foo'],
    ['registry.example.com', 'REGISTRY.example.com/foo'],
    ['example.com/a', 'example.com/b/a'],
    ['a?.example.com', 'ab.example.com/foo'],
    ['a[bc].example.com', 'ab.example.com/foo'],
    ['[fc00::1]', '[fc00::1]/foo'],
    ['*', '[a:]/foo'],
  ])('does not find %s for %s', (registry, image) => {
    expect(usersFor(image, secretOf({ [registry]: 'u' }))).toStrictEqual([]);
  });

  // TestDockerKeyringLookup, and TestIssue3797 for a key with a scheme and /v1/.
  it.each([
    ['bar.example.com/pong', ['grace', 'ada']],
    ['bar.example.com/ping', ['ada']],
    ['bar.example.com/pongz', ['grace', 'ada']],
    ['bar.example.com/pong/pang', ['grace', 'ada']],
    ['example.com/pong', []],
    ['foo.example.com/pong', []],
    ['quay.io/foo', ['rex']],
    ['quay.io/foo/bar', ['rex']],
  ])('finds for %s, longest path first: %j', (image, users) => {
    const secret = secretOf({
      'bar.example.com/pong': 'grace',
      'bar.example.com': 'ada',
      'https://quay.io/v1/': 'rex',
    });
    expect(usersFor(image, secret)).toStrictEqual(users);
  });

  it('lists names before globs, and later letters before earlier ones', () => {
    const secret = secretOf({
      '*.example.com': 'glob',
      'a.example.com': 'name',
      'a.*.com': 'glob behind',
      'a.example.com/b': 'path',
      'a.example.com/': 'slash',
    });
    expect(usersFor('a.example.com/b', secret)).toStrictEqual([
      'path',
      'name',
      'slash',
      'glob behind',
      'glob',
    ]);
  });

  it('lists the users of one key in the order of the secrets', () => {
    const secrets = [
      secretOf({ 'a.example.com': '1', 'b.example.com': 'no' }),
      secretOf({ 'https://a.example.com/v2/': '2', 'a.example.com/x': 'path' }),
      secretOf({ 'a.example.com/': '3' }),
    ];
    expect(usersFor('a.example.com/x', ...secrets)).toStrictEqual(['path', '1', '2', '3']);
  });

  // TestKeyringHitWithUnqualifiedDockerHub and its siblings, TestIsDefaultRegistryMatch.
  it.each([
    ['jenkins', ['hub']],
    ['google/docker-registry', ['hub']],
    ['library/ubuntu:22.04', ['hub']],
    ['docker.io/foo/bar', ['hub']],
    ['index.docker.io/foo/bar', ['hub']],
    ['localhost/foo', ['hub']],
    ['registry.tld/foo/bar', []],
    ['registry:5000/foo/bar', []],
    ['myhostdocker.io/foo/bar', []],
  ])('offers the user of https://index.docker.io/v1/ for %s: %j', (image, users) => {
    const secret = secretOf({ 'https://index.docker.io/v1/': 'hub' });
    expect(usersFor(image, secret)).toStrictEqual(users);
  });

  it('prefers the key docker.io, which hides index.docker.io', () => {
    const secret = secretOf({ 'https://index.docker.io/v1/': 'index', 'docker.io': 'direct' });
    expect(usersFor('nginx', secret)).toStrictEqual(['direct']);
  });

  it.each(['https://index.docker.io/v1', 'registry-1.docker.io', 'hub.docker.com'])(
    'has no use for the key %s',
    (registry) => {
      expect(usersFor('nginx', secretOf({ [registry]: 'u' }))).toStrictEqual([]);
    },
  );

  it('does not tell spellings of one image apart', () => {
    const secret = secretOf({ 'docker.io/library/nginx': 'u' });
    const spellings = ['nginx', 'nginx:1', 'docker.io/nginx', 'index.docker.io/library/nginx:2'];
    for (const image of [...spellings, `nginx:1@sha256:${'a'.repeat(64)}`]) {
      expect(usersFor(image, secret)).toStrictEqual(['u']);
    }
  });

  it('refuses what is no image', () => {
    expect(() => createKeyring([]).lookup('a b')).toThrow(
      expect.objectContaining({ name: 'PinError', code: 'invalid_reference' }),
    );
  });

  it('gives an array of its own each time', () => {
    const keyring = createKeyring([secretOf({ 'https://index.docker.io/v1/': 'u' })]);
    keyring.lookup('nginx').pop();
    expect(keyring.lookup('nginx')).toHaveLength(1);
  });

  // A service account's key: JSON with line ends, more than 2 KB of it.
  const KEY = JSON.stringify(
    { type: 'service_account', private_key: `-----BEGIN-----\n${'Ab:"/+=\n'.repeat(300)}` },
    null,
    2,
  );

  it.each<[string, Credential]>([
    ['an access token', { username: 'oauth2accesstoken', password: `ya29.${'a'.repeat(2048)}` }],
    ['a key', { username: '_json_key', password: KEY }],
    ['a key in base64', { username: '_json_key_base64', password: btoa(KEY) }],
  ])('gives %s back whole', (_, credential) => {
    const { username, password } = credential;
    const auth = Buffer.from(`${username}:${password}`).toString('base64');
    for (const entry of [{ username, password }, { auth }]) {
      const auths = { 'https://europe-docker.pkg.dev': entry };
      const keyring = createKeyring([
        {
          type: 'kubernetes.io/dockerconfigjson',
          data: { '.dockerconfigjson': encode({ auths }) },
        },
      ]);
      expect(keyring.lookup('europe-docker.pkg.dev/team/app:1')).toStrictEqual([credential]);
    }
  });
});

describe('createKeyring()', () => {
  const ENTRIES = { 'test.registry.io': { auth: 'dXNlcjpwYXNzd29yZA==' } };
  const CONFIG_JSON = encode({ auths: ENTRIES });
  const DOCKERCFG = encode(ENTRIES);

  // Test_MakeDockerKeyring of pkg/credentialprovider/secrets/secrets_test.go.
  it.each<[string, Secret, string[]]>([
    [
      '.dockerconfigjson of its type',
      { type: 'kubernetes.io/dockerconfigjson', data: { '.dockerconfigjson': CONFIG_JSON } },
      ['user'],
    ],
    [
      '.dockercfg of its type',
      { type: 'kubernetes.io/dockercfg', data: { '.dockercfg': DOCKERCFG } },
      ['user'],
    ],
    [
      '.dockerconfigjson of the other type',
      { type: 'kubernetes.io/dockercfg', data: { '.dockerconfigjson': CONFIG_JSON } },
      [],
    ],
    [
      '.dockercfg of the other type',
      { type: 'kubernetes.io/dockerconfigjson', data: { '.dockercfg': DOCKERCFG } },
      [],
    ],
    ['an opaque Secret', { type: 'Opaque', data: { '.dockerconfigjson': CONFIG_JSON } }, []],
    ['a Secret without a type', { data: { '.dockerconfigjson': CONFIG_JSON } }, []],
    ['a Secret without data', { type: 'kubernetes.io/dockerconfigjson' }, []],
    [
      'empty data',
      { type: 'kubernetes.io/dockerconfigjson', data: { '.dockerconfigjson': '' } },
      [],
    ],
  ])('takes what belongs to it from %s', (_, secret, users) => {
    expect(usersFor('test.registry.io/foo', secret)).toStrictEqual(users);
  });

  it.each<[string, string, string]>([
    ['data that is not base64', 'hunter2!', 'its data is not base64'],
    ['data that is not JSON', Buffer.from('hunter2').toString('base64'), 'it is not JSON'],
    ['a byte order mark', Buffer.from('\ufeff{"auths":{}}').toString('base64'), 'it is not JSON'],
    ['a bad entry', encode({ auths: { a: { auth: 'pants' } } }), 'an "auth" is not base64'],
  ])('refuses a keyring of which one secret has %s', (_, data, reason) => {
    const bad: Secret = {
      type: 'kubernetes.io/dockerconfigjson',
      data: { '.dockerconfigjson': data },
      metadata: { name: 'broken' },
    };
    expect(() => createKeyring([secretOf({ 'a.example.com': 'u' }), bad])).toThrow(
      expect.objectContaining({
        name: 'PinError',
        code: 'invalid_secret',
        message: `Cannot read pull secret "broken": ${reason}`,
      }),
    );
  });

  it('throws nothing but PinError', () => {
    const type = fc.constantFrom('kubernetes.io/dockerconfigjson', 'kubernetes.io/dockercfg');
    const data = fc.oneof(fc.string(), fc.jsonValue().map(encode), fc.base64String());
    const secret = fc.tuple(type, data).map(([kind, content]) => ({
      type: kind,
      data: { '.dockerconfigjson': content, '.dockercfg': content },
    }));
    fc.assert(
      fc.property(fc.array(secret), fc.string(), (secrets, image) => {
        let caught: unknown;
        try {
          createKeyring(secrets).lookup(image);
        } catch (error) {
          caught = error;
        }
        expect(caught === undefined || caught instanceof PinError).toBe(true);
      }),
    );
  });
});

describe('countEntries()', () => {
  const MANY = Object.fromEntries(Array.from({ length: 30_000 }, (_, n) => [`${n}`, {}]));

  it.each<[string, Secret, number]>([
    ['a .dockerconfigjson', secretOf({ 'a.example.com': 'u', 'b.example.com': 'u' }), 2],
    [
      'a .dockercfg',
      { type: 'kubernetes.io/dockercfg', data: { '.dockercfg': encode(MANY) } },
      30_000,
    ],
    ['auths in two cases', configOf({ auths: { a: {}, b: {} }, Auths: { c: {} } }), 3],
    [
      'registries that are no place, and entries that are malformed',
      configOf({ auths: { ' ': {}, b: 1 } }),
      2,
    ],
    ['no auths', configOf({ HttpHeaders: MANY }), 0],
    ['auths that are no object', configOf({ auths: ['a'] }), 0],
    ['a list', configOf(['a']), 0],
    [
      'an opaque Secret',
      { type: 'Opaque', data: { '.dockerconfigjson': encode({ auths: MANY }) } },
      0,
    ],
    ['data that is not base64', { ...configOf({}), data: { '.dockerconfigjson': '!' } }, 0],
  ])('counts those of %s, and reads none', (_, secret, count) => {
    expect(countEntries([secret])).toBe(count);
    expect(countEntries([secret, secretOf({ 'a.example.com': 'u' }), secret])).toBe(2 * count + 1);
  });

  it('is never less than what the keyring has', () => {
    const key = fc.constantFrom('a.io', 'https://a.io', 'b.io', 'a b', '');
    const auths = fc.option(fc.dictionary(key, fc.constant({})));
    const config = fc.dictionary(fc.constantFrom('auths', 'Auths', 'AUTHS', 'x'), auths);
    fc.assert(
      fc.property(fc.array(config.map(configOf), { maxLength: 3 }), (secrets) => {
        expect(countEntries(secrets)).toBeGreaterThanOrEqual(createKeyring(secrets).size);
      }),
    );
  });
});

function configOf(content: unknown): Secret {
  const data = { '.dockerconfigjson': encode(content) };
  return { type: 'kubernetes.io/dockerconfigjson', data };
}
