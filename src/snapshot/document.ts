import { isDigest } from '../image/digest.ts';
import { isJsonObject, type JsonObject, objectIn, parseJson, textOf } from '../json.ts';
import type { Lookup } from '../registry/client.ts';
import type { Moment } from './moment.ts';

/** A digest as it was known when the snapshot was written. */
export interface Remembered {
  /** Of the cache. */
  readonly key: string;
  readonly lookup: Lookup;
  /** How old it was then, in milliseconds. */
  readonly ageMs: number;
}

/** What a snapshot says. */
export interface Snapshot {
  readonly writtenAt: Moment;
  readonly digests: readonly Remembered[];
}

/** The first line: when the snapshot is written. */
export function headLine(writtenAt: Moment): string {
  return `${JSON.stringify(writtenAt)}\n`;
}

/** A line for each digest, as a list: the names of fields would be a third of it. */
export function digestLine({ key, lookup, ageMs }: Remembered): string {
  const { digest, mediaType = null, source, host, attempts } = lookup;
  const fields = [key, Math.ceil(ageMs), digest, mediaType, source, host, attempts];
  return `${JSON.stringify(fields)}\n`;
}

const NEWLINE = 0x0a;

/**
 * Reads what the functions above have written, at most `maxDigests` of it, which come first.
 * Undefined where a line is anything else: it was written under the key, but not by this version.
 */
export function readSnapshot(text: Buffer, maxDigests: number): Snapshot | undefined {
  const lines = linesOf(text);
  const writtenAt = momentFrom(lines.next().value);
  if (writtenAt === undefined) return undefined;
  const digests: Remembered[] = [];
  for (const line of lines) {
    if (digests.length >= maxDigests) break;
    const one = rememberedFrom(line);
    if (one === undefined) return undefined;
    digests.push(one);
  }
  return { writtenAt, digests };
}

/** One by one: the text of all of them at once would be as large again. */
function* linesOf(text: Buffer): Generator<string, undefined> {
  for (let start = 0; start < text.length; ) {
    const end = text.indexOf(NEWLINE, start);
    const stop = end === -1 ? text.length : end;
    yield text.toString('utf8', start, stop);
    start = stop + 1;
  }
  return undefined;
}

function momentFrom(line: string | undefined): Moment | undefined {
  const value = parseJson(line ?? '');
  if (!isJsonObject(value) || !isMs(value['unixMs'])) return undefined;
  return { unixMs: value['unixMs'], boot: bootFrom(objectIn(value, 'boot')) };
}

function bootFrom(boot: JsonObject | undefined): Moment['boot'] {
  const id = textOf(boot, 'id');
  const uptimeMs = boot?.['uptimeMs'];
  return id === undefined || !isMs(uptimeMs) ? undefined : { id, uptimeMs };
}

const SOURCES: readonly Lookup['source'][] = ['header', 'body', 'shared'];

function rememberedFrom(line: string): Remembered | undefined {
  const fields = parseJson(line);
  if (!Array.isArray(fields)) return undefined;
  const [key, ageMs, digest, mediaType, from, host, attempts]: readonly unknown[] = fields;
  const source = SOURCES.find((one) => one === from);
  if (typeof key !== 'string' || !isMs(ageMs)) return undefined;
  if (typeof digest !== 'string' || !isDigest(digest) || source === undefined) return undefined;
  if (typeof host !== 'string' || typeof attempts !== 'number') return undefined;
  if (mediaType !== null && typeof mediaType !== 'string') return undefined;
  const lookup = { digest, mediaType: mediaType ?? undefined, source, host, attempts };
  return { key, lookup, ageMs };
}

function isMs(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}
