import { damaged } from './damage.ts';

/** Archives are made of blocks of this length. */
export const BLOCK_BYTES = 512;

/** One header as it lies in a block. Names are bytes: nothing says in which encoding they are. */
export interface TarHeader {
  /** The type's character; that of old archives without one is `0`. */
  readonly type: string;
  readonly path: Buffer;
  readonly linkPath: Buffer;
  readonly mode: number;
  readonly userId: number;
  readonly groupId: number;
  readonly user: Buffer;
  readonly group: Buffer;
  /** What lies behind the header. */
  readonly sizeBytes: number;
  /** Seconds since 1970. */
  readonly modifiedAtS: number;
  readonly device: { readonly major: number; readonly minor: number };
  /** Of a sparse file of old GNU archives: its length, and whether a block of its map follows. */
  readonly sparse: { readonly sizeBytes: number; readonly continues: boolean };
}

// Offset and length of each field: POSIX.1-2017, pax, "ustar Interchange Format"; the last three are
// those of old GNU archives (GNU tar, "Basic Tar Format", struct oldgnu_header).
const FIELDS = {
  name: [0, 100],
  mode: [100, 8],
  userId: [108, 8],
  groupId: [116, 8],
  size: [124, 12],
  modifiedAt: [136, 12],
  checksum: [148, 8],
  linkName: [157, 100],
  magic: [257, 6],
  user: [265, 32],
  group: [297, 32],
  major: [329, 8],
  minor: [337, 8],
  prefix: [345, 155],
  sparseSize: [483, 12],
} as const;
const TYPE_AT = 156;
const SPARSE_CONTINUES_AT = 482;
const MAP_CONTINUES_AT = 504;
const SPACE = 0x20;
const POSIX_MAGIC = 'ustar\0';

type Field = keyof typeof FIELDS;

/** Tells whether a block ends an archive: two of these do. */
export function isZeroBlock(block: Buffer): boolean {
  return block.every((byte) => byte === 0);
}

/** Tells whether another block of the map of a sparse file follows this one. */
export function mapContinues(block: Buffer): boolean {
  return block[MAP_CONTINUES_AT] !== 0;
}

/** Tells whether a block has the checksum of a header. */
export function isTarHeader(block: Buffer): boolean {
  return sumsOf(block).includes(numberIn(block, 'checksum'));
}

/** @throws PinError `unsupported_manifest` where the block is no header */
export function readTarHeader(block: Buffer): TarHeader {
  if (!isTarHeader(block)) throw damaged('it is no tar archive, or a damaged one');
  const name = textIn(block, 'name');
  const prefix = bytesOf(block, 'magic').toString('latin1') === POSIX_MAGIC ? 'prefix' : undefined;
  const folder = prefix === undefined ? undefined : textIn(block, prefix);
  const type = String.fromCodePoint(block[TYPE_AT] ?? 0);
  return {
    type: type === '\0' ? '0' : type,
    path: folder?.length ? Buffer.concat([folder, Buffer.from('/'), name]) : name,
    linkPath: textIn(block, 'linkName'),
    mode: numberIn(block, 'mode'),
    userId: numberIn(block, 'userId'),
    groupId: numberIn(block, 'groupId'),
    user: textIn(block, 'user'),
    group: textIn(block, 'group'),
    sizeBytes: numberIn(block, 'size'),
    modifiedAtS: numberIn(block, 'modifiedAt'),
    device: { major: numberIn(block, 'major'), minor: numberIn(block, 'minor') },
    sparse: {
      sizeBytes: type === 'S' ? numberIn(block, 'sparseSize') : 0,
      continues: type === 'S' && block[SPARSE_CONTINUES_AT] !== 0,
    },
  };
}

function bytesOf(block: Buffer, field: Field): Buffer {
  const [start, length] = FIELDS[field];
  return block.subarray(start, start + length);
}

/** Up to the first NUL. A copy: the block is part of a larger chunk. */
function textIn(block: Buffer, field: Field): Buffer {
  return Buffer.from(untilNul(bytesOf(block, field)));
}

/** What is before the first NUL. */
export function untilNul(bytes: Buffer): Buffer {
  const end = bytes.indexOf(0);
  return end === -1 ? bytes : bytes.subarray(0, end);
}

/** Octal digits, or, where the first bit is set, a number to the base of 256 (GNU tar). */
function numberIn(block: Buffer, field: Field): number {
  const bytes = bytesOf(block, field);
  const [first = 0] = bytes;
  if (first >= 0x80) return largeNumber(bytes);
  const digits = /^[ ]*([0-7]*)[ \0]?/.exec(bytes.toString('latin1'))?.[1] ?? '';
  return digits === '' ? 0 : Number.parseInt(digits, 8);
}

/** Two's complement of which the first bit is a mark, and the second one the sign. */
function largeNumber(bytes: Buffer): number {
  const [first = 0, ...rest] = bytes;
  const start = (first & 0x40) === 0 ? first & 0x3f : (first & 0x7f) - 0x80;
  const number = rest.reduce((value, byte) => value * 256 + byte, start);
  if (!Number.isSafeInteger(number))
    throw damaged('its tar archive has a number that is too large');
  return number;
}

/** Of the bytes of the block, its checksum taken for spaces; old programs had bytes with signs. */
function sumsOf(block: Buffer): number[] {
  const [start, length] = FIELDS.checksum;
  let unsigned = 0;
  let signed = 0;
  for (const [at, value] of block.entries()) {
    const byte = at >= start && at < start + length ? SPACE : value;
    unsigned += byte;
    signed += byte < 0x80 ? byte : byte - 256;
  }
  return [unsigned, signed];
}
