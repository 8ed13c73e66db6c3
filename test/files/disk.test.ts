import { symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

import { listManifests, readText } from '../../src/files/disk.ts';
import { Files } from '../support/files.ts';

let files: Files;
let folder: string;

beforeEach(() => {
  files = new Files();
  folder = files.directory;
});
afterEach(() => files[Symbol.asyncDispose]());

describe('listManifests()', () => {
  it('takes files as they are named, and of folders all YAML and JSON', async () => {
    const notes = files.write('notes.txt', 'x');
    const names = ['k8s/b.yaml', 'k8s/a/c.yml', 'k8s/a/d.JSON', 'k8s/Kustomization'];
    const others = ['k8s/e.txt', 'k8s/.git/f.yaml', 'k8s/.g.yaml', 'k8s/node_modules/h.yaml'];
    for (const name of [...names, ...others]) files.write(name, 'x');
    await symlink(join(folder, 'k8s/b.yaml'), join(folder, 'k8s/link.yaml'));
    await symlink(join(folder, 'k8s'), join(folder, 'k8s/loop.yaml'));
    const listed = await listManifests([notes, join(folder, 'k8s'), '-', notes]);
    expect(listed).toEqual([
      { path: notes, below: 'notes.txt' },
      ...['Kustomization', 'a/c.yml', 'a/d.JSON', 'b.yaml', 'link.yaml'].map((below) => ({
        path: join(folder, 'k8s', below),
        below,
      })),
      { path: '-', below: '-' },
    ]);
  });

  it('tells of links that lead out of the folder that was named, and of no others', async () => {
    const outside = files.write('outside.yaml', 'x');
    const aside = files.write('k8s-2/aside.yaml', 'x');
    const inside = files.write('k8s/base/inside.yaml', 'x');
    const links = { a: outside, b: aside, c: inside, d: '../outside.yaml', e: 'base/inside.yaml' };
    await Promise.all(
      Object.entries(links).map(([name, to]) => symlink(to, join(folder, `k8s/${name}.yaml`))),
    );
    await symlink('a.yaml', join(folder, 'k8s/by-another.yaml'));
    await symlink('k8s', join(folder, 'linked'));
    const leading = async (...paths: string[]): Promise<string[]> => {
      const listed = await listManifests(paths.map((path) => join(folder, path)));
      return listed.filter(({ leadsOut }) => leadsOut === true).map(({ below }) => below);
    };
    const out = ['a.yaml', 'b.yaml', 'by-another.yaml', 'd.yaml'];
    expect(await leading('k8s')).toEqual(out);
    expect(await leading('linked')).toEqual(out);
    expect(await leading('.')).toEqual([]);
    expect(await leading('k8s/a.yaml')).toEqual([]);
    // Whatever is named itself is meant.
    expect(await leading('k8s', 'k8s/a.yaml')).toEqual(out.slice(1));
    expect(await leading('k8s/a.yaml', 'k8s')).toEqual(out.slice(1));
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
    expect(readText(files.write('a', '\uFEFFx'))).toEqual({ text: '\uFEFFx' });
    const path = join(folder, 'b');
    await writeFile(path, Buffer.from([0x66, 0xff]));
    expect(readText(path)).toEqual({ problem: 'is not UTF-8', isMissing: false });
    expect(readText(join(folder, 'c'))).toEqual({
      problem: 'cannot be read: it is not there',
      isMissing: true,
    });
  });
});
