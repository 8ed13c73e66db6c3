import { beforeAll, describe, expect, it } from '@jest/globals';

import { runTagpin } from '../test/support/process.ts';
import { crane } from './support/crane.ts';
import { readEnvironment } from './support/environment.ts';
import { TestImage } from './support/test-image.ts';

const { registry, privateRegistry } = readEnvironment();

/** The registry gives 1,000 on a page. */
const TAGS: readonly string[] = Array.from({ length: 1050 }, (_, number) => `v${number}`);

let image: TestImage;
let first: string;

beforeAll(async () => {
  image = await TestImage.ofOnePlatform(registry);
  first = await image.digest();
  await image.tagAs(TAGS);
  await image.move();
});

describe('tagpin tags', () => {
  it('prints what crane does, in the same order, over several pages', async () => {
    const [ours, theirs] = await Promise.all([
      runTagpin(['tags', image.name]),
      crane(registry, ['ls', image.name]),
    ]);
    expect(ours).toEqual({ code: 0, stdout: theirs, stderr: '' });
    expect(theirs.trim().split('\n').toSorted()).toEqual(['1', ...TAGS].toSorted());
  });

  it('prints the tags of one digest, and the digest of each tag', async () => {
    const [ofFirst, ofSecond, long] = await Promise.all([
      runTagpin(['tags', `${image.name}@${first}`]),
      runTagpin(['tags', await image.pinned()]),
      runTagpin(['tags', '--long', '-o', 'json', image.name]),
    ]);
    expect(ofFirst.stdout.trim().split('\n').toSorted()).toEqual(TAGS.toSorted());
    expect(ofSecond).toEqual({ code: 0, stdout: '1\n', stderr: '' });
    const report = JSON.parse(long.stdout) as { tags: { tag: string; digest: string }[] };
    const second = await image.digest();
    expect(report.tags).toHaveLength(TAGS.length + 1);
    expect(
      report.tags.filter(({ tag, digest }) => digest !== (tag === '1' ? second : first)),
    ).toEqual([]);
  });

  it('says that no tag names the manifest of one platform of an index', async () => {
    const index = await TestImage.ofTwoPlatforms(registry);
    const [child = ''] =
      (await crane(registry, ['manifest', index.tagged])).match(/sha256:[0-9a-f]{64}/) ?? [];
    const { code, stdout, stderr } = await runTagpin(['tags', `${index.name}@${child}`]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toBe(
      `tagpin: no tag of ${index.name} names ${child}; it may be there without one, as the platforms of an index are\n`,
    );
  });

  it('opens a private registry with the password of its account', async () => {
    const guarded = await TestImage.ofOnePlatform(privateRegistry);
    const { username = '', password = '' } = privateRegistry.account ?? {};
    const args = ['tags', `--username=${username}`, '--password-stdin', '-l', guarded.name];
    const { code, stdout } = await runTagpin(args, {}, password);
    expect({ code, last: stdout.trim().split('\n').at(-1) }).toEqual({
      code: 0,
      last: `${await guarded.digest()}  ${guarded.tag}`,
    });
  });
});
