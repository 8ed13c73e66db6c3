import { describe, expect, it } from '@jest/globals';

import { normalizedName, parseReference } from '../../../src/image/reference.ts';
import {
  mergeRules,
  parseRegistriesConf,
  placesOf,
  type RegistryRule,
  ruleFor,
} from '../../../src/registry/files/registries-conf.ts';

const FILE = '/etc/containers/registries.conf';

function rules(text: string): readonly RegistryRule[] {
  return mergeRules([parseRegistriesConf(text, FILE)]);
}

/** One file of rules, each from a prefix to a location. */
function read(...rows: readonly (readonly [string, string])[]): readonly RegistryRule[] {
  return parseRegistriesConf(table(...rows), FILE);
}

/** A file of rules, each from a prefix to a location. */
function table(...rows: readonly (readonly [prefix: string, location: string])[]): string {
  return rows
    .map(([prefix, location]) => `[[registry]]\nprefix = "${prefix}"\nlocation = "${location}"\n`)
    .join('');
}

function prefixFor(text: string, image: string): string | undefined {
  return ruleFor(rules(text), parseReference(image))?.prefix;
}

/** Where an image is asked for, in order; `!` marks what is insecure, `?` what is not named. */
function places(text: string, image: string): string[] | undefined {
  const reference = parseReference(image);
  const rule = ruleFor(rules(text), reference);
  return (
    rule &&
    placesOf(rule, reference).map(
      (place) =>
        `${normalizedName(place.reference)}${place.insecure ? '!' : ''}${place.isNamed ? '' : '?'}`,
    )
  );
}

describe('ruleFor()', () => {
  // Facts of TestRefMatchingPrefix and TestRefMatchingSubdomainPrefix in containers/image
  // pkg/sysregistriesv2 (Apache License 2.0).
  it.each([
    ['example.com/foo', 'example.com', true],
    ['example.com/foo/bar:baz', 'example.com', true],
    ['docker.io/library/foo', 'example.com', false],
    ['example.com:5000/foo', 'example.com:5000', true],
    ['example.com:50000/foo', 'example.com:5000', false],
    ['docker.io/library/busybox', 'docker.io/library', true],
    ['docker.io/libraryy/busybox', 'docker.io/library', false],
    ['docker.io/library/busybox', 'docker.io/library/busybox', true],
    ['docker.io/library/busybox2', 'docker.io/library/busybox', false],
    ['example.com/library/busybox', 'docker.io/library/busybox', false],
    ['busybox', 'docker.io/library', true],
    ['EXAMPLE.com/foo', 'example.com', true],
    ['example.com/foo', 'Example.COM', true],
    ['docker.io/library/foo', '*.com', false],
    ['docker.io/library/foo', '*.io', true],
    ['example.com/foo', '*.co', false],
    ['example.com/foo', '*.example.com', false],
    ['example.com/foo', '*.com', true],
    ['yet.another.example.com/foo', '**.example.com', false],
    ['yet.another.example.com/foo/bar', '*.another.example.com', true],
    ['another.example.com/namespace.com/foo', '*.example.com', true],
    ['example.net/namespace-ends-in.com/foo', '*.com', false],
    ['another.example.com/namespace.com/foo', '*.namespace.com', false],
    ['another.sub.example.com/foo', '*.example.com', true],
    ['sub.example.com:5000/foo', '*.example.com', true],
    ['example.com/foo', '*', false],
    // Which containers/image lets pass, and calls unintended.
    ['example.com:5000/foo', 'example.com', false],
    // It never asks with a tag, either.
    ['example.com/foo:bar', 'example.com/foo:bar', false],
  ])('%s fits %s: %s', (image, prefix, fits) => {
    expect(prefixFor(table([prefix, 'elsewhere.example.com']), image)).toBe(
      fits ? prefix.toLowerCase() : undefined,
    );
  });

  // TestFindRegistry there.
  const found = table(
    ['simple-prefix.com', 'registry.com:5000'],
    ['complex-prefix.com:4000/with/path', 'another-registry.com:5000'],
    ['*.so.simple-prefix.com', 'subdomain-prefix.com'],
    ['*.simple-prefix.com', 'subdomain-prefix-2.com'],
    ['*.docker.io', 'subdomain-prefix-2.com'],
    ['*.bar.docker.io', 'subdomain-prefix-4.com'],
    ['*.bar.example.com', 'subdomain-prefix-3.com'],
    ['foo.bar.example.com:5000', 'subdomain-prefix-5.com'],
  );
  it.each([
    ['simple-prefix.com/foo/bar:latest', 'simple-prefix.com'],
    ['not.so.simple-prefix.com/a', '*.so.simple-prefix.com'],
    ['not.quite.simple-prefix.com:5000/with/path:tag', '*.simple-prefix.com'],
    ['foo.bar.docker.io:5000/omg/wtf/bbq:foo', '*.bar.docker.io'],
    ['foo.bar.example.com:5000/omg/wtf/bbq:foo', 'foo.bar.example.com:5000'],
    ['foo.bar.example.com:6000/omg', '*.bar.example.com'],
    ['simple-prefix.comx/a', undefined],
    ['complex-prefix.com:4000/with/path/and/beyond:tag', 'complex-prefix.com:4000/with/path'],
    ['complex-prefix.com:5000/with/path', undefined],
    ['complex-prefix.com:4000/without/path', undefined],
  ])('finds for %s the longest prefix, %s', (image, prefix) => {
    expect(prefixFor(found, image)).toBe(prefix);
  });

  it('takes the first of one prefix in a file, and the last file over all', () => {
    const merged = mergeRules([
      read(['a.com', 'first.com'], ['a.com', 'second.com'], ['b.com', 'kept.com']),
      read(['a.com', 'third.com'], ['a.com', 'fourth.com']),
    ]);
    expect(merged.map(({ prefix, location }) => [prefix, location])).toEqual([
      ['a.com', 'third.com'],
      ['b.com', 'kept.com'],
    ]);
  });
});

