import { printableJson } from '../image/printable.ts';
import { textOf } from '../json.ts';
import { locationOf } from '../workload/locations.ts';
import { formatOriginals } from '../workload/originals.ts';
import type { OwnedPod } from './owner.ts';
import { MODE_POLICIES, type Mode } from './policy.ts';
import type { IsContended, NamedPod } from './ports.ts';
import { countingEntries } from './record.ts';
import type { Review } from './review.ts';
import { revisionOf } from './revision.ts';
import type { SettledImage } from './settle.ts';
import type { Subject } from './subject.ts';
import { WARNINGS } from './wording.ts';

/** A Pod that is given back to its controller as that wrote it. */
export interface Concession {
  readonly images: readonly SettledImage[];
  readonly warning: string;
}

/**
 * A controller that compares the images of its Pods with its own spec deletes what was pinned and
 * makes it again, for ever. Where one does so, its Pod is admitted untouched, as a Pod by tag that
 * runs is worth more than a pinned one that does not.
 */
export function concession(
  isContended: IsContended,
  { review, mode }: { readonly review: Review; readonly mode: Mode },
  { subject, images }: { readonly subject: Subject; readonly images: readonly SettledImage[] },
): Concession | undefined {
  if (!MODE_POLICIES[mode].givesWay) return undefined;
  const owned = subject.ownedPod;
  const pod = owned === undefined ? undefined : namedPod(owned, subject, images);
  if (owned === undefined || pod === undefined || !isContended(pod, !review.dryRun))
    return undefined;
  return {
    images: images.map((image) =>
      image.image === image.place.image
        ? image
        : { ...image, image: image.place.image, outcome: 'contended', entry: undefined },
    ),
    warning: WARNINGS.contended(printableJson(owned.owner.kind)),
  };
}

/**
 * Undefined for a Pod that gets no pin, or whose name the API server invents. No controller of
 * Kubernetes compares images: a StatefulSet makes the same Pod again and again where a quota
 * refuses it, or somebody deletes it. What others make of it when they are restarted is told by
 * the revision.
 */
function namedPod(
  pod: OwnedPod,
  subject: Subject,
  images: readonly SettledImage[],
): NamedPod | undefined {
  const { namespace, owner, metadata } = pod;
  const name = textOf(metadata, 'name') ?? '';
  if (name === '' || locationOf(owner.group, owner.kind) !== undefined) return undefined;
  if (!images.some(({ image, place }) => image !== place.image)) return undefined;
  const entries = countingEntries(subject, images);
  const pins = formatOriginals({ entries, refreshed: new Map() });
  const revision = revisionOf(pod)?.selector ?? '';
  return { namespace, ownerUid: owner.uid, name, content: `${revision} ${pins}` };
}
