import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { parseChallenges } from '../../src/registry/challenge.ts';

/** Challenges as plain pairs: expectations then need no objects without a prototype. */
function read(header: string | readonly string[]): [string, [string, string][]][] {
  return parseChallenges(header).map(({ scheme, params }) => [scheme, Object.entries(params)]);
}

const HUB: [string, [string, string][]] = [
  'bearer',
  [
    ['realm', 'https://auth.example.com/token'],
    ['service', 'registry.example.com'],
    ['scope', 'repository:library/nginx:pull,push'],
  ],
];

describe('parseChallenges()', () => {
  it.each<[string, string, [string, [string, string][]][]]>([
    [
      'a comma in quotes',
      'Bearer realm="https://auth.example.com/token",service="registry.example.com",scope="repository:library/nginx:pull,push"',
      [HUB],
    ],
    [
      'spaces around "=" and ","',
      'Bearer realm = "https://auth.example.com/token"   ,service=registry.example.com, scope  =\t"repository:library/nginx:pull,push"  ',
      [HUB],
    ],
    ['any case of scheme and key', 'BaSiC ReAlM="A b"', [['basic', [['realm', 'A b']]]]],
    ['a bare value', 'Basic realm=unquoted', [['basic', [['realm', 'unquoted']]]]],
    ['a bare value of one slash', 'Basic realm=/', [['basic', [['realm', '/']]]]],
    [
      'a bare URL',
      'Bearer realm=https://a.example.com/t?x=1,service=s',
      [
        [
          'bearer',
          [
            ['realm', 'https://a.example.com/t?x=1'],
            ['service', 's'],
          ],
        ],
      ],
    ],
    [
      'escapes, also of plain characters',
      String.raw`Bearer a="he\"\l\lo",b="\"x\"",c="\\"`,
      [
        [
          'bearer',
          [
            ['a', 'he"llo'],
            ['b', '"x"'],
            ['c', '\\'],
          ],
        ],
      ],
    ],
    [
      'an empty value',
      'Bearer realm="r",empty="",service=s',
      [
        [
          'bearer',
          [
            ['realm', 'r'],
            ['empty', ''],
            ['service', 's'],
          ],
        ],
      ],
    ],
    [
      // containerd core/remotes/docker/auth/parse_test.go
      'several scopes',
      'Bearer realm="https://a/t",service="s",scope="repository:foo/bar:pull,push repository:foo/baz:pull repository:foo/foo:push"',
      [
        [
          'bearer',
          [
            ['realm', 'https://a/t'],
            ['service', 's'],
            [
              'scope',
              'repository:foo/bar:pull,push repository:foo/baz:pull repository:foo/foo:push',
            ],
          ],
        ],
      ],
    ],
    [
      // distribution internal/client/auth/challenge/authchallenge_test.go, kept by go-containerregistry
      'bare and quoted values side by side',
      String.raw`Bearer realm="https://auth.example.com/token",service="registry.example.com",other=fun,slashed="he\"\l\lo"`,
      [
        [
          'bearer',
          [
            ['realm', 'https://auth.example.com/token'],
            ['service', 'registry.example.com'],
            ['other', 'fun'],
            ['slashed', 'he"llo'],
          ],
        ],
      ],
    ],
    [
      // oras-go registry/remote/auth/challenge_test.go
      'a value between escaped quotes',
      String.raw`Bearer foo="foo\"bar",hello="\"hello world\""`,
      [
        [
          'bearer',
          [
            ['foo', 'foo"bar'],
            ['hello', '"hello world"'],
          ],
        ],
      ],
    ],
    [
      // regclient internal/auth/auth_test.go
      'a name with spaces',
      'Basic realm="GitHub Package Registry"',
      [['basic', [['realm', 'GitHub Package Registry']]]],
    ],
    ['text behind a scheme that nobody knows', 'foo bar', [['foo', []]]],
    [
      'a parameter with neither sign nor value',
      'Bearer realm="r",service',
      [
        ['bearer', [['realm', 'r']]],
        ['service', []],
      ],
    ],
    ['a scheme alone', 'Bearer', [['bearer', []]]],
    ['a scheme and spaces', 'Basic  ', [['basic', []]]],
    ['token68', 'Negotiate a87421000492aa874209af8bc028==', [['negotiate', []]]],
    ['a key that is every object has', 'Basic __proto__=x', [['basic', [['__proto__', 'x']]]]],
    [
      'the first of two equal keys',
      'Bearer realm="https://a/",realm="https://b/"',
      [['bearer', [['realm', 'https://a/']]]],
    ],
    [
      'empty list elements',
      ' , ,Basic realm=a,, ,charset="UTF-8",',
      [
        [
          'basic',
          [
            ['realm', 'a'],
            ['charset', 'UTF-8'],
          ],
        ],
      ],
    ],
  ])('reads %s', (_, header, expected) => {
    expect(read(header)).toStrictEqual(expected);
  });

  const SEVERAL: [string, [string, string][]][] = [
    ['negotiate', []],
    [
      'bearer',
      [
        ['realm', 'https://a/t'],
        ['service', 's'],
      ],
    ],
    ['basic', [['realm', 'r']]],
  ];

  it.each<[string, string | readonly string[]]>([
    ['one header', 'Negotiate, Bearer realm="https://a/t",service="s", Basic realm="r"'],
    ['one header without spaces', 'Negotiate,Bearer realm="https://a/t",service="s",Basic realm=r'],
    [
      'one header with token68',
      'Negotiate abc=, Bearer realm="https://a/t", service=s,Basic realm=r',
    ],
    ['three headers', ['Negotiate', 'Bearer realm="https://a/t",service="s"', 'Basic realm="r"']],
    ['two headers', ['Negotiate, Bearer realm="https://a/t",service="s"', 'Basic realm="r"']],
  ])('reads several challenges from %s', (_, header) => {
    expect(read(header)).toStrictEqual(SEVERAL);
  });

  it.each<[string, string, [string, [string, string][]][]]>([
    ['nothing', '', []],
    ['white space', ' \t ', []],
    ['a key without a scheme', 'realm="x"', []],
    ['a quoted scheme', '"Bearer" realm="x"', []],
    ['a quoted key', 'Bearer a=b,"realm"="x"', [['bearer', [['a', 'b']]]]],
    ['a value cut short', 'Bearer realm="r",service=', [['bearer', [['realm', 'r']]]]],
    ['a value of spaces', 'Bearer realm="r",service= ', [['bearer', [['realm', 'r']]]]],
    ['a missing close quote of the only value', 'Basic realm="GitHub', [['basic', []]]],
    ['a missing close quote', 'Bearer realm="r",service="s', [['bearer', [['realm', 'r']]]]],
    ['an escape at the end', 'Basic a=b,realm="x\\', [['basic', [['a', 'b']]]]],
    ['a missing comma', 'Bearer realm="r" service="s"', [['bearer', [['realm', 'r']]]]],
    ['text behind a close quote', 'Bearer realm="r"x,a=b', [['bearer', [['realm', 'r']]]]],
    ['a line end', 'Bearer realm=r\nx', [['bearer', [['realm', 'r']]]]],
    ['not ASCII', 'Bearer realm=r, ünï', [['bearer', [['realm', 'r']]]]],
  ])('gives what stands before %s', (_, header, expected) => {
    expect(read(header)).toStrictEqual(expected);
  });

  it('goes on with the next header after a malformed one', () => {
    expect(read(['Bearer realm="', 'Basic realm=r'])).toStrictEqual([
      ['bearer', []],
      ['basic', [['realm', 'r']]],
    ]);
  });

  it('gives parameters no prototype', () => {
    const [challenge] = parseChallenges('Basic realm=r');
    expect(Object.getPrototypeOf(challenge?.params)).toBeNull();
  });

  it('reads back what is written by the grammar', () => {
    const token = fc.stringMatching(/^[a-z!#$%&'*+.^_`|~-]{1,8}$/);
    const entries = fc.uniqueArray(fc.tuple(token, fc.string()), { selector: ([key]) => key });
    const challenge = fc.tuple(token, entries);
    fc.assert(
      fc.property(fc.array(challenge), (challenges) => {
        const header = challenges
          .map(([scheme, params]) => `${scheme} ${params.map(writeParam).join(', ')}`)
          .join(', ');
        // Keys that look like numbers would be listed first; the tokens above have no digits.
        expect(read(header)).toStrictEqual(challenges);
      }),
    );
  });

  it('throws at nothing', () => {
    const part = fc.constantFrom('Bearer', ' ', ',', '=', '"', '\\', 'realm', '/', 'é', '\0');
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(part).map((parts) => parts.join('')),
        ),
        (text) => {
          expect(Array.isArray(parseChallenges(text))).toBe(true);
        },
      ),
    );
  });

  it.each([
    ['quotes', 'Bearer realm="'.concat('\\"'.repeat(500_000))],
    ['token68', 'Bearer '.concat('a'.repeat(1_000_000), '!')],
    ['schemes', 'a '.repeat(500_000)],
    ['spaces', 'a'.concat(' '.repeat(1_000_000), '"')],
  ])('survives a megabyte of %s', (_, header) => {
    expect(parseChallenges(header)[0]?.scheme).toMatch(/^(?:bearer|a)$/);
  });
});

function writeParam([key, value]: [string, string]): string {
  return `${key}="${value.replace(/["\\]/g, '\\$&')}"`;
}
