import { symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { constants, gzipSync, zstdCompressSync } from 'node:zlib';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';

import { layerFiles } from '../../src/contents/layer-files.ts';
import { createLongLines, plainMember, shortLine } from '../../src/contents/tar-listing.ts';
import { PinError } from '../../src/errors.ts';
import { Files } from '../support/files.ts';
import { packTree, tarList, writeTree } from '../support/tar-tree.ts';

const COMPRESSIONS: readonly (readonly [string, (bytes: Buffer) => Buffer])[] = [
  ['no compression', (bytes) => bytes],
  ['gzip', (bytes) => gzipSync(bytes)],
  ['zstd', (bytes) => zstdCompressSync(bytes)],
  ['many members of gzip', (bytes) => inParts(bytes, gzipSync)],
  ['many frames of zstd', (bytes) => inParts(bytes, zstdCompressSync)],
  ['tiny frames of zstd', (bytes) => inParts(bytes, zstdCompressSync, 200)],
  ['zstd with checksums', (bytes) => inParts(bytes, withChecksum)],
  [
    'frames of zstd and one to skip',
    (bytes) => Buffer.concat([SKIPPED, zstdCompressSync(bytes), SKIPPED]),
  ],
  ['gzip and zeros behind it', (bytes) => Buffer.concat([gzipSync(bytes), Buffer.alloc(70_000)])],
];
/** RFC 8878, section 3.1.2. */
const SKIPPED = Buffer.from('5a2a4d180400000061626364', 'hex');

let files: Files;
let tree: string;
let archive: Buffer;

beforeAll(() => {
  files = new Files();
  tree = writeTree(files.directory);
  archive = packTree(tree, '--sparse', '--format=posix');
});
afterAll(() => files[Symbol.asyncDispose]());

function withChecksum(bytes: Buffer): Buffer {
  return zstdCompressSync(bytes, { params: { [constants.ZSTD_c_checksumFlag]: 1 } });
}

function inParts(bytes: Buffer, compress: (part: Buffer) => Buffer, length = 10_007): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += length) {
    parts.push(compress(bytes.subarray(at, at + length)));
  }
  return Buffer.concat(parts);
}

async function* chunksOf(bytes: Uint8Array, length = 65_536): AsyncGenerator<Uint8Array, void> {
  for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length);
}

/** What has not the digest it was asked for. */
async function* wrong(bytes: Uint8Array): AsyncGenerator<Uint8Array, void> {
  yield* chunksOf(bytes, 1000);
  throw new PinError('invalid_response', 'the blob has not its digest');
}

async function linesOf(
  content: AsyncIterable<Uint8Array>,
  lineOf: typeof shortLine = shortLine,
): Promise<string> {
  let lines = '';
  for await (const member of layerFiles(content)) lines += `${lineOf(member)}\n`;
  return lines;
}

