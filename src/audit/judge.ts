import type { ResolvedImage, TagPage } from '../contents/registries.ts';
import type { PinErrorCode } from '../error-codes.ts';
import { PinError, toPinError } from '../errors.ts';
import { isIndexType } from '../image/manifest.ts';
import { parseReference, spelledName } from '../image/reference.ts';
import type { Finding } from './findings.ts';
import { once } from './once.ts';
import { createTagSearch, type TagSearch } from './tag-search.ts';
import type { Account, Use } from './use.ts';

/** The registries, asked with what an image is pulled with. Each rejects with a PinError. */
export interface AuditRegistries {
  readonly resolve: (image: string, account: Account) => Promise<ResolvedImage>;
  readonly tags: (repository: string, account: Account) => AsyncIterable<TagPage>;
  /** The digests of the manifests in an index, and in those in that. */
  readonly entries: (image: string, account: Account) => Promise<ReadonlySet<string>>;
}

export interface JudgeParts {
  readonly registries: AuditRegistries;
  /** Whether nodes differ in system or architecture. */
  readonly isMixed: boolean;
  /** Places whose template has a tag, and whose Pods have digests all the same. */
  readonly isPinnedInPods: (use: Use) => boolean;
}

/** What is to be said of one image; nothing where all is well. Never rejects. */
export type Judge = (use: Use) => Promise<readonly Finding[]>;

interface Asking {
  /** A failure is an answer too: it is told of every image that it concerns. */
  readonly resolve: (image: string, account: Account) => Promise<ResolvedImage | PinError>;
  readonly entries: (image: string, account: Account) => Promise<ReadonlySet<string> | PinError>;
  readonly search: TagSearch;
}

/** Asks each question of a run once, however many workloads it concerns. */
export function createJudge(parts: JudgeParts): Judge {
  const { registries } = parts;
  const resolve = once(registries.resolve);
  const entries = once(registries.entries);
  const asking = { resolve, entries, search: createTagSearch({ resolve, tags: registries.tags }) };
  return async (use) => {
    try {
      const { digest } = parseReference(use.image);
      if (digest !== undefined) return await judgePinned(parts, asking, use);
      return [{ state: parts.isPinnedInPods(use) ? 'pinned_in_pods' : 'unpinned', use }];
    } catch (caught) {
      return [{ state: 'unknown', use, detail: toPinError(caught).message }];
    }
  };
}

async function judgePinned(
  { isMixed }: JudgeParts,
  { resolve, entries, search }: Asking,
  use: Use,
): Promise<readonly Finding[]> {
  const { image, original, account } = use;
  const name = spelledName(image);
  const { digest = '' } = parseReference(image);
  const [served, now] = await Promise.all([
    resolve(`${name}@${digest}`, account),
    original === undefined ? undefined : resolve(original, account),
  ]);
  if (served instanceof PinError) return [{ ...unserved(served), use }];
  // What an index names is as good as tagged.
  if (isOfAnIndex(served, now) && (await isEntry(entries, use, digest))) {
    return isMixed ? [{ state: 'one_platform', use }] : [];
  }
  const findings = now === undefined ? [] : movedTo(now, digest).map((told) => ({ ...told, use }));
  // What a tag names is not cleaned up.
  if (now !== undefined && findings.length === 0) return [];
  const named = await search(name, digest, account);
  return named === false ? [...findings, { state: 'untagged', use }] : findings;
}

/** Whether the index that the original names now has a digest. Rejects with a PinError. */
async function isEntry(
  entries: Asking['entries'],
  { original = '', account }: Use,
  digest: string,
): Promise<boolean> {
  const named = await entries(original, account);
  if (named instanceof PinError) throw named;
  return named.has(digest);
}

type Verdict = Pick<Finding, 'state' | 'detail'>;

const GONE: ReadonlySet<PinErrorCode> = new Set(['not_found', 'digest_not_served']);

/** Whether a registry says that it has not got what a digest names. */
export function isGone({ code }: PinError): boolean {
  return GONE.has(code);
}

function unserved(error: PinError): Verdict {
  return { state: isGone(error) ? 'gone' : 'unknown', detail: error.message };
}

/** Nothing where a tag names the digest still. */
function movedTo(now: ResolvedImage | PinError, digest: string): readonly Verdict[] {
  if (now instanceof PinError) {
    return [{ state: now.code === 'not_found' ? 'tag_gone' : 'unknown', detail: now.message }];
  }
  return now.digest === digest ? [] : [{ state: 'moved', detail: now.digest }];
}

/** Whether it may be one platform's: of an index that its tag names now. */
function isOfAnIndex(served: ResolvedImage, now: ResolvedImage | PinError | undefined): boolean {
  if (now === undefined || now instanceof PinError) return false;
  return isIndexType(now.mediaType ?? '') && !isIndexType(served.mediaType ?? '');
}
