import type { PinErrorCode } from '../error-codes.ts';
import type { PinError } from '../errors.ts';
import { writeYaml } from '../files/yaml.ts';
import { printable, printableJson } from '../image/printable.ts';
import type { TagFailure, TagQuery, TagRow } from './tag-rows.ts';

/** How to report. */
export type TagFormat = 'text' | 'json' | 'yaml';

/** A tag that failed, without what of its error is for the log: there may be many. */
export interface Unlisted {
  readonly tag: string;
  readonly reason: PinErrorCode;
  readonly message: string;
}

/** How a list ended. */
export interface TagEnding {
  readonly failures: readonly Unlisted[];
  /** Why the list breaks off. */
  readonly error: PinError | undefined;
}

/** Writes a report in pieces, as its rows come: a repository may have more tags than memory should hold. */
export interface TagReport {
  readonly rows: (rows: readonly TagRow[]) => string;
  readonly end: (ending: TagEnding) => string;
}

/** What a report keeps of a failure. */
export function unlisted({ tag, error }: TagFailure): Unlisted {
  return { tag, reason: error.code, message: error.message };
}

type StartReport = (query: TagQuery) => TagReport;

/** A report of each format. */
export const TAG_REPORTS: Readonly<Record<TagFormat, StartReport>> = {
  text: ({ details }) => (details ? table() : plainLines()),
  json: jsonReport,
  yaml: yamlReport,
};

function plainLines(): TagReport {
  return {
    rows: (rows) => rows.map(({ tag }) => `${printable(tag ?? NOTHING)}\n`).join(''),
    end: () => '',
  };
}

/** No tag looks like it: a tag begins with a letter, a digit or `_`. */
const NOTHING = '-';

interface Column {
  readonly title: string;
  readonly widthChars: number;
  readonly cell: (row: TagRow) => string;
}

const DIGEST: Column = {
  title: 'DIGEST',
  widthChars: 'sha256:'.length + 64,
  cell: ({ digest }) => digest ?? NOTHING,
};
const TAG: Column = {
  title: 'TAG',
  widthChars: 0,
  cell: ({ tag }) => printable(tag ?? NOTHING),
};
/** Last comes what may be of any length. */
const SHORT: readonly Column[] = [DIGEST, TAG];
const LONG: readonly Column[] = [
  DIGEST,
  { title: 'CREATED', widthChars: 20, cell: ({ createdAtMs }) => timeOf(createdAtMs) ?? NOTHING },
  {
    title: 'UPLOADED',
    widthChars: 20,
    cell: ({ uploadedAtMs }) => timeOf(uploadedAtMs) ?? NOTHING,
  },
  { title: 'BYTES', widthChars: 12, cell: ({ sizeBytes }) => String(sizeBytes ?? NOTHING) },
  TAG,
];

/** Times and sizes have columns where the first rows have any. */
function table(): TagReport {
  let columns: readonly Column[] | undefined;
  return {
    rows: (rows) => {
      if (rows.length === 0) return '';
      const isFirst = columns === undefined;
      columns ??= rows.some(tellsMore) ? LONG : SHORT;
      const written = columns;
      const head = isFirst ? line(written, ({ title }) => title) : '';
      return head + rows.map((row) => line(written, ({ cell }) => cell(row))).join('');
    },
    end: () => '',
  };
}

function tellsMore({ sizeBytes, createdAtMs, uploadedAtMs }: TagRow): boolean {
  return [sizeBytes, createdAtMs, uploadedAtMs].some((value) => value !== undefined);
}

function line(columns: readonly Column[], textOf: (column: Column) => string): string {
  return `${columns.map((column) => textOf(column).padEnd(column.widthChars)).join('  ')}\n`;
}

function jsonReport({ repository }: TagQuery): TagReport {
  let isFirst = true;
  const item = (row: TagRow): string => {
    const before = isFirst ? '' : ',';
    isFirst = false;
    return `${before}\n    ${printableJson(plain(row))}`;
  };
  let head = `{\n  "repository": ${printableJson(repository)},\n  "tags": [`;
  const start = (): string => {
    const text = head;
    head = '';
    return text;
  };
  return {
    rows: (rows) => start() + rows.map(item).join(''),
    end: (ending) => {
      const others = Object.entries(plainEnding(ending))
        .map(([name, value]) => `,\n  "${name}": ${printableJson(value)}`)
        .join('');
      return `${start()}${isFirst ? '' : '\n  '}]${others}\n}\n`;
    },
  };
}

function yamlReport({ repository }: TagQuery): TagReport {
  let isEmpty = true;
  return {
    rows: (rows) => {
      if (rows.length === 0) return '';
      const written = writeYaml({ repository, tags: rows.map(plain) });
      if (!isEmpty) return itemsOf(written);
      isEmpty = false;
      return written;
    },
    end: (ending) => {
      const others = plainEnding(ending);
      if (isEmpty) return writeYaml({ repository, tags: [], ...others });
      return Object.keys(others).length === 0 ? '' : writeYaml(others);
    },
  };
}

/** What follows the lines of `repository` and `tags`. */
function itemsOf(yaml: string): string {
  return yaml.split('\n').slice(2).join('\n');
}

function plain({ tag, digest, mediaType, sizeBytes, ...times }: TagRow): object {
  const createdAt = timeOf(times.createdAtMs);
  const uploadedAt = timeOf(times.uploadedAtMs);
  return {
    tag: tag ?? null,
    ...(digest !== undefined && { digest }),
    ...(mediaType !== undefined && { mediaType }),
    ...(sizeBytes !== undefined && { sizeBytes }),
    ...(createdAt !== undefined && { createdAt }),
    ...(uploadedAt !== undefined && { uploadedAt }),
  };
}

function plainEnding({ failures, error }: TagEnding): object {
  return {
    ...(failures.length > 0 && { failures }),
    ...(error !== undefined && { error: { reason: error.code, message: error.message } }),
  };
}

// ECMA-262, 21.4.1.1: further from 1970 there is no date.
const MAX_TIME_MS = 8.64e15;

/** RFC 3339, to the second; undefined for what is no time. */
function timeOf(atMs: number | undefined): string | undefined {
  if (atMs === undefined || !(Math.abs(atMs) <= MAX_TIME_MS)) return undefined;
  return new Date(atMs).toISOString().replace(/\.\d+Z$/, 'Z');
}
