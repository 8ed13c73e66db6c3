import type { ByteReader } from './byte-reader.ts';
import { damaged } from './damage.ts';
import { type PaxRecords, paxNumber, readPaxRecords } from './pax-records.ts';
import {
  BLOCK_BYTES,
  isZeroBlock,
  mapContinues,
  readTarHeader,
  type TarHeader,
  untilNul,
} from './tar-header.ts';

/** A file, folder, link or device of an archive. `sizeBytes` is its own length. */
export type TarMember = Omit<TarHeader, 'sparse'>;

/** As much as Go's archive/tar takes, with which images are unpacked. */
const MAX_EXTENSION_BYTES = 1024 * 1024;
/** Links, devices, folders and pipes have nothing behind their header, whatever size it says. */
const WITHOUT_CONTENT: ReadonlySet<string> = new Set(['1', '2', '3', '4', '5', '6']);

const NONE: PaxRecords = new Map();

/** What the headers in front of a member say of it. */
interface Extensions {
  /** Of all members that follow. */
  global: PaxRecords;
  pax: PaxRecords;
  path: Buffer | undefined;
  linkPath: Buffer | undefined;
}

/** Each takes what lies behind a header that belongs to the next one. */
const EXTENSIONS: Readonly<Record<string, (extensions: Extensions, content: Buffer) => void>> = {
  g: (extensions, content) => {
    extensions.global = readPaxRecords(content, extensions.global);
  },
  x: (extensions, content) => {
    extensions.pax = readPaxRecords(content, extensions.pax);
  },
  // Solaris wrote the same under another letter.
  X: (extensions, content) => {
    extensions.pax = readPaxRecords(content, extensions.pax);
  },
  L: (extensions, content) => {
    extensions.path = untilNul(content);
  },
  K: (extensions, content) => {
    extensions.linkPath = untilNul(content);
  },
};

/**
 * The members of a tar archive, one after the other, in memory for one: POSIX, pax, and GNU's long
 * names and sparse files. Reads no further than the archive's end. By hand, as the packages there
 * are lose bytes of names that are no UTF-8, and leave sparse files out or give them other names.
 *
 * @throws PinError `unsupported_manifest` where it is none, is cut off, or a header of more than 1 MiB
 */
export async function* tarMembers(reader: ByteReader): AsyncGenerator<TarMember, void> {
  let global = NONE;
  for (;;) {
    const extensions: Extensions = { global, pax: NONE, path: undefined, linkPath: undefined };
    // oxlint-disable-next-line no-await-in-loop -- a stream comes in order
    const header = await nextHeader(reader, extensions);
    if (header === undefined) return;
    global = extensions.global;
    const records = new Map([...global, ...extensions.pax]);
    const stored = WITHOUT_CONTENT.has(header.type)
      ? 0
      : (paxNumber(records, 'size') ?? header.sizeBytes);
    yield memberOf(header, extensions, records);
    // oxlint-disable-next-line no-await-in-loop -- a stream comes in order
    await skipContent(reader, stored);
  }
}

/** The next header of a member, and what stands before it. Undefined at the end of the archive. */
async function nextHeader(
  reader: ByteReader,
  extensions: Extensions,
): Promise<TarHeader | undefined> {
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop -- a stream comes in order
    const block = await nextBlock(reader);
    if (block === undefined) return undefined;
    const header = readTarHeader(block);
    const extend = EXTENSIONS[header.type];
    if (extend === undefined) {
      // oxlint-disable-next-line no-await-in-loop -- a stream comes in order
      if (header.sparse.continues) await skipSparseMap(reader);
      return header;
    }
    // oxlint-disable-next-line no-await-in-loop -- a stream comes in order
    extend(extensions, await extensionOf(reader, header.sizeBytes));
  }
}

/** Undefined at the end: two blocks of zeros, or nothing more, as many programs leave them out. */
async function nextBlock(reader: ByteReader): Promise<Buffer | undefined> {
  const block = await blockOf(reader);
  if (block === undefined || !isZeroBlock(block)) return block;
  const next = await blockOf(reader);
  if (next === undefined || isZeroBlock(next)) return undefined;
  throw damaged('its tar archive goes on behind its end');
}

async function blockOf(reader: ByteReader): Promise<Buffer | undefined> {
  const bytes = await reader.take(BLOCK_BYTES);
  if (bytes.length === 0) return undefined;
  if (bytes.length < BLOCK_BYTES) throw damaged('it is no tar archive, or is cut off');
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** GNU tar, "Storing Sparse Files": blocks of the map as long as each says that another follows. */
async function skipSparseMap(reader: ByteReader): Promise<void> {
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop -- a stream comes in order
    const block = await blockOf(reader);
    if (block === undefined) throw damaged('its tar archive is cut off');
    if (!mapContinues(block)) return;
  }
}

async function extensionOf(reader: ByteReader, sizeBytes: number): Promise<Buffer> {
  if (sizeBytes < 0 || sizeBytes > MAX_EXTENSION_BYTES) {
    throw damaged('its tar archive has a header of more than 1 MiB');
  }
  const content = Buffer.from(await reader.peek(sizeBytes));
  await skipContent(reader, sizeBytes);
  return content;
}

/** Content is filled up to whole blocks. */
async function skipContent(reader: ByteReader, sizeBytes: number): Promise<void> {
  if (sizeBytes < 0) throw damaged('its tar archive has a member of a negative size');
  const filled = Math.ceil(sizeBytes / BLOCK_BYTES) * BLOCK_BYTES;
  if (!(await reader.skip(filled))) throw damaged('its tar archive is cut off');
}

function memberOf(header: TarHeader, extensions: Extensions, records: PaxRecords): TarMember {
  const { sparse, ...plain } = header;
  const sizeBytes = header.type === 'S' ? sparse.sizeBytes : sizeIn(records);
  return {
    ...plain,
    path: records.get('GNU.sparse.name') ?? records.get('path') ?? extensions.path ?? header.path,
    linkPath: records.get('linkpath') ?? extensions.linkPath ?? header.linkPath,
    sizeBytes: sizeBytes ?? header.sizeBytes,
    modifiedAtS: paxNumber(records, 'mtime') ?? header.modifiedAtS,
    ...ownerOf(header, records),
  };
}

type Owner = Pick<TarHeader, 'userId' | 'groupId' | 'user' | 'group'>;

function ownerOf(header: TarHeader, records: PaxRecords): Owner {
  return {
    userId: paxNumber(records, 'uid') ?? header.userId,
    groupId: paxNumber(records, 'gid') ?? header.groupId,
    user: records.get('uname') ?? header.user,
    group: records.get('gname') ?? header.group,
  };
}

/** A sparse file is shorter in the archive than it is (GNU tar, "PAX Format, Version 1.0"). */
function sizeIn(records: PaxRecords): number | undefined {
  return (
    paxNumber(records, 'GNU.sparse.realsize') ??
    paxNumber(records, 'GNU.sparse.size') ??
    paxNumber(records, 'size')
  );
}
