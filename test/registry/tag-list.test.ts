import { describe, expect, it } from '@jest/globals';

import { PinError } from '../../src/errors.ts';
import { readTagList, type TagList } from '../../src/registry/tag-list.ts';

const ASKED = 'https://r.example.com/v2/team/app/tags/list?n=1000';
const DIGEST = `sha256:${'a'.repeat(64)}`;

/** What an answer with this body, and these `Link` headers, tells. */
function read(body: string, ...links: readonly string[]): TagList | PinError {
  const header = (name: string): readonly string[] => (name === 'link' ? links : []);
  const response = { status: 200, header, body: Buffer.from(body), url: new URL(ASKED) };
  try {
    return readTagList(response);
  } catch (caught) {
    if (caught instanceof PinError) return caught;
    throw caught;
  }
}

function nextOf(...links: readonly string[]): string | PinError | undefined {
  const list = read('{"tags":[]}', ...links);
  return list instanceof PinError ? list : list.next?.toString();
}

describe('readTagList()', () => {
  it('has the tags in their order, without those that are none', () => {
    const tags = ['b', 'a', '1.0_x-Y', '', 'a b', '-a', '\u001b[2J', 'x'.repeat(129), 7, null];
    expect(read(JSON.stringify({ name: 'team/app', tags }))).toEqual({
      tags: ['b', 'a', '1.0_x-Y'],
      manifests: undefined,
      next: undefined,
    });
  });

  it.each(['{"tags":null}', '{}', '{"tags":"a"}'])('has no tags of %s', (body) => {
    expect(read(body)).toMatchObject({ tags: [] });
  });

  it.each(['', 'null', '[]', '<html>', '{"tags":'])('refuses %p', (body) => {
    expect(read(body)).toMatchObject({ code: 'invalid_response', host: 'r.example.com' });
  });

  it("has what Google's registries tell of digests, and nothing that is malformed", () => {
    const manifest = {
      [DIGEST]: {
        imageSizeBytes: '296534',
        layerId: '',
        mediaType: 'application/vnd.docker.distribution.manifest.v2+json',
        tag: ['3.2', 'not a tag'],
        timeCreatedMs: '1581552303000',
        timeUploadedMs: '1581635466171',
      },
      [`sha256:${'b'.repeat(64)}`]: {
        mediaType: '\u001b]0;title',
        tag: 'x',
        imageSizeBytes: '-1',
        timeCreatedMs: '-62135596800000',
        timeUploadedMs: '1e9',
      },
      [`sha256:${'C'.repeat(64)}`]: { tag: ['upper'] },
      'sha256:short': {},
      [`sha256:${'d'.repeat(64)}`]: 'no object',
    };
    const list = read(JSON.stringify({ tags: ['3.2'], manifest }));
    expect(list).toMatchObject({ tags: ['3.2'] });
    expect([...('manifests' in list ? (list.manifests ?? []) : [])]).toEqual([
      [
        DIGEST,
        {
          tags: ['3.2'],
          mediaType: 'application/vnd.docker.distribution.manifest.v2+json',
          sizeBytes: 296_534,
          createdAtMs: 1_581_552_303_000,
          uploadedAtMs: 1_581_635_466_171,
        },
      ],
      [
        `sha256:${'b'.repeat(64)}`,
        {
          tags: [],
          mediaType: undefined,
          sizeBytes: undefined,
          createdAtMs: undefined,
          uploadedAtMs: undefined,
        },
      ],
    ]);
  });
});

describe('readTagList() and the next page', () => {
  it.each<[string, readonly string[], string | undefined]>([
    ['a relative one', ['</v2/team/app/tags/list?last=b&n=2>; rel="next"'], 'last=b&n=2'],
    ['an absolute one', [`<${ASKED}&last=b>; rel="next"`], 'n=1000&last=b'],
    [
      'one without TLS, of a proxy',
      [`<${ASKED.replace('https', 'http')}&last=b>; rel=next`],
      'n=1000&last=b',
    ],
    ['one below another path, of a proxy', ['</v2/app/tags/list?last=b>; rel=next'], 'last=b'],
    ['a query alone', ['<?last=b>;rel="next"'], 'last=b'],
    ['among other relations', ['<?last=b>; title="a, b; c"; rel="first next"'], 'last=b'],
    ['behind another link', ['<?x>; rel="prev", <?last=b>; rel="next"'], 'last=b'],
    ['in another header', ['<?x>; rel="prev"', '<?last=b>; rel="next"'], 'last=b'],
    ['in capitals', ['<?last=b>; REL="Next"'], 'last=b'],
    ['no link', [], undefined],
    ['another relation', ['<?last=b>; rel="prev"', '<?last=b>; rel="nextish"'], undefined],
    ['no link at all', ['last=b; rel="next"', '<?last=b', '>; rel="next"'], undefined],
  ])('follows %s', (_, links, next) => {
    expect(nextOf(...links)).toBe(next);
  });

  it.each([
    ['another host', 'https://evil.example/v2/team/app/tags/list?last=b'],
    ['another host, without a scheme', '//evil.example/v2/team/app/tags/list'],
    ['another port', 'https://r.example.com:444/v2/team/app/tags/list'],
    ['a host that begins alike', 'https://r.example.com.evil.example/v2/a/tags/list'],
    ['a name and password', 'https://r.example.com@evil.example/v2/a/tags/list'],
    ['anything but tags', '/v2/team/app/blobs/x?last=b'],
    ['a file', 'file:///v2/a/tags/list'],
    ['no URL', 'https://['],
  ])('refuses %s', (_, target) => {
    expect(nextOf(`<${target}>; rel="next"`)).toMatchObject({
      code: 'invalid_response',
      message: 'r.example.com names a next page of tags that is not its own',
    });
  });

  it('refuses a query that is longer than any tag could make it', () => {
    expect(nextOf(`<?last=${'b'.repeat(4096)}>; rel="next"`)).toMatchObject({
      code: 'invalid_response',
    });
  });

  it('reads a hostile header in no time', () => {
    const hostile = `<?a>${'; x="\\'.repeat(3000)}`;
    expect(nextOf(hostile, `<${'<'.repeat(16_000)}`, `<a>${';rel '.repeat(3000)}`)).toBeUndefined();
  });
});
