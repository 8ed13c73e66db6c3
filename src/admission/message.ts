import { actionIn } from '../error-codes.ts';
import type { PinError } from '../errors.ts';
import { labelOf } from '../workload/locations.ts';
import type { SettledImage } from './settle.ts';
import { DENIALS, failureText, WARNINGS } from './wording.ts';

/** What one failed image tells: what was asked, for which container, who answered what. */
function failureOf({ place, decision }: SettledImage, error: PinError): string {
  if (decision.act === 'refuse') return `${error.message} (${labelOf(place)})`;
  const asked = 'original' in decision ? decision.original : place.image;
  return failureText(JSON.stringify(asked), labelOf(place), error.message);
}

/** The warning that an image deserves, or undefined for one with nothing to tell. */
export function warningOf(image: SettledImage): string | undefined {
  const { place, error, wouldBe, answer, outcome } = image;
  if (error !== undefined) {
    const warn = outcome === 'refresh_failed' ? WARNINGS.oldPinStays : WARNINGS.tagStays;
    return warn(failureOf(image, error), error.code);
  }
  if (wouldBe !== undefined) return WARNINGS.wouldBePinned(labelOf(place), wouldBe);
  if (answer === undefined || !('stale' in answer.result) || !answer.result.stale) return undefined;
  return WARNINGS.oldDigest(labelOf(place), Math.round(answer.result.ageMs / 1000));
}

/**
 * The message of a denial: every failure, then one action, and its code in brackets. An image whose
 * refresh failed denies nothing.
 */
export function denialOf(images: readonly SettledImage[], namespace: string): string {
  const failed = images.flatMap((image) =>
    image.outcome === 'failed' && image.error !== undefined ? [{ image, error: image.error }] : [],
  );
  const told = failed.map(({ image, error }) => failureOf(image, error)).join('; ');
  const first = failed[0]?.error;
  if (first === undefined) return told;
  return DENIALS.notPinned(told, actionIn(namespace, first.code), first.code);
}
