import type { PullIdentity } from '../admission/ports.ts';
import { isGone } from '../audit/judge.ts';
import { once } from '../audit/once.ts';
import { PinError } from '../errors.ts';
import { readReference } from '../image/read-reference.ts';
import { spelledName } from '../image/reference.ts';
import type { Outlook } from './outlook.ts';

/** The registries, asked with what the webhook asks with. Each rejects with a PinError. */
export interface OnboardRegistries {
  /** Reads the manifest behind a reference with a digest. */
  readonly manifest: (reference: string, identity: PullIdentity) => Promise<unknown>;
  /** The digests of the manifests in the index behind a tag; none where it is no index. */
  readonly entries: (image: string, identity: PullIdentity) => Promise<ReadonlySet<string>>;
}

/** Pods that run what their tag does not name any more. */
export interface Move {
  readonly digest: string;
  readonly pods: number;
  /** The first of them. */
  readonly names: readonly string[];
  /** Whether the registry has it still; undefined where it did not tell. */
  readonly served: boolean | undefined;
}

/** What the Pods of a place run beside what the tag names now. Never rejects. */
export type FindMoves = (outlook: Outlook) => Promise<readonly Move[]>;

/** Asks each question of a run once, however many workloads it concerns. */
export function createFindMoves(registries: OnboardRegistries): FindMoves {
  const served = once(registries.manifest);
  const entries = once(registries.entries);
  return async ({ place, pinned, error, identity }) => {
    const isUntagged = error?.code === 'not_found';
    if (identity === undefined || (pinned === undefined && !isUntagged)) return [];
    const now = readReference(pinned ?? '')?.digest;
    const others = [...place.running].filter(([digest]) => digest !== now);
    if (others.length === 0) return [];
    // Some runtimes tell the digest of the node's own platform.
    const found = isUntagged ? undefined : await entries(place.image, identity);
    const ofTag = found === undefined || found instanceof PinError ? new Set<string>() : found;
    const moved = others.filter(([digest]) => !ofTag.has(digest));
    const name = spelledName(place.image);
    return Promise.all(
      moved.map(async ([digest, { pods, names }]) => {
        const answer = await served(`${name}@${digest}`, identity);
        return { digest, pods, names, served: isServed(answer) };
      }),
    );
  };
}

function isServed(answer: unknown): boolean | undefined {
  if (!(answer instanceof PinError)) return true;
  return isGone(answer) ? false : undefined;
}
