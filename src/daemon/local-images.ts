import { PinError } from '../errors.ts';
import { type Digest, isDigest } from '../image/digest.ts';
import { type ImageReference, parseReference } from '../image/reference.ts';
import { isJsonObject, type JsonObject, listOf, objectAt, textOf } from '../json.ts';
import type { Engine } from './engine.ts';

/** An image of this machine. */
export interface LocalImage {
  /** The digest of its config, or what else the daemon names it by. */
  readonly id: string;
  readonly tags: readonly LocalName[];
  /** What it was pulled or pushed as: names with a digest. */
  readonly digests: readonly PulledName[];
  /** Of several digests of one repository, the one that was pulled, where the daemon knows. */
  readonly prefers: (digest: Digest) => boolean;
}

/** A name, and how the daemon spells it. */
export interface LocalName {
  readonly text: string;
  readonly reference: ImageReference;
}

/** A name with a digest. */
export interface PulledName extends LocalName {
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
    prefers: preference(item),
  };
}

/** The host in names of images that podman built; no registry was asked for them. */
const PODMANS_OWN = 'localhost';

/**
 * Docker tells what a name stands for, the index where there is one (`Descriptor`, API 1.48). Podman
 * notes an image of an index by two digests, and tells of that of the platform (`Digest`): a node of
 * another platform can run the other alone.
 */
function preference(item: JsonObject): LocalImage['prefers'] {
  const target = textOf(objectAt(item, ['Descriptor']), 'digest');
  const platform = textOf(item, 'Digest');
  return target === undefined ? (digest) => digest !== platform : (digest) => digest === target;
}

/** Without what is none, such as Docker's `<none>:<none>` of older versions. */
function namesIn(item: JsonObject, field: string): LocalName[] {
  return listOf(item, field).flatMap((text) => {
    if (typeof text !== 'string') return [];
    try {
      return [{ text, reference: parseReference(text) }];
    } catch {
      return [];
    }
  });
}
