import { PinError } from '../errors.ts';
import type { ImageReference } from '../image/reference.ts';
import { labelOf } from '../workload/locations.ts';
import type { PeekTag } from './ports.ts';
import type { RefreshPolicy } from './refresh.ts';
import type { SettledImage } from './settle.ts';
import { readImage } from './stored.ts';
import type { Subject } from './subject.ts';
import { WARNINGS } from './wording.ts';

const RESTARTS: ReadonlySet<string> = new Set(['Deployment', 'StatefulSet', 'DaemonSet']);

/** More than a person reads; each costs a look into the cache. */
const MAX_PEEKS = 15;

/**
 * Warnings of tags that are known to have moved while their pins stay, with what takes the new
 * digest. Nobody is asked for it.
 */
export function movedWarnings(
  peek: PeekTag,
  { where, refreshPolicy, identity }: Subject,
  images: readonly SettledImage[],
): string[] {
  const warnings: string[] = [];
  let peeks = 0;
  for (const image of images) {
    const kept = keptPin(image);
    if (kept === undefined) continue;
    const known = peek(kept.reference, identity);
    const isTold = known !== undefined && !(known instanceof PinError);
    if (isTold && known.digest !== kept.digest) {
      const age = Math.round(known.ageMs / 1000);
      const moved = WARNINGS.tagMoved(labelOf(image.place), JSON.stringify(kept.original), age);
      warnings.push(`${moved}: ${whatTakesIt(where.kind, refreshPolicy)}`);
    }
    peeks += 1;
    if (peeks === MAX_PEEKS) break;
  }
  return warnings;
}

interface KeptPin {
  readonly original: string;
  readonly reference: ImageReference;
  readonly digest: string;
}

function keptPin({ decision, place, entry, image }: SettledImage): KeptPin | undefined {
  if (decision.act === 'adopt') {
    const { original, reference, digest } = decision;
    return { original, reference, digest };
  }
  if (decision.act !== 'reuse') return undefined;
  const original = entry?.reference ?? place.image;
  const reference = readImage(original);
  const pinned = readImage(image);
  if (reference instanceof PinError || pinned instanceof PinError) return undefined;
  const { digest } = pinned;
  return digest === undefined ? undefined : { original, reference, digest };
}

function whatTakesIt(kind: string, policy: RefreshPolicy): string {
  if (kind === 'Job') return 'a new Job takes it';
  if (policy === 'never') return 'its refresh policy is "never"';
  if (policy === 'annotation') return 'a new tagpin.dev/refresh in the pod template takes it';
  // A Pod has the digest of its siblings: what restarts them is a restart of what they belong to.
  if (RESTARTS.has(kind) || kind === 'Pod') return '"kubectl rollout restart" takes it';
  return 'a new tagpin.dev/refresh in the pod template takes it';
}
