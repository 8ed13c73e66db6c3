import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import {
  decodeBase64,
  parseDockerConfigJson,
  parseDockercfg,
  type RegistryEntry,
} from '../../src/credentials/docker-config.ts';
import { PinError } from '../../src/errors.ts';

const ORIGIN = 'pull secret "regcred"';

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

function parse(content: unknown): RegistryEntry[] {
  return parseDockerConfigJson(JSON.stringify(content), ORIGIN);
}

function parseEntry(entry: unknown): unknown {
  return parse({ auths: { 'a.example.com': entry } })[0]?.credential;
}

function refusal(reason: string): unknown {
  return expect.objectContaining({
    name: 'PinError',
    code: 'invalid_secret',
    message: expect.stringMatching(new RegExp(`^Cannot read ${ORIGIN}: .*${reason}`)),
  });
}

describe('parseDockerConfigJson()', () => {
  it.each<[string, unknown, string, string]>([
    ['username and password', { username: 'foo', password: 'bar', email: 'e' }, 'foo', 'bar'],
    ['auth', { auth: base64('foo:bar'), email: 'e' }, 'foo', 'bar'],
    [
      'auth rather than username and password',
      { username: 'foo', password: 'bar', auth: base64('ping:pong') },
      'ping',
      'pong',
    ],
    ['username beside an empty auth', { username: 'foo', password: 'bar', auth: '' }, 'foo', 'bar'],
    ['auth without padding', { auth: 'Zm9vOmJhcg' }, 'foo', 'bar'],
    ['auth with line ends', { auth: 'Zm9vOm\nJhcg==\r\n' }, 'foo', 'bar'],
    ['a password with colons', { auth: base64('foo:b:a:r') }, 'foo', 'b:a:r'],
    ['an empty user', { auth: base64(':bar') }, '', 'bar'],
    ['fields in any case', { UserName: 'foo', PASSWORD: 'bar' }, 'foo', 'bar'],
    ['the last of several cases', { username: 'a', Username: 'b', USERNAME: null }, 'b', ''],
    ['nulls as nothing', { username: null, password: 'bar', auth: null }, '', 'bar'],
    ['nothing of an identity token', { identitytoken: 'i', registrytoken: 'r' }, '', ''],
    ['half a surrogate as Go does', { password: 'a\ud800' }, '', 'a\ufffd'],
    ['a null entry', null, '', ''],
    ['an empty entry', {}, '', ''],
  ])('reads %s', (...[, entry, username, password]) => {
    expect(parseEntry(entry)).toStrictEqual({ username, password });
  });

  it.each([
    ['https://index.docker.io/v1/', 'index.docker.io'],
    ['https://index.docker.io/v1', 'index.docker.io/v1'],
    ['http://a.example.com', 'a.example.com'],
    ['a.example.com/', 'a.example.com'],
    ['a.example.com:5000/v2/team/', 'a.example.com:5000/team/'],
    ['a.example.com/v1beta/x', 'a.example.com/v1beta/x'],
    ['*.example.com/team', '*.example.com/team'],
    ['__proto__', '__proto__'],
  ])('strips %s to %s', (registry, key) => {
    const text = `{"auths":{${JSON.stringify(registry)}:{}}}`;
    expect(parseDockerConfigJson(text, ORIGIN).map((entry) => entry.key)).toStrictEqual([key]);
  });

  it.each(['a.example.com:port', '[::1', 'a.example.com/%zz'])(
    'passes over the key %s, and keeps the others',
    (registry) => {
      const entries = parse({ auths: { [registry]: {}, 'b.example.com': {} } });
      expect(entries.map(({ key }) => key)).toStrictEqual(['b.example.com']);
    },
  );

  it.each<[string, unknown]>([
    ['no auths', {}],
    ['null', null],
    ['null auths', { auths: null }],
    ['auths that a null follows', { auths: { 'a.example.com': {} }, Auths: null }],
    ['helpers alone', { credsStore: 'x', credHelpers: { 'a.example.com': 'y' } }],
  ])('finds nothing in %s', (_, content) => {
    expect(parse(content)).toStrictEqual([]);
  });

  it('joins auths in several cases', () => {
    const entries = parse({ auths: { a: {} }, AUTHS: { b: {} } });
    expect(entries.map(({ key }) => key)).toStrictEqual(['a', 'b']);
  });

  it.each<[string, string, string]>([
    ['nothing', '', 'not JSON'],
    ['text', 'hunter2', 'not JSON'],
    ['half of it', '{"auths":{"hunter2', 'not JSON'],
    ['a list', '["hunter2"]', 'stands for an object'],
    ['auths that are a list', '{"auths":["hunter2"]}', 'stands for an object'],
    ['an entry that is text', '{"auths":{"a":"hunter2"}}', 'stands for an object'],
    ['a password that is a number', '{"auths":{"a":{"password":123}}}', 'a field is no text'],
    ['an email that is no text', '{"auths":{"a":{"email":false}}}', 'a field is no text'],
    ['headers that are no text', '{"HttpHeaders":{"a":1}}', 'a field is no text'],
    ['an auth that is not base64', '{"auths":{"a":{"auth":"hunter2!"}}}', 'not base64'],
    ['an auth without a colon', `{"auths":{"a":{"auth":"${base64('hunter2')}"}}}`, 'user:password'],
    ['a bad entry beside a good one', '{"auths":{"a":{},"b":{"auth":"pants"}}}', 'not base64'],
  ])('refuses %s', (_, text, reason) => {
    expect(() => parseDockerConfigJson(text, ORIGIN)).toThrow(refusal(reason));
  });

  it.each(['{"auths":{"hunter2', '["hunter2"]', '{"auths":{"a":{"auth":"hunter2!"}}}'])(
    'never shows the content of %s',
    (text) => {
      let caught: unknown;
      try {
        parseDockerConfigJson(text, ORIGIN);
      } catch (error) {
        caught = error;
      }
      expect(caught).toBeInstanceOf(PinError);
      expect(String(caught)).not.toContain('hunter2');
      expect((caught as PinError).cause).toBeUndefined();
    },
  );

  it('throws nothing but PinError', () => {
    const entry = fc.oneof(fc.jsonValue(), fc.record({ auth: fc.string() }));
    const auths = fc.dictionary(fc.string(), entry);
    const text = fc.oneof(
      fc.string(),
      fc.json(),
      auths.map((content) => JSON.stringify({ auths: content })),
    );
    fc.assert(
      fc.property(text, (content) => {
        let caught: unknown;
        try {
          parseDockerConfigJson(content, ORIGIN);
        } catch (error) {
          caught = error;
        }
        expect(caught === undefined || caught instanceof PinError).toBe(true);
      }),
    );
  });
});

