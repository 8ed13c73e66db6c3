import { objectIn, textOf } from '../json.ts';
import { ORIGINALS_ANNOTATION } from '../workload/annotations.ts';
import { controllerReference } from '../workload/controller-reference.ts';
import { imagePlacesOf, locationOf, podTemplateOf } from '../workload/locations.ts';
import { countingEntry, parseOriginals } from '../workload/originals.ts';

/** More originals than any template of replicas has; the rest are looked up. */
export const MAX_ORIGINALS = 200;

/**
 * What most Pods of an owner run, by original: each Pod has one voice for each original of its
 * record that counts. Without a majority nobody is believed. Records are written by whoever may
 * write Pods, so one alone decides nothing where there are others.
 */
export function majorityPins(pods: readonly unknown[], ownerUid: string): Map<string, string> {
  const votes = new Map<string, Map<string, number>>();
  for (const pod of pods) {
    if (!isLivingChild(pod, ownerUid)) continue;
    for (const [original, digest] of pinsOf(pod)) {
      const digests = votes.get(original) ?? new Map<string, number>();
      if (votes.size >= MAX_ORIGINALS && digests.size === 0) continue;
      votes.set(original, digests.set(digest, (digests.get(digest) ?? 0) + 1));
    }
  }
  const pins = new Map<string, string>();
  for (const [original, digests] of votes) {
    const all = [...digests.values()].reduce((sum, count) => sum + count, 0);
    const winner = [...digests].find(([, count]) => 2 * count > all);
    if (winner !== undefined) pins.set(original, winner[0]);
  }
  return pins;
}

/** Of this controller, and not being deleted; how far it has come does not matter. */
function isLivingChild(pod: unknown, ownerUid: string): boolean {
  const metadata = objectIn(pod, 'metadata');
  if (metadata === undefined || textOf(metadata, 'deletionTimestamp') !== undefined) return false;
  return controllerReference(metadata)?.['uid'] === ownerUid;
}

/** Original to digest, of the images of a Pod whose entries count; the first container's, where two differ. */
function pinsOf(pod: unknown): Map<string, string> {
  const pins = new Map<string, string>();
  const where = locationOf('', 'Pod');
  const template = where && podTemplateOf(pod, where);
  if (template === undefined) return pins;
  const record = parseOriginals(template.annotations?.[ORIGINALS_ANNOTATION]);
  if (record === undefined) return pins;
  for (const { key, image } of imagePlacesOf(template)) {
    const entry = countingEntry(record, key, image);
    if (entry !== undefined && !pins.has(entry.reference)) pins.set(entry.reference, entry.digest);
  }
  return pins;
}
