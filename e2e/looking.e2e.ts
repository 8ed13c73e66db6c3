import { describe, expect, it } from '@jest/globals';

import { runTagpin } from '../test/support/process.ts';
import { crane } from './support/crane.ts';
import { readEnvironment } from './support/environment.ts';
import { type Format, pushImage, pushIndex, pushNestedIndex } from './support/image.ts';
import type { Push } from './support/test-image.ts';
import { TestImage } from './support/test-image.ts';

const { registry } = readEnvironment();

const FORMATS: readonly Format[] = ['oci', 'docker'];
const KINDS: Readonly<Record<string, (format: Format) => Push>> = {
  image: (format) => (target) => pushImage(target, { format }),
  index: (format) => (target) => pushIndex(target, format),
  'index of indexes': (format) => (target) => pushNestedIndex(target, format),
};
const CASES = FORMATS.flatMap((format) =>
  Object.entries(KINDS).map(([kind, pushOf]) => ({ format, kind, push: pushOf(format) })),
);
const AMD64 = '--platform=linux/amd64';
const ARM64 = '--platform=linux/arm64';

/** A command of tagpin's, and the one of crane's that says the same. */
interface Question {
  readonly ours: readonly string[];
  readonly theirs: readonly string[];
}

function commandsOn(reference: string, ...flags: readonly string[]): Question[] {
  return [
    ['resolve', 'digest'],
    ['manifest', 'manifest'],
    ['config', 'config'],
  ].map(([ours = '', theirs = '']) => ({
    ours: [ours, ...(ours === 'resolve' ? ['--digest-only'] : []), ...flags, reference],
    theirs: [theirs, ...flags, reference],
  }));
}

async function questionsOf(image: TestImage, platforms: readonly string[]): Promise<Question[]> {
  return [
    { ours: ['tags', image.name], theirs: ['ls', image.name] },
    ...commandsOn(image.tagged),
    ...commandsOn(await image.pinned()),
    ...platforms.flatMap((platform) => commandsOn(image.tagged, platform)),
  ];
}

describe.each(CASES)('tagpin on an $kind, media types of $format', ({ kind, push }) => {
  it('prints what crane does, by tag, by digest and by platform', async () => {
    const image = await TestImage.pushedBy(registry, push);
    const questions = await questionsOf(image, kind === 'image' ? [AMD64] : [AMD64, ARM64]);
    for (const { ours, theirs } of questions) {
      const [ended, stdout] = await Promise.all([runTagpin(ours), crane(registry, theirs)]);
      expect({ ours, ...ended }).toEqual({ ours, code: 0, stdout, stderr: '' });
    }
  });

  it('prints the blobs of its manifest that crane does', async () => {
    const image = await TestImage.pushedBy(registry, push);
    const manifest = await crane(registry, ['manifest', AMD64, image.tagged]);
    const [config = '', layer = ''] = manifest.match(/sha256:[0-9a-f]{64}/g) ?? [];
    for (const digest of [config, layer]) {
      const name = `${image.name}@${digest}`;
      const [ours, theirs] = await Promise.all([
        runTagpin(['blob', name]),
        crane(registry, ['blob', name]),
      ]);
      expect(ours).toEqual({ code: 0, stdout: theirs, stderr: '' });
    }
  });
});

describe('tagpin resolve --all-platforms', () => {
  it('finds for each platform what crane finds', async () => {
    const image = await TestImage.pushedBy(registry, (target) => pushIndex(target, 'oci'));
    const { stdout } = await runTagpin(['resolve', '--all-platforms', image.tagged]);
    const [amd64, arm64] = await Promise.all(
      [AMD64, ARM64].map((platform) => crane(registry, ['digest', platform, image.tagged])),
    );
    expect(stdout).toBe(
      `${image.name}@${amd64?.trim()} linux/amd64\n${image.name}@${arm64?.trim()} linux/arm64\n`,
    );
  });
});
