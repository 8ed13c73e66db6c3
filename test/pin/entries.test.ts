import { describe, expect, it } from '@jest/globals';

import { createEntries, type Entry, readEntries, readSetting } from '../../src/pin/entries.ts';
import { digest } from '../support/admission.ts';

const [A, B] = [digest('a'), digest('b')];

function short(entries: readonly Entry[]): string[] {
  return entries.map((entry) => `${entry.name}:${entry.tag ?? ''} ${entry.digest.at(-1)}`);
}

describe('readEntries()', () => {
  it.each<[string, string, string[]]>([
    [
      'a Cloud Build result',
      JSON.stringify({
        id: 'x',
        results: {
          images: [
            { name: 'gcr.io/p/a', digest: A },
            { name: 'gcr.io/p/a:1', digest: A, pushTiming: {} },
          ],
        },
      }),
      ['gcr.io/p/a: a', 'gcr.io/p/a:1 a'],
    ],
    [
      'a list of builds',
      JSON.stringify([{ results: { images: [{ name: 'a', digest: A }] } }, { results: {} }]),
      ['docker.io/library/a: a'],
    ],
    ['the images alone', JSON.stringify([{ name: 'a', digest: A }]), ['docker.io/library/a: a']],
    ['a line of pack', `r.io/a@${A}\n`, ['r.io/a: a']],
    [
      'lines, empty ones and comments',
      `\uFEFF# ours\r\n\r\n r.io/a:1@${A}\r\nb@${B}`,
      ['r.io/a:1 a', 'docker.io/library/b: b'],
    ],
    ['nothing', '', []],
  ])('reads %s', (_, text, expected) => {
    expect(short(readEntries(text, 'f'))).toEqual(expected);
  });

  it.each<[string, string, string]>([
    ['a line without a digest', 'a@sha256:1\n', 'f:1: expected NAME@DIGEST'],
    ['a reference by tag', `# x\na:1\n`, 'f:2: no digest'],
    ['JSON of something else', '{"a":1}', 'no results.images'],
    ['broken JSON', '{"results":', 'no results.images'],
    ['an image without a digest', '{"results":{"images":[{"name":"a"}]}}', 'lacks its name'],
  ])('refuses %s', (_, text, message) => {
    expect(() => readEntries(text, 'f')).toThrow(
      expect.objectContaining({
        code: 'invalid_config',
        message: expect.stringContaining(message),
      }),
    );
  });
});

describe('readSetting()', () => {
  it('reads REPO[:TAG]=DIGEST', () => {
    expect(short([readSetting(`a:1=${A}`), readSetting(`r.io:5000/a=${B}`)])).toEqual([
      'docker.io/library/a:1 a',
      'r.io:5000/a: b',
    ]);
    expect(() => readSetting('a')).toThrow('expected REPO[:TAG]=DIGEST');
    expect(() => readSetting('a=b')).toThrow('--set');
  });
});

describe('createEntries()', () => {
  const list = [readSetting(`a:1=${A}`), readSetting(`b=${B}`)];
  const [a, b] = ['docker.io/library/a', 'docker.io/library/b'];

  it.each<[string, string | undefined, boolean, string | undefined]>([
    [a, '1', false, A],
    [a, 'latest', false, undefined],
    [a, '2', true, undefined],
    [b, 'latest', false, B],
    [b, '2', false, undefined],
    [b, '2', true, B],
    [b, undefined, false, undefined],
    [b, undefined, true, B],
  ])('pins %s:%s (any tag: %s)', (...[name, tag, anyTag, expected]) => {
    expect(createEntries(list, { anyTag }).digestFor(name, tag)).toBe(expected);
  });

  it('lets the later of two count, and tells what was of no use', () => {
    const entries = createEntries([...list, readSetting(`b=${A}`)], { anyTag: false });
    expect(entries.digestFor(b, 'latest')).toBe(A);
    expect(short(entries.unused())).toEqual([`${a}:1 a`]);
  });
});
