import { chmod, readdir, readFile, stat, symlink } from 'node:fs/promises';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

import { createFile, replaceFile } from '../../src/files/replace.ts';
import { Files } from '../support/files.ts';

let files: Files;
let folder: string;

beforeEach(() => {
  files = new Files();
  folder = files.directory;
});
afterEach(() => files[Symbol.asyncDispose]());

describe('replaceFile()', () => {
  it('keeps the mode, and leaves nothing beside the file', async () => {
    const path = files.write('a.yaml', 'x');
    await chmod(path, 0o755);
    const before = await stat(path);
    expect(await replaceFile(path, 'new')).toBeUndefined();
    expect(await readFile(path, 'utf8')).toBe('new');
    const after = await stat(path);
    expect(after.mode).toBe(before.mode);
    // Another file in its place: nobody sees half of it.
    expect(after.ino).not.toBe(before.ino);
    expect(await readdir(folder)).toEqual(['a.yaml']);
  });

  it('follows a link, which stays one', async () => {
    const path = files.write('real/a.yaml', 'x');
    const link = join(folder, 'link.yaml');
    await symlink(path, link);
    expect(await replaceFile(link, 'new')).toBeUndefined();
    expect(await readFile(path, 'utf8')).toBe('new');
    expect(await readdir(folder)).toEqual(['link.yaml', 'real']);
    expect(await readdir(join(folder, 'real'))).toEqual(['a.yaml']);
  });

  it('names what is read-only, and what is gone', async () => {
    const path = files.write('a.yaml', 'x');
    await chmod(path, 0o444);
    expect(await replaceFile(path, 'new')).toBe('is read-only');
    expect(await readFile(path, 'utf8')).toBe('x');
    expect(await replaceFile(join(folder, 'gone'), 'new')).toBe(
      'cannot be written: it is not there',
    );
  });
});

describe('createFile()', () => {
  it('makes the folders above a file, and replaces one that is there', async () => {
    const path = join(folder, 'a/b/c.yaml');
    expect(await createFile(path, 'one')).toBeUndefined();
    expect(await createFile(path, 'two')).toBeUndefined();
    expect(await readFile(path, 'utf8')).toBe('two');
    expect(await readdir(join(folder, 'a/b'))).toEqual(['c.yaml']);
  });
});