describe('layerFiles', () => {
  it.each([
    ['format gnu', ['--format=gnu']],
    ['format oldgnu', ['--format=oldgnu']],
    ['format posix', ['--format=posix']],
    ['no sparse files', ['--format=posix', '--hole-detection=raw']],
    ['sparse files of version 0.0', ['--format=posix', '--sparse-version=0.0']],
    ['sparse files of version 0.1', ['--format=posix', '--sparse-version=0.1']],
    ['a header for all members', ['--format=posix', '--pax-option=gname=everybody,comment=all']],
    ['a large number in pax', ['--format=posix', '--owner=:3000000', '--mtime=@9999999999']],
    ['times before 1970 in pax', ['--format=posix', '--mtime=@-12345.5']],
    ['numbers to the base of 256', ['--format=gnu', '--owner=:3000000', '--mtime=@-12345']],
    ['times of access', ['--format=gnu', '--incremental', '--exclude=tree/n*']],
    ['many names of users', ['--format=gnu', '--owner=somebody-with-a-name', '--group=everybody']],
  ])('lists what tar -t and tar -tv do: %s', async (_, options) => {
    const packed = packTree(tree, '--sparse', ...options);
    expect(tarList(packed).split('\n').length).toBeGreaterThan(18);
    expect(await linesOf(chunksOf(packed))).toBe(tarList(packed));
    expect(await linesOf(chunksOf(packed), createLongLines())).toBe(tarList(packed, '-v'));
  });

  it.each(['ustar', 'v7'])('lists what tar -tv does: the old format %s', async (format) => {
    const folder = 'f'.repeat(90);
    const file = files.write(`${format}/${format === 'ustar' ? `${folder}/` : ''}${folder}`, 'x');
    symlinkSync('soft', join(dirname(file), 'link'));
    const packed = packTree(files.at(format), `--format=${format}`);
    expect(await linesOf(chunksOf(packed), createLongLines())).toBe(tarList(packed, '-v'));
  });

  it('lists what tar -t does where checksums are of bytes with signs, and links say a size', async () => {
    const size = 5;
    const link = header({ name: 'soft\u00e9', type: '1', linkName: 'soft', size, isSigned: true });
    const members = Buffer.concat([link, header({ name: 'next' })]);
    expect(await linesOf(chunksOf(members))).toBe('soft\u00e9\nnext\n');
    expect(tarList(Buffer.concat([members, Buffer.alloc(1024)]))).toBe('soft\u00e9\nnext\n');
  });

  it.each(['1', '2', '3', '4', '5', '6'])('has no content of members of type %s', async (type) => {
    const linkName = type === '1' || type === '2' ? 'there' : '';
    const members = [header({ name: 'one', type, linkName, size: 700 }), header({ name: 'two' })];
    expect(await linesOf(chunksOf(Buffer.concat(members)))).toBe('one\ntwo\n');
  });

  it('was shown archives of sparse files', () => {
    expect(archive.includes('GNU.sparse.realsize')).toBe(true);
    expect(packTree(tree, '--sparse', '--format=gnu').length).toBeLessThan(500_000);
  });

  it.each(COMPRESSIONS)('reads %s, whatever the chunks', async (_, compress) => {
    const compressed = compress(archive);
    const wanted = tarList(archive);
    for (const length of [1013, 65_536, compressed.length]) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      expect(await linesOf(chunksOf(compressed, length))).toBe(wanted);
    }
  });

  it('takes an archive without its end, and an empty one', async () => {
    const end = archive.findLastIndex((byte) => byte !== 0);
    const content = archive.subarray(0, Math.ceil((end + 1) / 512) * 512);
    expect(content.length).toBeLessThan(archive.length - 1024);
    expect(await linesOf(chunksOf(content))).toBe(tarList(archive));
    expect(await linesOf(chunksOf(Buffer.alloc(1024)))).toBe('');
    expect(await linesOf(chunksOf(gzipSync(Buffer.alloc(0))))).toBe('');
  });

  it.each([
    ['text', Buffer.from('hello '.repeat(200)), 'it is no tar archive, or a damaged one'],
    ['a few bytes', Buffer.from('{}'), 'it is no tar archive, or is cut off'],
    ['half a member', () => archive.subarray(0, 700), 'its tar archive is cut off'],
    ['gzip without its end', () => gzipSync(archive).subarray(0, -4), 'its gzip data is damaged'],
    ['half of gzip', () => gzipSync(archive).subarray(0, 900), 'its gzip data is damaged'],
    ['half of zstd', () => zstdCompressSync(archive).subarray(0, 900), 'its zstd data is cut off'],
    [
      'half a frame more',
      () => Buffer.concat([zstdCompressSync(archive), Buffer.from('(')]),
      'what follows a frame of zstd is none',
    ],
    [
      'a member behind the end',
      () => Buffer.concat([Buffer.alloc(512), archive]),
      'its tar archive goes on behind its end',
    ],
    [
      'a huge header',
      () => hugeHeader(1024 * 1024 + 1),
      'its tar archive has a header of more than 1 MiB',
    ],
    ['a size beyond all', () => hugeHeader(-1), 'its tar archive has a number that is too large'],
  ])('refuses %s, and says why', async (_, bytes, reason) => {
    const content = typeof bytes === 'function' ? bytes() : bytes;
    await expect(linesOf(chunksOf(content))).rejects.toMatchObject({
      code: 'unsupported_manifest',
      message: `Cannot read the layer: ${reason}`,
    });
  });

  it('throws what its content throws at the end, in place of what it made of the bytes', async () => {
    for (const bytes of [
      archive,
      gzipSync(archive),
      Buffer.from('no archive'.repeat(500)),
      gzipSync(archive).subarray(0, 2000),
      Buffer.concat([gzipSync(archive), Buffer.alloc(70_000)]),
    ]) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await expect(linesOf(wrong(bytes))).rejects.toThrow('the blob has not its digest');
    }
  });

  it('ends its content when nobody reads on, and asks for no more than is listed', async () => {
    const block = packTree(files.at('tree'), '--exclude=tree/*').subarray(0, 512);
    let given = 0;
    let hasEnded = false;
    async function* endless(): AsyncGenerator<Uint8Array, void> {
      try {
        for (;;) {
          given += 1;
          yield block;
        }
      } finally {
        hasEnded = true;
      }
    }
    let seen = 0;
    for await (const member of layerFiles(endless())) {
      expect(shortLine(member)).toBe('tree/');
      seen += 1;
      if (seen === 50) break;
    }
    expect({ given, hasEnded }).toEqual({ given: 50, hasEnded: true });
  });

  it('gives an answer, or a PinError, to any bytes', async () => {
    const spoilt = fc.tuple(
      fc.constantFrom(archive, gzipSync(archive), zstdCompressSync(archive)),
      fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }),
      fc.nat(),
      fc.constantFrom(100, 65_536),
    );
    await fc.assert(
      fc.asyncProperty(spoilt, async ([bytes, changes, cut, length]) => {
        const content = Buffer.from(bytes);
        for (const [at, value] of changes) content[at % content.length] = value;
        const end = cut % 2 === 0 ? content.length : cut % content.length;
        const listed = linesOf(chunksOf(content.subarray(0, end), length), createLongLines());
        const outcome = await listed.then(() => 'listed', codeOf);
        expect(['listed', 'unsupported_manifest']).toContain(outcome);
      }),
      { numRuns: 300 },
    );
  });
});

