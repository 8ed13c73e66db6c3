import type { ResolvedImage, TagPage } from '../contents/registries.ts';
import { PinError, type PinErrorCode, toPinError } from '../errors.ts';
import { isIndexType } from '../image/manifest.ts';
import { parseReference, spelledName } from '../image/reference.ts';
import type { Finding } from './findings.ts';
import { createTagSearch, type TagSearch } from './tag-search.ts';
import type { Account, Use } from './use.ts';

/** The registries, asked with what an image is pulled with. Each rejects with a PinError. */
export interface AuditRegistries {
  readonly resolve: (image: string, account: Account) => Promise<ResolvedImage>;
  readonly tags: (repository: string, account: Account) => AsyncIterable<TagPage>;
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
  readonly search: TagSearch;
}

/** Asks each question of a run once, however many workloads it concerns. */
export function createJudge(parts: JudgeParts): Judge {
  const { registries } = parts;
  const resolve = once((image, account) => registries.resolve(image, account));
  const asking = { resolve, search: createTagSearch({ resolve, tags: registries.tags }) };
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
  { resolve, search }: Asking,
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
  const findings: Finding[] = [];
  const moved = now && movedTo(now, digest);
  if (moved !== undefined) findings.push({ ...moved, use });
  if (isMixed && now && isOnePlatform(served, now)) findings.push({ state: 'one_platform', use });
  // What a tag names is not cleaned up.
  const isNamed = now !== undefined && moved === undefined;
  if (!isNamed && (await search(name, digest, account)) === false) {
    findings.push({ state: 'untagged', use });
  }
  return findings;
}

type Verdict = Pick<Finding, 'state' | 'detail'>;

const GONE: ReadonlySet<PinErrorCode> = new Set(['not_found', 'digest_not_served']);

function unserved({ code, message }: PinError): Verdict {
  return { state: GONE.has(code) ? 'gone' : 'unknown', detail: message };
}

function movedTo(now: ResolvedImage | PinError, digest: string): Verdict | undefined {
  if (!(now instanceof PinError)) {
    return now.digest === digest ? undefined : { state: 'moved', detail: now.digest };
  }
  return { state: now.code === 'not_found' ? 'tag_gone' : 'unknown', detail: now.message };
}

/** Only what a tag has more platforms of can be said to be one of them. */
function isOnePlatform(served: ResolvedImage, now: ResolvedImage | PinError | undefined): boolean {
  if (now === undefined || now instanceof PinError) return false;
  return isIndexType(now.mediaType ?? '') && !isIndexType(served.mediaType ?? '');
}

function once(
  ask: AuditRegistries['resolve'],
): (image: string, account: Account) => Promise<ResolvedImage | PinError> {
  const asked = new Map<string, Promise<ResolvedImage | PinError>>();
  return (image, account) => {
    const key = JSON.stringify([image, account]);
    const known = asked.get(key);
    if (known !== undefined) return known;
    const answer = ask(image, account).catch(toPinError);
    asked.set(key, answer);
    return answer;
  };
}
