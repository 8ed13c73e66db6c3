import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { PinError } from '../../src/errors.ts';
import {
  type ImageReference,
  isShortName,
  normalizedName,
  normalizedTag,
  parseReference,
  withDigest,
} from '../../src/image/reference.ts';

interface Vectors {
  readonly accepted: readonly (ImageReference & { readonly text: string })[];
  readonly refused: readonly string[];
}

const vectors = JSON.parse(
  readFileSync(new URL('./reference.vectors.json', import.meta.url), 'utf8'),
) as Vectors;

const DIGEST = `sha256:${'a'.repeat(64)}`;
const OTHER_DIGEST = `sha256:${'b'.repeat(64)}`;

function refusal(reason: string): unknown {
  return expect.objectContaining({
    name: 'PinError',
    code: 'invalid_reference',
    message: expect.stringContaining(reason),
  });
}

/** What is thrown, or undefined. */
function caughtFrom(act: () => unknown): unknown {
  try {
    act();
    return undefined;
  } catch (caught) {
    return caught;
  }
}

/** Text that a reference could be, or nearly: its grammar's parts, joined, some of them spoilt. */
const nearlyReference: fc.Arbitrary<string> = fc
  .tuple(
    fc.constantFrom('', 'a/', 'localhost/', 'Ab/', 'x.y:5000/', '[::1]:1/', 'docker.io/', 'a_b.c/'),
    fc.stringMatching(/^[a-z0-9._/A-Z-]{0,12}$/),
    fc.constantFrom('', ':1', ':latest', ':', ':a:b', ':-'),
    fc.constantFrom('', `@${DIGEST}`, '@', '@sha256:1', `@${DIGEST}@${DIGEST}`),
  )
  .map((parts) => parts.join(''));

describe('parseReference()', () => {
  it.each(vectors.accepted)('reads $text', ({ text, ...expected }) => {
    expect(parseReference(text)).toStrictEqual(expected);
  });

  it.each(vectors.refused.map((text) => [JSON.stringify(text), text]))('refuses %s', (_, text) => {
    expect(() => parseReference(text)).toThrow(refusal(''));
  });

  it('is held against enough vectors', () => {
    expect(vectors.accepted.length).toBeGreaterThan(200);
    expect(vectors.refused.length).toBeGreaterThan(100);
  });

  it('takes a first element with an underscore and a dot for the host, as runtimes do', () => {
    expect(parseReference('a_b.example.com/c:1')).toStrictEqual({
      registry: 'a_b.example.com',
      repository: 'c',
      tag: '1',
    });
  });

  it.each([
    ['a host that no DNS name can be', `${'a.'.repeat(130)}b/c`, 'the host is too long'],
    ['text above 1 KiB', 'a'.repeat(1025), 'longer than 1024 characters'],
    ['1 MB', 'a/'.repeat(500_000), 'longer than 1024 characters'],
    ['an upper-case repository', 'docker.io/a/B', 'the repository must be lower case'],
    ['an empty tag', 'a:', 'the tag is malformed'],
    ['a short digest', 'a@sha256:abc', 'the digest is malformed'],
    [
      'a path that is too long with the underscore host before it',
      `a_b.c/${'a'.repeat(250)}`,
      'longer than 255 characters',
    ],
    ['a port without digits', 'a.b:c/d', 'the host is malformed'],
    ['a URL', 'http://a.b/c:1', 'leave out http://'],
    ['a transport', 'docker://a/b', 'leave out docker://'],
    ['bare hexadecimal digits', 'a'.repeat(64), 'name a local image'],
    ['nothing', '', 'it is empty'],
  ])('says what is wrong with %s', (_, text, reason) => {
    expect(() => parseReference(text)).toThrow(refusal(reason));
  });

  it('quotes the text, escaped', () => {
    expect(() => parseReference('a"\\\n\u001b[31m\u202e\u2028\ud800🙂')).toThrow(
      refusal('image reference "a\\"\\\\\\u{a}\\u{1b}[31m\\u{202e}\\u{2028}\\u{d800}🙂":'),
    );
  });

  it('quotes at most 256 characters', () => {
    expect(() => parseReference(`${'!'.repeat(256)}?`)).toThrow(
      refusal(`reference "${'!'.repeat(256)}…":`),
    );
  });

  it('throws nothing but PinError', () => {
    const anything = fc.oneof(
      nearlyReference,
      fc.string({ unit: 'binary' }),
      fc.string({ maxLength: 2000 }),
    );
    fc.assert(
      fc.property(anything, (text) => {
        const caught = caughtFrom(() => parseReference(text));
        expect(caught === undefined || caught instanceof PinError).toBe(true);
      }),
    );
  });
});