describe('placesOf()', () => {
  // Facts of TestRewriteReferenceSuccess there.
  it.each([
    ['example.com/image', 'example.com', 'example.com', 'example.com/image'],
    [
      'example.com:5000/image:latest',
      'example.com:5000',
      'example.com:5000',
      'example.com:5000/image',
    ],
    ['example.com/foo/image', 'example.com/foo', 'example.com', 'example.com/image'],
    ['example.com/foo/image', 'example.com/foo', 'example.com/path', 'example.com/path/image'],
    ['example.com/foo/image', 'example.com/foo', 'example.com/path//', 'example.com/path/image'],
    ['image', 'docker.io', 'docker.io', 'docker.io/library/image'],
    ['image', 'docker.io/library', 'example.com', 'example.com/image'],
    ['image', 'docker.io', 'example.com', 'example.com/library/image'],
    [
      'docker.io/library/prefix/image',
      'docker.io/library/prefix',
      'example.com',
      'example.com/image',
    ],
    ['docker.io/namespace/image', '*.io', 'example.com', 'example.com/namespace/image'],
    ['foo.bar.io/ns1/ns2', '*.bar.io', 'omg.bbq.com/roflmao', 'omg.bbq.com/roflmao/ns1/ns2'],
    [
      'abc.internal.registry.com/foo',
      '*.internal.registry.com',
      '',
      'abc.internal.registry.com/foo',
    ],
    // The port is the image's, so that nobody but its author named it.
    [
      'another.sub.example.io:5000/library/image',
      '*.sub.example.io',
      'example.com',
      'example.com:5000/library/image?',
    ],
    ['alien.foobar.io:5000/omg', '*.foobar.io', '', 'alien.foobar.io:5000/omg?'],
  ])('makes of %s, with prefix %s and location %s, %s', (image, ...[prefix, location, name]) => {
    expect(places(table([prefix, location]), image)).toEqual([name]);
  });

  it.each([
    ['example.com/foo', 'example.com/foo', 'mirror'],
    ['example.com/foo', 'example.com/foo', 'mirror.com'],
    ['example.com/image', 'example.com', 'index.docker.io'],
    ['alien.foobar.io:5000/omg', '*.foobar.io', 'example.com/path'],
  ])('makes no name of %s with prefix %s and location %s', (image, prefix, location) => {
    expect(() => places(table([prefix, location]), image)).toThrow(
      expect.objectContaining({
        code: 'invalid_config',
        message: expect.stringContaining(`${FILE} makes "`),
      }),
    );
  });

  const MIRRORS = `
[[registry]]
prefix = "registry.com/team"
location = "real.registry.com/crew"
insecure = true
[[registry.mirror]]
location = "any.com"
[[registry.mirror]]
location = "all.com/x"
pull-from-mirror = "all"
insecure = true
[[registry.mirror]]
location = "digests.com"
pull-from-mirror = "digest-only"
[[registry.mirror]]
location = "tags.com"
pull-from-mirror = "tag-only"
`;

  it('asks mirrors in their order, those for digests never, and the registry last', () => {
    expect(places(MIRRORS, 'registry.com/team/app')).toEqual([
      'any.com/app',
      'all.com/x/app!',
      'tags.com/app',
      'real.registry.com/crew/app!',
    ]);
    expect(places(MIRRORS, 'registry.com/app')).toBeUndefined();
  });

  it('asks no mirror with mirror-by-digest-only', () => {
    const text = `[[registry]]
location = "registry.com"
mirror-by-digest-only = true
[[registry.mirror]]
location = "mirror.com"`;
    expect(places(text, 'registry.com/app')).toEqual(['registry.com/app']);
  });
});

