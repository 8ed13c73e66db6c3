import { type Digest, isDigest } from '../image/digest.ts';
import { type Entry, readEntries } from './entries.ts';

/** The digests that a set of manifests is pinned to: `name:tag` to digest. */
export interface Lock {
  readonly digestFor: (name: string, tag: string) => Digest | undefined;
  /** The only tag whose digest this is; undefined where none is known, or more than one. */
  readonly tagOf: (name: string, digest: string) => string | undefined;
  readonly set: (name: string, tag: string, digest: Digest) => void;
  /** Tags that nothing asked for. */
  readonly unused: () => readonly string[];
  readonly toText: () => string;
}

const HEAD = `# Written by tagpin pin --lock: what each tag was pinned to. "--update" refreshes it.\n`;

/**
 * Reads a lock; an empty text is an empty one. It is a list of `name:tag@digest`, sorted, so that
 * two branches merge line by line and `--from` reads it too.
 *
 * @throws PinError `invalid_config` that names the line
 */
export function readLock(text: string, origin: string): Lock {
  const byTag = new Map<string, Digest>();
  const tagsOf = new Map<string, Set<string>>();
  const used = new Set<string>();
  const put = (name: string, tag: string, digest: Digest): void => {
    byTag.set(`${name}:${tag}`, digest);
    const key = `${name}@${digest}`;
    tagsOf.set(key, (tagsOf.get(key) ?? new Set()).add(tag));
  };
  for (const entry of text.trim() === '' ? [] : readEntries(text, origin)) {
    put(entry.name, tagOfEntry(entry), entry.digest);
  }
  return {
    digestFor: (name, tag) => {
      used.add(`${name}:${tag}`);
      return byTag.get(`${name}:${tag}`);
    },
    tagOf: (name, digest) => {
      if (!isDigest(digest)) return undefined;
      const tags = [...(tagsOf.get(`${name}@${digest}`) ?? [])];
      for (const tag of tags) used.add(`${name}:${tag}`);
      return tags.length === 1 ? tags[0] : undefined;
    },
    set: (name, tag, digest) => {
      used.add(`${name}:${tag}`);
      put(name, tag, digest);
    },
    unused: () => [...byTag.keys()].filter((key) => !used.has(key)).toSorted(),
    toText: () => HEAD + linesOf(byTag),
  };
}

function tagOfEntry({ tag }: Entry): string {
  return tag ?? 'latest';
}

function linesOf(byTag: ReadonlyMap<string, Digest>): string {
  return [...byTag]
    .map(([key, digest]) => `${key}@${digest}\n`)
    .toSorted()
    .join('');
}
