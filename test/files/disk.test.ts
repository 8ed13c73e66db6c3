import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

import { listManifests, readText } from '../../src/files/disk.ts';

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