describe('plainMember', () => {
  it('tells programs of each kind of member', async () => {
    const found: Record<string, object> = {};
    for await (const member of layerFiles(chunksOf(archive))) {
      found[shortLine(member)] = plainMember(member);
    }
    const modified = expect.stringMatching(/^20\d\d-.*Z$/);
    const file = { type: 'file', mode: '0644', userId: 0, groupId: 0, modified };
    expect(found['tree/hard']).toMatchObject({ ...file, path: 'tree/hard', sizeBytes: 5 });
    expect(found['tree/plain']).toMatchObject({ type: 'link', target: 'tree/hard' });
    expect(found['tree/sparse']).toMatchObject({ ...file, sizeBytes: 1_048_576 });
    expect(found['tree/setuid']).toMatchObject({ mode: '4755' });
    expect(found['tree/soft']).toMatchObject({ type: 'symlink', target: 'plain' });
    expect(found['tree/fifo']).toMatchObject({ type: 'fifo' });
    expect(found['tree/']).toMatchObject({ type: 'directory', path: 'tree/' });
  });
});

function codeOf(caught: unknown): unknown {
  return caught instanceof PinError ? caught.code : caught;
}

/** An archive whose first header says that a long name of so many bytes follows. */
function hugeHeader(size: number): Buffer {
  return header({ name: '././@LongLink', type: 'L', size });
}

interface HeaderFields {
  readonly name: string;
  readonly type?: string;
  readonly linkName?: string;
  /** A negative one is written as no program does: too large for any. */
  readonly size?: number;
  readonly isSigned?: boolean;
}

function header({
  name,
  type = '0',
  linkName = '',
  size = 0,
  isSigned = false,
}: HeaderFields): Buffer {
  const block = Buffer.alloc(512);
  block.write(name, 0);
  block.write('0000644', 100);
  if (size < 0) block.fill(0x7f, 125, 136).fill(0x80, 124, 125);
  else block.write(size.toString(8).padStart(11, '0'), 124);
  block.write(type, 156);
  block.write(linkName, 157);
  block.fill(' ', 148, 156);
  const sum = block.reduce((total, byte) => total + (isSigned ? (byte << 24) >> 24 : byte), 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return block;
}
