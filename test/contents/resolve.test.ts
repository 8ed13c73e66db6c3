import { describe, expect, it } from '@jest/globals';

import { type ResolveOptions, runResolve } from '../../src/contents/resolve.ts';
import { PinError } from '../../src/errors.ts';
import { parsePlatform } from '../../src/image/platform.ts';
import { digest } from '../support/admission.ts';
import { ImageStore, OCI } from '../support/image-store.ts';
import { registriesOf } from '../support/registries.ts';
import { recordedStreams } from '../support/streams.ts';

const OPTIONS: ResolveOptions = {
  images: ['r.test/app:1'],
  platform: undefined,
  digestOnly: false,
  referenceForm: 'digest',
  format: 'text',
};
const PLATFORMS = [
  { os: 'linux', architecture: 'amd64' },
  { os: 'windows', architecture: 'amd64', 'os.version': '10.0.20348' },
];

const STORE = new ImageStore();
const IMAGES = PLATFORMS.map((platform) => ({ ...STORE.image(platform, []), platform }));
const INDEX = STORE.index(IMAGES);
const [LINUX, WINDOWS] = IMAGES.map((image) => image.digest);

async function resolve(options: Partial<ResolveOptions>): Promise<[boolean, string, string]> {
  const streams = recordedStreams();
  const done = await runResolve({ ...OPTIONS, ...options }, STORE.registries(INDEX), streams);
  return [done, streams.written.out, streams.written.err];
}

describe('runResolve()', () => {
  const linux = parsePlatform('linux/amd64');

  it.each<[Partial<ResolveOptions>, string]>([
    [{ platform: linux }, `r.test/app@${LINUX}\n`],
    [{ platform: linux, digestOnly: true }, `${LINUX}\n`],
    [{ platform: linux, referenceForm: 'tag-and-digest' }, `r.test/app:1@${LINUX}\n`],
    [{ platform: linux, images: [`r.test/app@${INDEX.digest}`] }, `r.test/app@${LINUX}\n`],
    [
      { platform: 'all' },
      `r.test/app@${LINUX} linux/amd64\nr.test/app@${WINDOWS} windows(10.0.20348)/amd64\n`,
    ],
    [
      { platform: 'all', digestOnly: true },
      `${LINUX} linux/amd64\n${WINDOWS} windows(10.0.20348)/amd64\n`,
    ],
  ])('%j', async (options, out) => {
    expect(await resolve(options)).toEqual([true, out, '']);
  });

  it('reports one platform, and all of them, as JSON', async () => {
    const [, one] = await resolve({ platform: linux, format: 'json' });
    const [, all] = await resolve({ platform: 'all', format: 'json' });
    const plain = {
      result: `r.test/app@${LINUX}`,
      digest: LINUX,
      mediaType: OCI.manifest,
      platform: 'linux/amd64',
    };
    expect(JSON.parse(one)).toEqual({ images: [{ image: 'r.test/app:1', ...plain }] });
    expect(JSON.parse(all)).toEqual({
      images: [
        {
          image: 'r.test/app:1',
          result: `r.test/app@${INDEX.digest}`,
          digest: INDEX.digest,
          mediaType: OCI.index,
          platforms: [
            plain,
            {
              ...plain,
              result: `r.test/app@${WINDOWS}`,
              digest: WINDOWS,
              platform: 'windows(10.0.20348)/amd64',
            },
          ],
        },
      ],
    });
  });

  it('reports all platforms as YAML', async () => {
    const [, yaml] = await resolve({ platform: 'all', format: 'yaml' });
    expect(yaml).toContain(`      - result: r.test/app@${LINUX}\n        digest: ${LINUX}\n`);
    expect(yaml).toContain('        platform: windows(10.0.20348)/amd64\n');
  });

  it('tells of a platform that there is not, and goes on', async () => {
    const [done, out, err] = await resolve({
      images: ['r.test/app:1', 'r.test/app:2'],
      platform: parsePlatform('linux/s390x'),
    });
    expect([done, out]).toEqual([false, '']);
    expect(err.split('\n')).toEqual([
      expect.stringMatching(
        /^tagpin: "r.test\/app:1": there is no image for linux\/s390x: it has linux\/amd64, windows\(10.0.20348\)\/amd64; ask for another platform \[not_found\]$/,
      ),
      expect.stringContaining('"r.test/app:2"'),
      '',
    ]);
  });

  it('asks for a digest by its own name', async () => {
    const asked: string[] = [];
    const registries = registriesOf({
      resolve: async (image) => {
        asked.push(image);
        if (image.includes('b@')) throw new PinError('not_found', 'r.test answered 404');
        return { digest: digest('1'), mediaType: undefined };
      },
    });
    const images = [`r.test/a@${digest('1')}`, `r.test/b@${digest('2')}`];
    const streams = recordedStreams();
    expect(await runResolve({ ...OPTIONS, images }, registries, streams)).toBe(false);
    expect(asked).toEqual(images);
    expect(streams.written.out).toBe(`r.test/a@${digest('1')}\n`);
    expect(streams.written.err).toContain(`"r.test/b@${digest('2')}": r.test answered 404`);
  });

  it('escapes what a terminal obeys', async () => {
    const store = new ImageStore();
    const platform = { os: 'linux\u001B[2J', architecture: 'a\nb' };
    const index = store.index([{ ...store.image({}, []), mediaType: 'x/\u001By', platform }]);
    const streams = recordedStreams();
    for (const format of ['text', 'json', 'yaml'] as const) {
      const options = { ...OPTIONS, format, platform: 'all' } as const;
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await runResolve(options, store.registries(index), streams);
    }
    expect(streams.written.out.replaceAll('\n', '')).not.toMatch(/\p{C}/u);
    expect(streams.written.out).toContain('linux\\u{1b}[2J/a\\u{a}b');
  });
});
