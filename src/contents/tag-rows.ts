import { type PinError, toPinError } from '../errors.ts';
import type { Digest } from '../image/digest.ts';
import { inOrder } from './in-order.ts';
import type { ListedManifest, Registries, TagPage } from './registries.ts';

/** Of which tags to tell, and what. */
export interface TagQuery {
  /** Without tag and digest. */
  readonly repository: string;
  /** Of the tags of this one alone. */
  readonly digest: string | undefined;
  /** What stands behind each tag. */
  readonly details: boolean;
}

/** A tag, or a digest that has none, with what the registry told of it. */
export interface TagRow {
  readonly tag: string | undefined;
  /** Undefined where nobody asked for it. */
  readonly digest: Digest | undefined;
  readonly mediaType?: string | undefined;
  readonly sizeBytes?: number | undefined;
  readonly createdAtMs?: number | undefined;
  readonly uploadedAtMs?: number | undefined;
}

/** A tag whose digest could not be found out. */
export interface TagFailure {
  readonly tag: string;
  readonly error: PinError;
}

/** Tells a tag that failed from the others. */
export function isFailure(row: TagRow | TagFailure): row is TagFailure {
  return 'error' in row;
}

/** Told how far the look-ups are. */
export interface TagProgress {
  /** So many more tags are to be looked up. */
  readonly expect: (count: number) => void;
  readonly done: () => void;
}

/** As many look-ups as a registry gets at a time. */
const AT_A_TIME = 16;

/**
 * The tags of a repository in the order of its registry, as they come: page by page where the list
 * tells all that is asked, and else one by one, as each tag needs a look-up of its own. Rejects with
 * the PinError of a page that could not be had; a tag that fails is a row.
 */
export async function* tagRows(
  query: TagQuery,
  { tags, resolve }: Pick<Registries, 'tags' | 'resolve'>,
  progress: TagProgress,
): AsyncGenerator<readonly (TagRow | TagFailure)[]> {
  const { repository, details } = query;
  const isAsked = askedFor(query);
  const lookUp = async (tag: string): Promise<TagRow | TagFailure> => {
    try {
      return { tag, ...(await resolve(`${repository}:${tag}`)) };
    } catch (caught) {
      return { tag, error: toPinError(caught) };
    } finally {
      progress.done();
    }
  };
  const untagged = untaggedOnce();
  for await (const page of tags(repository)) {
    if (!details && query.digest === undefined) {
      yield page.tags.map((tag) => ({ tag, digest: undefined }));
      continue;
    }
    const known = knownTags(page);
    const unknown = page.tags.filter((tag) => !known.has(tag));
    if (unknown.length === 0) {
      yield page.tags.flatMap((tag) => known.get(tag) ?? []).filter(isAsked);
    } else {
      progress.expect(unknown.length);
      const answer = async (tag: string): Promise<TagRow | TagFailure> =>
        known.get(tag) ?? lookUp(tag);
      for await (const row of inOrder(page.tags, AT_A_TIME, answer)) yield [row].filter(isAsked);
    }
    yield untagged(page).filter(isAsked);
  }
}

function askedFor({ digest }: TagQuery): (row: TagRow | TagFailure) => boolean {
  return (row) => digest === undefined || isFailure(row) || row.digest === digest;
}

/** What Google's map tells of the tags of a page. */
function knownTags({ manifests }: TagPage): ReadonlyMap<string, TagRow> {
  const rows = new Map<string, TagRow>();
  for (const [digest, manifest] of manifests ?? []) {
    for (const tag of manifest.tags) rows.set(tag, rowOf(tag, digest, manifest));
  }
  return rows;
}

/** The digests of a page that have no tag, none of them twice: a registry may tell of all on each page. */
function untaggedOnce(): (page: TagPage) => TagRow[] {
  const told = new Set<Digest>();
  return ({ manifests }) => {
    const rows = [...(manifests ?? [])]
      .filter(([digest, { tags }]) => tags.length === 0 && !told.has(digest))
      .map(([digest, manifest]) => rowOf(undefined, digest, manifest));
    for (const { digest } of rows) if (digest !== undefined) told.add(digest);
    return rows;
  };
}

function rowOf(tag: string | undefined, digest: Digest, manifest: ListedManifest): TagRow {
  const { mediaType, sizeBytes, createdAtMs, uploadedAtMs } = manifest;
  return { tag, digest, mediaType, sizeBytes, createdAtMs, uploadedAtMs };
}