describe('parseRegistriesConf()', () => {
  it('leaves alone what is about short names and credentials, and what it does not know', () => {
    const text = `unqualified-search-registries = ["registry-a.com"]
short-name-mode = "enforcing"
credential-helpers = ["containers-auth.json"]
something = "new"
[aliases]
"fedora" = "registry.fedoraproject.org/fedora"
[[registry]]
location = "a.com"
`;
    expect(parseRegistriesConf(text, FILE)).toEqual([
      {
        prefix: 'a.com',
        location: 'a.com',
        insecure: false,
        blocked: false,
        mirrors: [],
        file: FILE,
      },
    ]);
  });

  it.each([
    ['[[registry]', /line 1, column \d+ is no TOML/],
    ['[registries.block]\nregistries = ["a.com"]', /are version 1, which is not read/],
    ['[registries.search]\nregistries = []\n[[registry]]\nlocation = "a.com"', /version 1/],
    ['registry = "a.com"', /"registry" is no list/],
    ['registry = ["a.com"]', /"registry" is no table/],
    ['[[registry]]\nblocked = true', /a registry has neither prefix nor location/],
    ['[[registry]]\nprefix = "a.com"', /"a.com" has no location/],
    ['[[registry]]\nlocation = "https://a.com"', /"location" begins with a scheme/],
    ['[[registry]]\nlocation = "a.com"\nprefix = "http://b.com"', /"prefix" begins with a scheme/],
    ['[[registry]]\nprefix = "*.a.com/b"', /"\*\.a\.com\/b" has more than a domain/],
    ['[[registry]]\nprefix = "*.a.com:5000"', /has more than a domain/],
    ['[[registry]]\nlocation = "a.com"\ninsecure = "true"', /"insecure" is neither true nor false/],
    ['[[registry]]\nlocation = "a.com"\npull-from-mirror = "all"', /which is for mirrors/],
    ['[[registry]]\nlocation = "a.com"\n[[registry.mirror]]', /a mirror has no location/],
    [
      '[[registry]]\nlocation = "a.com"\n[[registry.mirror]]\nlocation = "b.com"\npull-from-mirror = "notvalid"',
      /"b.com" has an unknown "pull-from-mirror"/,
    ],
    [
      '[[registry]]\nlocation = "a.com"\nmirror-by-digest-only = true\n[[registry.mirror]]\nlocation = "b.com"\npull-from-mirror = "digest-only"',
      /below "mirror-by-digest-only"/,
    ],
    [
      '[[registry]]\nlocation = "a.com"\n[[registry]]\nprefix = "b.com"\nlocation = "a.com"\ninsecure = true',
      /"a.com" is defined twice/,
    ],
    [
      '[[registry]]\nlocation = "a.com"\nblocked = true\n[[registry]]\nprefix = "b.com"\nlocation = "a.com"',
      /"a.com" is defined twice/,
    ],
  ])('refuses %j', (text, message) => {
    expect(() => parseRegistriesConf(text, FILE)).toThrow(
      expect.objectContaining({ code: 'invalid_config', message: expect.stringMatching(message) }),
    );
  });
});
