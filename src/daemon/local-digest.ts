import { PinError } from '../errors.ts';
import type { Digest } from '../image/digest.ts';
import {
  type ImageReference,
  normalizedName,
  normalizedTag,
  parseReference,
} from '../image/reference.ts';
import type { LocalImage } from './local-images.ts';

/** What is said of an image that no registry has given a digest. */
export const NO_DIGEST = 'it was never pulled or pushed, so no registry has given it a digest';

/**
 * The digest that a local image has in the repository of a reference, whatever other repositories it
 * was pulled from. Throws PinError `not_found` where there is no such image, or it has no such digest,
 * and `invalid_reference`.
 */
export function localDigest(text: string, images: readonly LocalImage[]): Digest {
  const asked = parseReference(text);
  const image = images.find((candidate) => isNamed(candidate, asked));
  if (image === undefined) {
    throw failed('the container daemon has no such image', 'pull it, or correct its name');
  }
  const digests = digestsIn(image, asked);
  const [digest, another] = digests;
  if (digest === undefined) throw failed(whyNone(image), 'push it, or ask its registry');
  if (another === undefined) return digest;
  const message = `it was pulled by several digests of this repository: ${digests.join(', ')}`;
  throw failed(message, 'ask the registry, without --from-daemon, or take one of them');
}

/**
 * The digests of an image in the repository of a reference, or the one that this names: more than one
 * where the daemon does not know which was pulled last.
 */
export function digestsIn(image: LocalImage, asked: ImageReference): readonly Digest[] {
  const all = image.digests
    .filter(({ digest }) => asked.digest === undefined || digest === asked.digest)
    .filter(({ reference }) => isSameName(reference, asked))
    .map(({ digest }) => digest);
  const digests = [...new Set(all)];
  const pulled = digests.filter((digest) => digest === image.pulledDigest);
  return pulled.length > 0 ? pulled : digests;
}

function isNamed(image: LocalImage, asked: ImageReference): boolean {
  if (asked.digest !== undefined) return digestsIn(image, asked).length > 0;
  const tag = normalizedTag(asked);
  return image.tags.some(({ reference }) => reference.tag === tag && isSameName(reference, asked));
}

/** Host names have no case (RFC 4343); repositories are in lower case. */
function isSameName(one: ImageReference, other: ImageReference): boolean {
  return normalizedName(one).toLowerCase() === normalizedName(other).toLowerCase();
}

function whyNone({ digests }: LocalImage): string {
  if (digests.length === 0) return NO_DIGEST;
  const others = [...new Set(digests.map(({ reference }) => normalizedName(reference)))].join(', ');
  return `it was never pulled from this repository or pushed to it, but from or to ${others}`;
}

function failed(message: string, advice: string): PinError {
  return new PinError('not_found', message, { advice });
}
