import { PinError } from '../errors.ts';
import { isDigest } from '../image/digest.ts';
import { normalizedName, parseReference } from '../image/reference.ts';
import { isJsonObject, parseJson } from '../json.ts';

/** What an image was before it was pinned, and the digest that it was resolved to. */
export interface Original {
  /** The reference as the user wrote it. */
  readonly reference: string;
  readonly digest: string;
}

/** The record of one pod template: the annotation `tagpin.dev/originals`. */
export interface Originals {
  /** Container name, or `volume/<name>`, to original. */
  readonly entries: ReadonlyMap<string, Original>;
  /** `@restartedAt` and `@refresh`: the values that were last answered. */
  readonly refreshed: ReadonlyMap<string, string>;
}

/**
 * The API server refuses an object whose annotations have more than 256 KiB together, and a record
 * must not be what makes them so: a longer one is neither read nor written.
 */
export const MAX_RECORD_CHARS: number = 64 * 1024;

/**
 * Reads a record. It is user input: what is malformed or huge counts as absent, the record as a
 * whole (undefined) or an entry by itself.
 */
export function parseOriginals(annotation: unknown): Originals | undefined {
  if (typeof annotation !== 'string' || annotation.length > MAX_RECORD_CHARS) return undefined;
  const record = parseJson(annotation);
  if (!isJsonObject(record)) return undefined;
  const entries = new Map<string, Original>();
  const refreshed = new Map<string, string>();
  for (const [key, value] of Object.entries(record)) {
    if (typeof value !== 'string') continue;
    const original = parseEntry(value);
    if (key.startsWith('@')) refreshed.set(key, value);
    else if (original !== undefined) entries.set(key, original);
  }
  return { entries, refreshed };
}

function parseEntry(value: string): Original | undefined {
  const space = value.indexOf(' ');
  const digest = value.slice(space + 1);
  if (space <= 0 || !isDigest(digest)) return undefined;
  return { reference: value.slice(0, space), digest };
}

/** Writes a record: keys sorted, no spaces between them, so that equal records are equal bytes. */
export function formatOriginals(originals: Originals): string {
  const values = new Map(originals.refreshed);
  for (const [key, { reference, digest }] of originals.entries) {
    values.set(key, `${reference} ${digest}`);
  }
  let fields = '';
  for (const key of [...values.keys()].toSorted()) {
    const field = `${JSON.stringify(key)}:${JSON.stringify(values.get(key) ?? '')}`;
    fields = fields === '' ? field : `${fields},${field}`;
  }
  return `{${fields}}`;
}

/**
 * An entry counts only while the image carries its digest and names the same repository. Anything
 * else (an image set by hand, a copied annotation, a forgery) is as good as no entry.
 */
export function counts(entry: Original | undefined, image: string): entry is Original {
  if (entry === undefined || !image.endsWith(`@${entry.digest}`)) return false;
  try {
    const pinned = parseReference(image);
    const original = parseReference(entry.reference);
    // What carries a digest is no original: it would never have been resolved.
    return original.digest === undefined && normalizedName(pinned) === normalizedName(original);
  } catch (caught) {
    if (caught instanceof PinError) return false;
    throw caught;
  }
}

/**
 * The entry for an image that counts: under its key, or one that was written for a container
 * without a name, which custom resources may have until their own webhook names it.
 */
export function countingEntry(
  record: Originals | undefined,
  key: string,
  image: string,
): Original | undefined {
  const own = record?.entries.get(key);
  if (counts(own, image)) return own;
  const unnamed = record?.entries.get('');
  return counts(unnamed, image) ? unnamed : undefined;
}
