import type { ResolvedImage, TagPage } from '../contents/registries.ts';
import { PinError } from '../errors.ts';
import type { Account } from './use.ts';

/**
 * Whether any tag of a repository names a digest; undefined where that is too much to ask, or the
 * registry does not tell. Never rejects.
 */
export type TagSearch = (
  repository: string,
  digest: string,
  account: Account,
) => Promise<boolean | undefined>;

export interface TagSearchParts {
  readonly resolve: (image: string, account: Account) => Promise<ResolvedImage | PinError>;
  readonly tags: (repository: string, account: Account) => AsyncIterable<TagPage>;
}

/** One request each, on somebody's quota: of a repository with more tags it is not asked. */
const MAX_TAGS = 100;

/** The digests that tags of one repository name; undefined where not all could be had. */
type Named = ReadonlySet<string> | undefined;

export function createTagSearch(parts: TagSearchParts): TagSearch {
  const known = new Map<string, Promise<Named>>();
  return async (repository, digest, account) => {
    const key = JSON.stringify([repository, account]);
    const named = known.get(key) ?? namedIn(parts, repository, account);
    known.set(key, named);
    return (await named)?.has(digest);
  };
}

async function namedIn(
  parts: TagSearchParts,
  repository: string,
  account: Account,
): Promise<Named> {
  const tags: string[] = [];
  const named = new Set<string>();
  try {
    for await (const page of parts.tags(repository, account)) {
      for (const digest of taggedOf(page)) named.add(digest);
      if (page.manifests === undefined) tags.push(...page.tags);
      if (tags.length > MAX_TAGS) return undefined;
    }
  } catch (caught) {
    if (caught instanceof PinError) return undefined;
    throw caught;
  }
  const answers = await Promise.all(
    tags.map((tag) => parts.resolve(`${repository}:${tag}`, account)),
  );
  for (const answer of answers) {
    if (!(answer instanceof PinError)) named.add(answer.digest);
    // One that is gone by now names nothing; of any other it is not known what it names.
    else if (answer.code !== 'not_found') return undefined;
  }
  return named;
}

/** What the list itself tells. */
function taggedOf({ manifests = new Map() }: TagPage): readonly string[] {
  return [...manifests].flatMap(([digest, { tags }]) => (tags.length > 0 ? digest : []));
}