function outcomeOf(read: () => readonly RegistryEntry[]): unknown {
  try {
    const fields = read().flatMap(({ key, credential }) => [
      key,
      credential.username,
      credential.password,
    ]);
    return fields.every((field) => typeof field === 'string') ? 'as it should be' : fields;
  } catch (caught) {
    return caught instanceof PinError ? 'as it should be' : caught;
  }
}

describe('both forms of a pull secret', () => {
  it('are entries or a PinError for any bytes, also for spoilt ones', () => {
    const valid = Buffer.from(
      JSON.stringify({ auths: { 'a.example.com': { auth: base64('foo:bar') } } }),
    );
    const spoilt = fc
      .tuple(fc.nat(valid.length - 1), fc.uint8Array({ maxLength: 4 }))
      .map(([at, bytes]) => Buffer.concat([valid.subarray(0, at), bytes, valid.subarray(at + 1)]));
    const anything = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes));
    const forms = fc.constantFrom(parseDockerConfigJson, parseDockercfg);
    fc.assert(
      fc.property(fc.oneof(spoilt, anything), forms, (data, form) => {
        expect(outcomeOf(() => form(data.toString('utf8'), ORIGIN))).toBe('as it should be');
      }),
      { numRuns: 500 },
    );
  });
});

describe('parseDockercfg()', () => {
  it('reads the registries without auths around them', () => {
    const text = JSON.stringify({ 'https://a.example.com/v1/': { auth: base64('foo:bar') } });
    expect(parseDockercfg(text, ORIGIN)).toStrictEqual([
      { key: 'a.example.com', credential: { username: 'foo', password: 'bar' } },
    ]);
  });

  it('takes auths for a registry', () => {
    const text = JSON.stringify({ auths: { 'a.example.com': {} } });
    expect(parseDockercfg(text, ORIGIN).map(({ key }) => key)).toStrictEqual(['auths']);
  });

  it.each([
    ['{', 'not JSON'],
    ['[]', 'stands for an object'],
    ['{"a":[]}', 'stands for an object'],
    ['{"a":{"auth":"pants"}}', 'not base64'],
  ])('refuses %s', (text, reason) => {
    expect(() => parseDockercfg(text, ORIGIN)).toThrow(refusal(reason));
  });
});

describe('decodeBase64()', () => {
  it.each([
    ['', ''],
    ['YQ==', 'a'],
    ['YQ', 'a'],
    ['YWI=', 'ab'],
    ['YWJj', 'abc'],
    ['Y\nQ=\r\n=', 'a'],
  ])('decodes %j', (text, decoded) => {
    expect(decodeBase64(text)?.toString()).toBe(decoded);
  });

  it.each(['Y', 'YQ=', 'YQ===', '=', '====', 'YQ==YQ==', 'YQ== ', 'Y Q', 'YQ-_', 'YWJj='])(
    'refuses %j',
    (text) => {
      expect(decodeBase64(text)).toBeUndefined();
    },
  );
});
