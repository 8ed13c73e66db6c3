import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';

import type { ListedManifest, Registries, TagPage } from '../../src/contents/registries.ts';
import { runTags, type TagsOptions } from '../../src/contents/tags.ts';
import { PinError } from '../../src/errors.ts';
import type { Digest } from '../../src/image/digest.ts';
import { digest } from '../support/admission.ts';
import { registriesOf } from '../support/registries.ts';
import { recordedStreams } from '../support/streams.ts';

const A = digest('a');
const B = digest('b');
const INDEX = 'application/vnd.oci.image.index.v1+json';
const PLAIN: TagsOptions = {
  repository: 'r.io/app',
  digest: undefined,
  details: false,
  format: 'text',
};
const LONG = { ...PLAIN, details: true };
const OF_A = { ...PLAIN, digest: A };

function pagesOf(...pages: readonly (readonly string[] | TagPage)[]): Registries['tags'] {
  return async function* () {
    for (const page of pages) yield 'tags' in page ? page : { tags: page, manifests: undefined };
  };
}

/** As Google tells of a manifest: these tags, and everything else where it is told. */
function listed(tags: readonly string[], more: Partial<ListedManifest> = {}): ListedManifest {
  const nothing = {
    mediaType: undefined,
    sizeBytes: undefined,
    createdAtMs: undefined,
    uploadedAtMs: undefined,
  };
  return { tags, ...nothing, ...more };
}

const GOOGLE: TagPage = {
  tags: ['1', 'latest', '2'],
  manifests: new Map<Digest, ListedManifest>([
    [
      A,
      listed(['1', 'latest'], {
        mediaType: INDEX,
        sizeBytes: 296_534,
        createdAtMs: 1_580_000_000_123,
        uploadedAtMs: 1_590_000_000_000,
      }),
    ],
    [B, listed(['2'], { createdAtMs: 0 })],
    [digest('c'), listed([], { sizeBytes: 7 })],
  ]),
};

/** The digest of each tag is made of its first character; `broken` answers 503. */
const LOOK_UP: Registries['resolve'] = (image) => {
  const tag = image.slice(image.lastIndexOf(':') + 1);
  return tag === 'broken'
    ? Promise.reject(new PinError('unavailable', 'r.io answered 503'))
    : Promise.resolve({ digest: digest(tag.charAt(0)), mediaType: INDEX });
};

const FAIL: Registries['resolve'] = () =>
  Promise.reject(new PinError('invalid_reference', 'the tag is malformed'));

const BREAKS_OFF: Registries['tags'] = async function* () {
  yield { tags: ['1'], manifests: undefined };
  throw new PinError('rate_limited', 'r.io answered 429');
};

interface Run {
  readonly isWhole: boolean;
  readonly out: string;
  readonly err: string;
}

async function run(options: TagsOptions, answers: Partial<Registries>): Promise<Run> {
  const streams = recordedStreams();
  const isWhole = await runTags(options, registriesOf(answers), streams);
  return { isWhole, ...streams.written };
}

