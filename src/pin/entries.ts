import { PinError } from '../errors.ts';
import { type Digest, isDigest } from '../image/digest.ts';
import { normalizedName, normalizedTag, parseReference } from '../image/reference.ts';
import { isJsonObject, listOf, objectIn, parseJson, textOf } from '../json.ts';

/** A digest that is known before any registry is asked. */
export interface Entry {
  /** Normalised host and repository. */
  readonly name: string;
  /** Undefined: pins untagged and `:latest` references. */
  readonly tag: string | undefined;
  readonly digest: Digest;
  /** Where it was read, for messages. */
  readonly origin: string;
}

/**
 * Reads the entries of a file: the result of a Cloud Build, as `gcloud builds describe
 * --format=json` prints it (one, or a list), or lines of `name@digest`, which pack, ko and our own
 * lock write. Lines may be empty or begin with `#`.
 *
 * @throws PinError `invalid_config` that names the file and the line
 */
export function readEntries(text: string, origin: string): Entry[] {
  const content = text.replace(/^\uFEFF/, '');
  if (/^\s*[[{]/.test(content)) return entriesOfBuilds(parseJson(content), origin);
  return content.split('\n').flatMap((line, index) => {
    const item = line.trim();
    if (item === '' || item.startsWith('#')) return [];
    return [entryOf(item, `${origin}:${index + 1}`)];
  });
}

/** Reads `REPO[:TAG]=DIGEST` of the command line. */
export function readSetting(text: string): Entry {
  const equals = text.indexOf('=');
  if (equals === -1) throw refusal('--set', `expected REPO[:TAG]=DIGEST, got ${quote(text)}`);
  return entryOf(`${text.slice(0, equals)}@${text.slice(equals + 1)}`, '--set');
}

function entriesOfBuilds(value: unknown, origin: string): Entry[] {
  const builds: readonly unknown[] = Array.isArray(value) ? value : [value];
  const images = builds.flatMap((build) => {
    const results = objectIn(build, 'results');
    if (results !== undefined) return listOf(results, 'images');
    // The list alone, as `--format='json(results.images)'` and jq give it.
    return isJsonObject(build) && 'digest' in build ? [build] : [];
  });
  if (images.length === 0) {
    throw refusal(origin, 'no results.images of {name, digest} in this JSON');
  }
  return images.map((image) => {
    const name = isJsonObject(image) ? textOf(image, 'name') : undefined;
    const digest = isJsonObject(image) ? textOf(image, 'digest') : undefined;
    if (name === undefined || digest === undefined) {
      throw refusal(origin, 'an entry of results.images lacks its name or its digest');
    }
    return entryOf(`${name}@${digest}`, origin);
  });
}

function entryOf(text: string, origin: string): Entry {
  try {
    const reference = parseReference(text);
    const { tag, digest } = reference;
    if (digest === undefined || !isDigest(digest))
      throw refusal(origin, `no digest: ${quote(text)}`);
    return { name: normalizedName(reference), tag, digest, origin };
  } catch (caught) {
    if (!(caught instanceof PinError) || caught.code === 'invalid_config') throw caught;
    throw refusal(origin, `expected NAME@DIGEST; ${caught.message}`);
  }
}

function refusal(origin: string, fault: string): PinError {
  return new PinError('invalid_config', `Cannot read ${origin}: ${fault}`);
}

function quote(text: string): string {
  return JSON.stringify(text.slice(0, 200));
}

/** Known digests, and which of them were of use. */
export interface Entries {
  readonly size: number;
  /** The digest for a tag of a name; no tag is known of an image that carries a digest alone. */
  readonly digestFor: (name: string, tag: string | undefined) => Digest | undefined;
  readonly unused: () => readonly Entry[];
}

/** The later of two entries for the same tag counts. */
export function createEntries(
  list: readonly Entry[],
  { anyTag }: { readonly anyTag: boolean },
): Entries {
  const tagged = new Map<string, Entry>();
  const untagged = new Map<string, Entry>();
  for (const entry of list) {
    if (entry.tag === undefined) untagged.set(entry.name, entry);
    else tagged.set(`${entry.name}:${entry.tag}`, entry);
  }
  const used = new Set<Entry>();
  const latest = normalizedTag({ registry: '', repository: '' });
  return {
    size: list.length,
    digestFor: (name, tag) => {
      const exact = tag === undefined ? undefined : tagged.get(`${name}:${tag}`);
      const open = anyTag || tag === latest ? untagged.get(name) : undefined;
      const entry = exact ?? open;
      if (entry === undefined) return undefined;
      used.add(entry);
      return entry.digest;
    },
    unused: () => [...tagged.values(), ...untagged.values()].filter((entry) => !used.has(entry)),
  };
}
