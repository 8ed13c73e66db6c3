import * as fc from 'fast-check';

const DIGITS = 'f'.repeat(64);

function joined(...parts: readonly fc.Arbitrary<string>[]): fc.Arbitrary<string> {
  return fc.tuple(...parts).map((texts) => texts.join(''));
}

/** `often` ten times, then `seldom` once. */
function mostly<T>(often: fc.Arbitrary<T>, seldom: fc.Arbitrary<T>): fc.Arbitrary<T> {
  return fc.oneof({ arbitrary: often, weight: 10 }, { arbitrary: seldom, weight: 1 });
}

const element = fc.oneof(
  fc.constantFrom('a', 'localhost', 'docker.io', 'index.docker.io', 'library', 'x.y', 'A', 'x_y.z'),
  fc.constantFrom('[::1]', '[fe80::1%a]', '[1:2]', '1.2.3.4', 'a--b', 'a__b', 'a..b', '-a', ''),
  fc.stringMatching(/^[a-zA-Z0-9._-]{1,8}$/),
  fc.string({ unit: 'binary', maxLength: 3 }),
);
const port = fc.constantFrom('', '', '', ':5000', ':', ':p');
const tag = fc.oneof(
  fc.constantFrom('', '', ':1', ':latest', ':', ':-a', ':_', ':1:2', `:${'t'.repeat(129)}`),
  fc.stringMatching(/^:[\w.-]{1,4}$/),
);
const digest = fc.constantFrom(
  '',
  '@',
  '@sha256:ab',
  `@md5:${DIGITS}`,
  `@sha256:${DIGITS}`,
  `@SHA256:${DIGITS}`,
  `@sha256:${DIGITS.toUpperCase()}`,
  `@sha256:${DIGITS}@sha256:${DIGITS}`,
  `@sha384:${DIGITS}${DIGITS.slice(32)}`,
  `@sha512:${DIGITS}${DIGITS}`,
  `@sha512:${DIGITS}`,
);
const repository = fc
  .array(element, { minLength: 1, maxLength: 4 })
  .map((parts) => parts.join('/'));
const host = joined(element, port, fc.constant('/'));
const length = fc.constantFrom(1, 254, 255, 256).map((count) => 'a'.repeat(count));
/** Text that is a reference, or nearly. */
export const referenceText: fc.Arbitrary<string> = fc.oneof(
  { arbitrary: joined(mostly(host, fc.constant('')), repository, tag, digest), weight: 10 },
  { arbitrary: joined(host, length, tag), weight: 1 },
  { arbitrary: fc.string({ maxLength: 80 }), weight: 1 },
  { arbitrary: fc.stringMatching(/^[0-9a-f]{63,65}$/), weight: 1 },
);

const label = fc.constantFrom('a', 'b', 'ab', '*', 'a*', '*b', 'a*b', '**', '');
const domain = fc.oneof(
  fc.array(label, { minLength: 1, maxLength: 3 }).map((labels) => labels.join('.')),
  fc.constantFrom('a.b', '*.b', 'a.*', '*a.b', '*.*', 'ab.*.b', 'a', '[::1]', '[1::2]'),
  fc.constantFrom('docker.io', '*.io', 'index.docker.io', 'localhost', '*'),
);
const keyPort = fc.constantFrom('', '', '', ':5000', ':443', ':');
const keyPath = fc.constantFrom('', '', '', '/', '/a', '/a/b', '/ab', '/library', '/library/');
const plainKey = joined(
  domain,
  keyPort,
  keyPath.filter((path) => !path.endsWith('/')),
);
const oddKey = joined(
  mostly(
    fc.constantFrom('', 'http://', 'https://'),
    fc.constantFrom('HTTPS://', '//', 'u:p@', 'u^@'),
  ),
  mostly(domain, fc.constantFrom('a[b]', '[a', '[::1', '[x]', '[::1]x', 'a b', 'a\tb', 'é', 'a:b')),
  mostly(keyPort, fc.constantFrom(':p', ':1:2', ':5000:')),
  mostly(fc.constantFrom('', '/v1/', '/v2/'), fc.constantFrom('/v1', '/v1/a', '/v2/v1/')),
  mostly(keyPath, fc.constantFrom('/%61', '/%2561', '/%zz', '/%ff')),
  mostly(fc.constant(''), fc.constantFrom('?', '?a=/b', '#', '#a', '#%zz', '?#\t')),
);
/** Images, most of which some of the keys match. */
export const imageName: fc.Arbitrary<string> = joined(
  mostly(
    fc.constantFrom('', 'a.b/', 'a.b/', 'ab.ab.b/', 'a.b:5000/', '[::1]:5000/'),
    fc.constantFrom(
      'docker.io/',
      'index.docker.io/',
      'localhost/',
      'A/',
      'x_y.z/',
      '[::1]/',
      '[a:]/',
    ),
  ),
  mostly(fc.constantFrom('a', 'ab', 'a/b', 'a/b/c'), fc.constantFrom('library/a', 'A')),
  fc.constantFrom('', '', ':1', `@sha256:${DIGITS}`),
);