describe('runTags()', () => {
  it('prints the tags of all pages in the order of the registry, and looks nothing up', async () => {
    const tags = pagesOf(['b', 'a'], ['10', '9']);
    expect(await run(PLAIN, { tags })).toEqual({ isWhole: true, out: 'b\na\n10\n9\n', err: '' });
  });

  it('prints a page before the next one is there', async () => {
    const streams = recordedStreams();
    let before = '';
    const tags: Registries['tags'] = async function* () {
      yield { tags: ['1'], manifests: undefined };
      before = streams.written.out;
      yield { tags: ['2'], manifests: undefined };
    };
    await runTags(PLAIN, registriesOf({ tags }), streams);
    expect(before).toBe('1\n');
  });

  it('prints the tags of one digest, by looking each up', async () => {
    const tags = pagesOf(['a1', 'b1'], ['a2']);
    expect(await run(OF_A, { tags, resolve: LOOK_UP })).toEqual({
      isWhole: true,
      out: 'a1\na2\n',
      err: '',
    });
  });

  it('looks nothing up where the list tells of digests', async () => {
    const answers = { tags: pagesOf(GOOGLE) };
    expect((await run(OF_A, answers)).out).toBe('1\nlatest\n');
    expect((await run({ ...OF_A, digest: B }, answers)).out).toBe('2\n');
  });

  it('looks up the tags that such a list forgets, and keeps the order', async () => {
    const tags = pagesOf({ tags: ['1', 'a9', 'latest'], manifests: GOOGLE.manifests });
    expect((await run(OF_A, { tags, resolve: LOOK_UP })).out).toBe('1\na9\nlatest\n');
  });

  it('asks at most 16 at a time', async () => {
    let open = 0;
    let most = 0;
    const resolve: Registries['resolve'] = async (image) => {
      open += 1;
      most = Math.max(most, open);
      await new Promise(setImmediate);
      open -= 1;
      return LOOK_UP(image);
    };
    const names = [...Array(100).keys()].map((number) => `a${number}`);
    const { out } = await run(OF_A, { tags: pagesOf(names), resolve });
    expect({ most, lines: out.trim().split('\n') }).toEqual({ most: 16, lines: names });
  });

  it('tells digest, times, size and digests without a tag', async () => {
    const tags = pagesOf(GOOGLE, { ...GOOGLE, tags: [] });
    const { out } = await run(LONG, { tags });
    expect(out.split('\n').map((line) => line.replace(/ +/g, ' '))).toEqual([
      'DIGEST CREATED UPLOADED BYTES TAG',
      `${A} 2020-01-26T00:53:20Z 2020-05-20T18:40:00Z 296534 1`,
      `${A} 2020-01-26T00:53:20Z 2020-05-20T18:40:00Z 296534 latest`,
      `${B} 1970-01-01T00:00:00Z - - 2`,
      `${digest('c')} - - 7 -`,
      '',
    ]);
  });

  it('has no columns for what the registry does not tell', async () => {
    const { out } = await run(LONG, { tags: pagesOf(['a1'], ['b1']), resolve: LOOK_UP });
    const head = `DIGEST${' '.repeat(A.length - 4)}TAG\n`;
    expect(out).toBe(`${head}${A}  a1\n${B}  b1\n`);
  });

  it('goes on behind a tag that fails, names it, and sums up', async () => {
    const tags = pagesOf(['a1', 'broken', 'a2']);
    expect(await run(OF_A, { tags, resolve: LOOK_UP })).toEqual({
      isWhole: false,
      out: 'a1\na2\n',
      err:
        'tagpin: "r.io/app:broken": r.io answered 503; try again when the registry answers [unavailable]\n' +
        'tagpin: 1 tag of r.io/app could not be looked up\n',
    });
  });

  it.each<[string, Partial<Registries>, string]>([
    [
      'may be there as a platform',
      { tags: pagesOf(['b1']), resolve: LOOK_UP },
      `no tag of r.io/app names ${A}; it may be there without one, as the platforms of an index are`,
    ],
    [
      'is there',
      { tags: pagesOf({ tags: [], manifests: new Map([[A, listed([])]]) }) },
      `no tag of r.io/app names ${A}; the registry has it without one`,
    ],
    [
      'may be what a tag names that failed',
      { tags: pagesOf(['b1', 'broken']), resolve: LOOK_UP },
      `none of the other tags of r.io/app names ${A}`,
    ],
  ])('says that no tag names a digest, which %s', async (_, answers, message) => {
    const { isWhole, out, err } = await run(OF_A, answers);
    expect({ isWhole, out, last: err.trim().split('\n').at(-1) }).toEqual({
      isWhole: false,
      out: '',
      last: `tagpin: ${message}`,
    });
  });

  it('keeps what it printed where a later page fails, and says so', async () => {
    const tags = BREAKS_OFF;
    expect(await run(PLAIN, { tags })).toEqual({
      isWhole: false,
      out: '1\n',
      err: expect.stringMatching(
        /^tagpin: the tags of r\.io\/app could not all be listed: r\.io answered 429; .+ \[rate_limited\]\n$/,
      ),
    });
    const { out } = await run({ ...PLAIN, format: 'json' }, { tags });
    expect(JSON.parse(out)).toEqual({
      repository: 'r.io/app',
      tags: [{ tag: '1' }],
      error: { reason: 'rate_limited', message: 'r.io answered 429' },
    });
  });

  describe.each([
    ['json', JSON.parse as (text: string) => unknown],
    ['yaml', parse as (text: string) => unknown],
  ] as const)('as %s', (format, read) => {
    it('reports all that is told', async () => {
      const { out } = await run(
        { ...LONG, format },
        { tags: pagesOf(GOOGLE, ['a1', 'broken']), resolve: LOOK_UP },
      );
      const times = { createdAt: '2020-01-26T00:53:20Z', uploadedAt: '2020-05-20T18:40:00Z' };
      const first = { digest: A, mediaType: INDEX, sizeBytes: 296_534, ...times };
      expect(read(out)).toEqual({
        repository: 'r.io/app',
        tags: [
          { tag: '1', ...first },
          { tag: 'latest', ...first },
          { tag: '2', digest: B, createdAt: '1970-01-01T00:00:00Z' },
          { tag: null, digest: digest('c'), sizeBytes: 7 },
          { tag: 'a1', digest: A, mediaType: INDEX },
        ],
        failures: [{ tag: 'broken', reason: 'unavailable', message: 'r.io answered 503' }],
      });
    });

    it('is whole for a repository without tags', async () => {
      const { out } = await run({ ...PLAIN, format }, { tags: pagesOf([]) });
      expect(read(out)).toEqual({ repository: 'r.io/app', tags: [] });
    });

    it('leaves times out that are none', async () => {
      const entry = listed(['1'], { createdAtMs: 1e30, uploadedAtMs: Number.NaN });
      const tags = pagesOf({ tags: ['1'], manifests: new Map([[A, entry]]) });
      const { out } = await run({ ...LONG, format }, { tags });
      expect(read(out)).toMatchObject({ tags: [{ tag: '1', digest: A }] });
    });
  });

  const HOSTILE = 'a\u001B[2J\n\u009B31m\u202Eb\u{E0001}';

  it.each<readonly [TagsOptions['format'], (out: string) => unknown]>([
    [
      'text',
      (out) => ({
        tags: out
          .split('\n')
          .slice(1)
          .map(() => ({ tag: HOSTILE })),
      }),
    ],
    ['json', JSON.parse],
    ['yaml', parse],
  ])('escapes the text of strangers as %s', async (format, read) => {
    const plain = await run({ ...PLAIN, format }, { tags: pagesOf([HOSTILE]) });
    const failed = await run(
      { ...LONG, format },
      {
        tags: pagesOf([HOSTILE]),
        resolve: FAIL,
      },
    );
    for (const text of [plain.out, failed.out, failed.err]) {
      expect(text.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    }
    expect(read(plain.out)).toMatchObject({ tags: [{ tag: HOSTILE }] });
  });

  it('shows how far it is on a terminal, and leaves nothing of that', async () => {
    const streams = { ...recordedStreams(), onTerminal: { out: true, err: true }, redraws: true };
    await runTags(LONG, registriesOf({ tags: pagesOf(['a1', 'a2']), resolve: LOOK_UP }), streams);
    expect(streams.written.err).toContain('1 of 2 tags');
    expect(streams.written.err.endsWith('\r\u001B[K')).toBe(true);
    expect(streams.written.out).not.toContain('\u001B');
  });

  it('holds no more than a page of 100,000 tags', async () => {
    const page = [...Array(1000).keys()].map((number) => `tag-${number}`);
    const tags: Registries['tags'] = async function* () {
      for (let count = 0; count < 100; count += 1) yield { tags: page, manifests: undefined };
    };
    let longest = 0;
    let total = 0;
    const streams = {
      ...recordedStreams(),
      out: (text: string | Uint8Array) => {
        longest = Math.max(longest, text.length);
        total += text.length;
        return Promise.resolve();
      },
    };
    expect(await runTags(PLAIN, registriesOf({ tags }), streams)).toBe(true);
    expect(longest).toBe(page.join('\n').length + 1);
    expect(total).toBe(100 * longest);
  });
});