describe('parseReference() of many references', () => {
  it('reads a text anew when it has been forgotten, to the same', () => {
    const first = parseReference('example.com/a:1');
    expect(parseReference('example.com/a:1')).toBe(first);
    for (let index = 0; index < 1001; index += 1) parseReference(`example.com/b:${index}`);
    const again = parseReference('example.com/a:1');
    expect(again).not.toBe(first);
    expect(again).toEqual(first);
    expect(normalizedName({ ...again })).toBe(normalizedName(again));
  });
});

describe('withDigest()', () => {
  it.each([
    ['nginx', 'nginx', 'nginx'],
    ['nginx:1.27', 'nginx', 'nginx:1.27'],
    ['docker.io/library/nginx:1', 'docker.io/library/nginx', 'docker.io/library/nginx:1'],
    ['index.docker.io/nginx', 'index.docker.io/nginx', 'index.docker.io/nginx'],
    ['host:5000/a', 'host:5000/a', 'host:5000/a'],
    ['host:5000/a:1', 'host:5000/a', 'host:5000/a:1'],
    ['[fc00::1]:5000/a', '[fc00::1]:5000/a', '[fc00::1]:5000/a'],
    ['[fc00::1]:5000/a:1', '[fc00::1]:5000/a', '[fc00::1]:5000/a:1'],
    [`a:1@${OTHER_DIGEST}`, 'a', 'a:1'],
    [`a@${OTHER_DIGEST}`, 'a', 'a'],
  ])('keeps the spelling of %s', (text, withoutTag, withTag) => {
    expect(withDigest(text, DIGEST, 'digest')).toBe(`${withoutTag}@${DIGEST}`);
    expect(withDigest(text, DIGEST, 'tag-and-digest')).toBe(`${withTag}@${DIGEST}`);
  });

  it('writes a reference to the same repository and the digest', () => {
    const texts = fc.oneof(
      fc.constantFrom(...vectors.accepted.map(({ text }) => text)),
      nearlyReference.filter((text) => caughtFrom(() => parseReference(text)) === undefined),
    );
    fc.assert(
      fc.property(texts, fc.constantFrom('digest', 'tag-and-digest'), (text, form) => {
        const before = parseReference(text);
        const after = parseReference(withDigest(text, DIGEST, form));
        expect(normalizedName(after)).toBe(normalizedName(before));
        expect(after.digest).toBe(DIGEST);
        expect(after.tag).toBe(form === 'digest' ? undefined : before.tag);
      }),
    );
  });
});

describe('normalizedName()', () => {
  it.each([
    ['nginx:1', 'docker.io/library/nginx'],
    ['index.docker.io/a/b', 'docker.io/a/b'],
    ['localhost:5000/a@'.concat(DIGEST), 'localhost:5000/a'],
  ])('joins host and repository of %s', (text, name) => {
    expect(normalizedName(parseReference(text))).toBe(name);
  });
});

describe('normalizedTag()', () => {
  it.each([
    ['nginx', 'latest'],
    ['nginx:1.27', '1.27'],
  ])('gives the tag of %s', (text, tag) => {
    expect(normalizedTag(parseReference(text))).toBe(tag);
  });
});

describe('isShortName()', () => {
  it.each([
    ['nginx', true],
    ['nginx:1.27', true],
    ['team/app', true],
    ['team/app:1', true],
    ['library/nginx', true],
    // No slash: a name and a tag, whatever it looks like.
    ['localhost', true],
    ['example.com', true],
    ['192.168.1.1:5000', true],
    ['docker.io/nginx', false],
    ['docker.io/library/nginx:1', false],
    ['index.docker.io/nginx', false],
    ['localhost/app', false],
    ['localhost:5000/app', false],
    ['ghcr.io/team/app', false],
    ['Team/app', false],
    ['[fc00::1]/app', false],
    [`nginx@${DIGEST}`, true],
    [`ghcr.io/nginx@${DIGEST}`, false],
  ])('of %s is %s', (text, short) => {
    expect(isShortName(text)).toBe(short);
  });

  it('holds for no name of another registry, and for none in full', () => {
    const readable = nearlyReference.filter(
      (text) => caughtFrom(() => parseReference(text)) === undefined,
    );
    fc.assert(
      fc.property(readable, (text) => {
        const reference = parseReference(text);
        const elsewhere = reference.registry !== 'docker.io';
        expect(elsewhere && isShortName(text)).toBe(false);
        expect(isShortName(normalizedName(reference))).toBe(false);
      }),
    );
  });

  it('reads the name in full as the same image', () => {
    const readable = nearlyReference.filter(
      (text) => caughtFrom(() => parseReference(text)) === undefined,
    );
    fc.assert(
      fc.property(readable, (text) => {
        const { registry, repository, tag, digest } = parseReference(text);
        const suffix = `${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}`;
        const full = `${registry}/${repository}${suffix}`;
        expect(parseReference(full)).toStrictEqual(parseReference(text));
      }),
    );
  });
});
