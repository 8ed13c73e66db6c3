import { ERROR_RULES } from '../error-codes.ts';
import { isJsonObject, parseJson, textOf } from '../json.ts';
import { UNPINNED_ANNOTATION } from '../workload/annotations.ts';
import { MODE_POLICIES, type Mode } from './policy.ts';
import type { SettledImage } from './settle.ts';
import type { Subject } from './subject.ts';

/**
 * The mark on a Pod that is admitted with a tag, for whoever gets no warning because a controller
 * made the Pod: name to reason. In an update the images that nobody touched keep their reason. Null
 * takes away a mark that was copied, or has nothing left to tell; undefined leaves it as it is.
 */
export function unpinnedMark(
  { where, now }: Subject,
  images: readonly SettledImage[],
  mode: Mode,
): string | null | undefined {
  if (!where.isPod || !MODE_POLICIES[mode].writesPins) return undefined;
  const present = textOf(now.template.annotations, UNPINNED_ANNOTATION);
  const reasons = new Map<string, string>();
  const earlier = present === undefined ? undefined : parseJson(present);
  for (const image of images) {
    const reason = reasonOf(image, earlier);
    if (reason !== undefined) reasons.set(image.place.key, reason);
  }
  if (reasons.size === 0) return null;
  const fields = [...reasons].map((field) => field.map((text) => JSON.stringify(text)).join(':'));
  const mark = `{${fields.join(',')}}`;
  return mark === present ? undefined : mark;
}

function reasonOf({ place, outcome, error }: SettledImage, earlier: unknown): string | undefined {
  if (outcome === 'failed') return error?.code;
  if (outcome !== 'unchanged') return undefined;
  const reason = isJsonObject(earlier) ? textOf(earlier, place.key) : undefined;
  return reason !== undefined && Object.hasOwn(ERROR_RULES, reason) ? reason : undefined;
}