/**
 * The keys of one secret. No two of them become the same: the order of such is that of a Go map,
 * which has none.
 */
export const registryKeys: fc.Arbitrary<string[]> = fc.oneof(
  oddKey.map((key) => [key]),
  plainKey.map((key) => [key]),
  fc.uniqueArray(plainKey, { maxLength: 4 }),
);

const base64 = fc
  .tuple(fc.string({ unit: 'grapheme' }), fc.constantFrom('', ':', '::'))
  .map(([rest, colon]) => Buffer.from(`u${colon}${rest}`).toString('base64'));
const auth = fc
  .tuple(base64, fc.constantFrom('', '', '', '\n', '\r\n', ' ', '=', '-', 'A'), fc.nat(20))
  .chain(([whole, odd, at]) =>
    fc.constantFrom(whole, whole.replaceAll('=', ''), whole.slice(0, at) + odd + whole.slice(at)),
  );
const value = fc.oneof(
  { arbitrary: fc.string({ unit: 'binary', maxLength: 5 }), weight: 12 },
  { arbitrary: fc.constantFrom(null, ''), weight: 2 },
  { arbitrary: fc.constantFrom(0, false, [], {}), weight: 1 },
);
const field = fc.oneof(
  { arbitrary: fc.tuple(fc.constantFrom('auth', 'Auth', 'AUTH'), auth), weight: 4 },
  {
    arbitrary: fc.tuple(
      fc.constantFrom('username', 'Username', 'uſername', 'password', 'PASSWORD', 'email'),
      value,
    ),
    weight: 4,
  },
  {
    arbitrary: fc.tuple(fc.constantFrom('identitytoken', '__proto__', 'user'), value),
    weight: 1,
  },
);
const entry = mostly<unknown>(
  fc.array(field, { maxLength: 4 }).map((fields) => objectOf(fields)),
  fc.constantFrom<unknown>(null, [], 'text', 1),
);
/** What `auths` and a `.dockercfg` hold, or nearly. */
export const auths: fc.Arbitrary<unknown> = mostly<unknown>(
  fc.dictionary(fc.constantFrom('a.b', 'a.*', 'x'), entry),
  fc.constantFrom<unknown>(null, [], 'text'),
);
const document = fc
  .array(
    fc.oneof(
      { arbitrary: fc.tuple(fc.constantFrom('auths', 'Auths', 'authſ'), auths), weight: 8 },
      {
        arbitrary: fc.tuple(
          fc.constantFrom('HttpHeaders', 'httpheaders', 'credHelpers', 'credsStore'),
          fc.constantFrom<unknown>(null, {}, { a: 'b' }, { a: null }, { a: 1 }, [], 'text'),
        ),
        weight: 1,
      },
    ),
    { maxLength: 3 },
  )
  .map((fields) => objectOf(fields));

/** The text of a `.dockerconfigjson`, or nearly. */
export const configText: fc.Arbitrary<string> = mostly(
  document.map((content) => JSON.stringify(content)),
  fc.oneof(fc.json(), fc.string(), fc.constantFrom('null', '\ufeff{}', '{} x', '{"auths":{},}')),
);

/** Unlike an assignment, keeps a field that is called `__proto__`. */
function objectOf(fields: readonly (readonly [string, unknown])[]): object {
  return Object.fromEntries(fields);
}
