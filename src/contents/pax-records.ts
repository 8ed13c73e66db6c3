import { damaged } from './damage.ts';

const SPACE = 0x20;
const EQUALS = 0x3d;

/** All that is read of them: a global header may have any number of others. */
const KEYS = [
  'path',
  'linkpath',
  'size',
  'mtime',
  'uid',
  'gid',
  'uname',
  'gname',
  'GNU.sparse.name',
  'GNU.sparse.size',
  'GNU.sparse.realsize',
] as const;

/** What pax headers say of a member. */
export type PaxRecords = ReadonlyMap<PaxKey, Buffer>;

type PaxKey = (typeof KEYS)[number];

/**
 * Reads records, `LENGTH KEY=VALUE` and a line feed each (POSIX.1-2017, pax, "pax Header Format"),
 * on top of those that hold already; an empty value takes one away.
 *
 * @throws PinError `unsupported_manifest`
 */
export function readPaxRecords(bytes: Buffer, before: PaxRecords): PaxRecords {
  const records = new Map(before);
  for (let start = 0; start < bytes.length && bytes[start] !== 0; ) {
    const space = bytes.indexOf(SPACE, start);
    const length = Number(bytes.toString('latin1', start, space));
    const end = start + length;
    const equals = bytes.indexOf(EQUALS, space);
    const isSound = Number.isInteger(length) && end <= bytes.length && space < equals;
    if (space === -1 || !isSound || equals >= end) throw damaged('a pax header is malformed');
    const name = bytes.toString('utf8', space + 1, equals);
    const key = KEYS.find((known) => known === name);
    const value = bytes.subarray(equals + 1, end - 1);
    if (key !== undefined && value.length === 0) records.delete(key);
    else if (key !== undefined) records.set(key, value);
    start = end;
  }
  return records;
}

/** The number of a record; undefined where there is none. Throws PinError `unsupported_manifest`. */
export function paxNumber(records: PaxRecords, key: PaxKey): number | undefined {
  const text = records.get(key)?.toString('latin1');
  if (text === undefined) return undefined;
  const number = /^-?\d+(?:\.\d*)?$/.test(text) ? Number(text) : Number.NaN;
  if (Math.abs(number) <= Number.MAX_SAFE_INTEGER) return number;
  throw damaged('a number of a pax header is malformed');
}
