import {
  chmod,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

import { createFile, listManifests, readText, replaceFile } from '../../src/files/disk.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tagpin-disk-'));
});
afterEach(() => rm(folder, { recursive: true }));

async function put(name: string, text = 'x'): Promise<string> {
  const path = join(folder, name);
  await mkdir(join(path, '..'), { recursive: true });
  await writeFile(path, text);
  return path;
}

describe('listManifests()', () => {
  it('takes files as they are named, and of folders all YAML and JSON', async () => {
    const notes = await put('notes.txt');
    const names = ['k8s/b.yaml', 'k8s/a/c.yml', 'k8s/a/d.JSON', 'k8s/Kustomization'];
    await Promise.all(names.map((name) => put(name)));
    await Promise.all(
      ['k8s/e.txt', 'k8s/.git/f.yaml', 'k8s/.g.yaml', 'k8s/node_modules/h.yaml'].map((name) =>
        put(name),
      ),
    );
    await symlink(join(folder, 'k8s/b.yaml'), join(folder, 'k8s/link.yaml'));
    await symlink(join(folder, 'k8s'), join(folder, 'k8s/loop.yaml'));
    const files = await listManifests([notes, join(folder, 'k8s'), '-', notes]);
    expect(files).toEqual([
      { path: notes, below: 'notes.txt' },
      ...['Kustomization', 'a/c.yml', 'a/d.JSON', 'b.yaml', 'link.yaml'].map((below) => ({
        path: join(folder, 'k8s', below),
        below,
      })),
      { path: '-', below: '-' },
    ]);
  });

  it('refuses a path that is not there', async () => {
    const missing = join(folder, 'missing');
    await expect(listManifests([missing])).rejects.toMatchObject({
      code: 'invalid_config',
      message: `Cannot read ${missing}`,
    });
  });
});

describe('readText()', () => {
  it('keeps a byte order mark, and refuses what is not UTF-8', async () => {
    expect(readText(await put('a', '\uFEFFx'))).toEqual({ text: '\uFEFFx' });
    const path = join(folder, 'b');
    await writeFile(path, Buffer.from([0x66, 0xff]));
    expect(readText(path)).toEqual({ problem: 'is not UTF-8', isMissing: false });
    expect(readText(join(folder, 'c'))).toEqual({
      problem: 'cannot be read: it is not there',
      isMissing: true,
    });
  });
});

describe('replaceFile()', () => {
  it('keeps the mode, and leaves nothing beside the file', async () => {
    const path = await put('a.yaml');
    await chmod(path, 0o755);
    const before = await stat(path);
    expect(replaceFile(path, 'new')).toBeUndefined();
    expect(await readFile(path, 'utf8')).toBe('new');
    const after = await stat(path);
    expect(after.mode).toBe(before.mode);
    // Another file in its place: nobody sees half of it.
    expect(after.ino).not.toBe(before.ino);
    expect(await readdir(folder)).toEqual(['a.yaml']);
  });

  it('follows a link, which stays one', async () => {
    const path = await put('real/a.yaml');
    const link = join(folder, 'link.yaml');
    await symlink(path, link);
    expect(replaceFile(link, 'new')).toBeUndefined();
    expect(await readFile(path, 'utf8')).toBe('new');
    expect(await readdir(folder)).toEqual(['link.yaml', 'real']);
    expect(await readdir(join(folder, 'real'))).toEqual(['a.yaml']);
  });

  it('names what is read-only, and what is gone', async () => {
    const path = await put('a.yaml');
    await chmod(path, 0o444);
    expect(replaceFile(path, 'new')).toBe('is read-only');
    expect(await readFile(path, 'utf8')).toBe('x');
    expect(replaceFile(join(folder, 'gone'), 'new')).toBe('cannot be written: it is not there');
  });
});

describe('createFile()', () => {
  it('makes the folders above a file, and replaces one that is there', async () => {
    const path = join(folder, 'a/b/c.yaml');
    expect(createFile(path, 'one')).toBeUndefined();
    expect(createFile(path, 'two')).toBeUndefined();
    expect(await readFile(path, 'utf8')).toBe('two');
    expect(await readdir(join(folder, 'a/b'))).toEqual(['c.yaml']);
  });
});
