import { PinError } from '../errors.ts';
import { type Digest, isDigest } from '../image/digest.ts';
import { readReference } from '../image/read-reference.ts';
import type { ImageReference } from '../image/reference.ts';
import { isJsonObject, type JsonObject, listOf, objectIn, textOf } from '../json.ts';
import type { Engine } from './engine.ts';

/** An image of this machine. */
export interface LocalImage {
  /** The digest of its config, or what else the daemon names it by. */
  readonly id: string;
  readonly tags: readonly LocalName[];
  /** What it was pulled or pushed as: names with a digest. */
  readonly digests: readonly PulledName[];
  /** What was pulled or pushed, whatever the repository; undefined where the daemon does not tell. */
  readonly pulledDigest: string | undefined;
}

/** A name, and how the daemon spells it. */
export interface LocalName {
  readonly text: string;
  readonly reference: ImageReference;
}

/** A name with a digest. */
interface PulledName extends LocalName {
  readonly digest: Digest;
}

/**
 * The images of a daemon. Rejects with a PinError as {@link Engine.get} does, and `invalid_response`
 * where the answer is no list.
 */
export async function localImages(engine: Engine): Promise<readonly LocalImage[]> {
  const answer = await engine.get('/images/json');
  if (!Array.isArray(answer)) {
    throw new PinError('invalid_response', 'the container daemon answered with no list of images');
  }
  return answer.filter(isJsonObject).map((item) => imageOf(item, engine));
}

function imageOf(item: JsonObject, { isPodman }: Engine): LocalImage {
  const names = namesIn(item, 'RepoDigests').filter(
    ({ reference }) => !(isPodman && reference.registry === PODMANS_OWN),
  );
  return {
    id: textOf(item, 'Id') ?? '',
    tags: namesIn(item, 'RepoTags').filter(({ reference }) => reference.tag !== undefined),
    digests: names.flatMap((name) => {
      const { digest = '' } = name.reference;
      return isDigest(digest) ? [{ ...name, digest }] : [];
    }),
    pulledDigest: pulledDigest(item),
  };
}

/** The host in names of images that podman built; no registry was asked for them. */
const PODMANS_OWN = 'localhost';

/**
 * What was pulled, the index where there is one: Docker's `Descriptor` (API 1.48) and podman's `Digest`.
 * Podman notes an image of an index by two digests, in no order, and only this one is for every platform.
 */
function pulledDigest(item: JsonObject): string | undefined {
  return textOf(objectIn(item, 'Descriptor'), 'digest') ?? textOf(item, 'Digest');
}

/** Without what is none, such as Docker's `<none>:<none>` of older versions. */
function namesIn(item: JsonObject, field: string): LocalName[] {
  return listOf(item, field).flatMap((text) => {
    if (typeof text !== 'string') return [];
    const reference = readReference(text);
    return reference === undefined ? [] : [{ text, reference }];
  });
}
