import { execFileSync } from 'node:child_process';
import { lstatSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync } from 'node:fs';

import { hostname } from 'node:os';

import { describe, expect, it } from '@jest/globals';

import { readBounded, replaceByPieces } from '../../src/snapshot/file.ts';
import { Files } from '../support/files.ts';

function* failing(): Generator<Buffer> {
  yield Buffer.from('half');
  throw new Error('no more');
}

const PIECES = ['one, ', 'two'].map((text) => Buffer.from(text));

describe('replaceByPieces()', () => {
  it('writes all pieces into a file for its owner alone, and leaves nothing beside it', async () => {
    await using files = new Files();
    const file = files.at('snapshot');
    await replaceByPieces(file, PIECES);
    expect(readFileSync(file, 'utf8')).toBe('one, two');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    await replaceByPieces(file, [Buffer.from('three')]);
    expect(readFileSync(file, 'utf8')).toBe('three');
    expect(readdirSync(files.directory)).toEqual(['snapshot']);
  });

  it('leaves the old file where a piece cannot be had', async () => {
    await using files = new Files();
    const file = files.write('snapshot', 'old');
    await expect(replaceByPieces(file, failing())).rejects.toThrow('no more');
    expect(readFileSync(file, 'utf8')).toBe('old');
    expect(readdirSync(files.directory)).toEqual(['snapshot']);
  });

  it('takes the place of what a killed process left, and of links that somebody has put there', async () => {
    await using files = new Files();
    const file = files.at('snapshot');
    const other = files.write('other', 'untouched');
    const beside = files.write(`.snapshot.${hostname()}.new`, 'half of a snapsh');
    await replaceByPieces(file, PIECES);
    expect(readFileSync(file, 'utf8')).toBe('one, two');
    symlinkSync(other, beside);
    symlinkSync(other, files.at('linked'));
    await replaceByPieces(file, PIECES);
    await replaceByPieces(files.at('linked'), PIECES);
    expect(readFileSync(other, 'utf8')).toBe('untouched');
    expect(lstatSync(files.at('linked')).isFile()).toBe(true);
  });

  it('rejects where the folder is not there, or the file is a folder', async () => {
    await using files = new Files();
    await expect(replaceByPieces(files.at('no/snapshot'), PIECES)).rejects.toThrow('ENOENT');
    mkdirSync(files.at('folder'));
    await expect(replaceByPieces(files.at('folder'), PIECES)).rejects.toThrow('EISDIR');
    expect(readdirSync(files.directory)).toEqual(['folder']);
  });
});

describe('readBounded()', () => {
  it('gives the bytes of a file, and of none that is longer', async () => {
    await using files = new Files();
    const file = files.write('snapshot', '12345');
    expect(await readBounded(file, 5)).toEqual(Buffer.from('12345'));
    expect(await readBounded(file, 4)).toBeUndefined();
    expect(await readBounded(files.write('empty', ''), 5)).toEqual(Buffer.alloc(0));
  });

  it('rejects what is not there', async () => {
    await using files = new Files();
    await expect(readBounded(files.at('missing'), 5)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('rejects what is no file, and waits for none of it', async () => {
    await using files = new Files();
    const pipe = files.at('pipe');
    execFileSync('mkfifo', [pipe]);
    for (const path of [pipe, '/dev/zero', files.directory]) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await expect(readBounded(path, 5)).rejects.toThrow('it is no file');
    }
  });
});
