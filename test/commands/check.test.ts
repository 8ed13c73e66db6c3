import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { runTagpin } from '../support/process.ts';

let file: string;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tagpin-command-'));
  file = join(folder, 'pod.yaml');
  const image = '{name: a, image: nginx}';
  await writeFile(file, `apiVersion: v1\nkind: Pod\nspec: {containers: [${image}]}\n`);
});
afterAll(() => rm(folder, { recursive: true }));

describe('tagpin check', () => {
  it('ends with 1 for a finding, which it prints, and with 0 for none', async () => {
    const [found, none] = await Promise.all([
      runTagpin(['check', file]),
      runTagpin(['check', '--extra-kind=a.io/A=spec', '/dev/null']),
    ]);
    expect(found).toEqual({
      code: 1,
      stdout: `${file}:3:38: container <a> uses an image without a digest <nginx> (Pod)\n`,
      stderr: '1 image in 1 file: 1 finding\n',
    });
    expect(none).toMatchObject({ code: 0, stdout: '' });
  });

  it.each([
    ['no path', [], 'name a file'],
    ['a path that is not there', ['/nowhere'], 'Cannot read /nowhere'],
    ['an unknown format', ['-o', 'xml', '-'], 'Allowed choices are text, json, yaml, sarif'],
    ['an unknown flag', ['--bogus', '-'], "unknown option '--bogus'"],
  ])('ends with 2 for %s', async (_, args, message) => {
    const { code, stderr } = await runTagpin(['check', ...args]);
    expect(code).toBe(2);
    expect(stderr).toContain(message);
  });

  it('describes its flags with examples', async () => {
    const { code, stdout } = await runTagpin(['check', '--help']);
    expect(code).toBe(0);
    for (const text of ['--strict', '--constraint <FILE>', 'Examples:', 'Exit codes:']) {
      expect(stdout).toContain(text);
    }
  });
});
