import type { Random } from '../simulation/random.ts';
import type { AskedImage, Mode } from './admission.ts';
import type { SoakTag } from './soak-tag.ts';

/** The containers of one pod template, as they are asked for. */
export interface DrawnTemplate {
  readonly asked: readonly AskedImage[];
  /** Of the object that holds the template. */
  readonly annotations: Readonly<Record<string, string>>;
}

/** Of the operator's skip list, as it is by default (src/settings/pin-settings.ts). */
const SKIPPED = 'kind.local/loaded:1';
const SHARE_PINNED = 0.1;
const SHARE_SKIPPED = 0.05;
/** Of templates, that leave a container out by annotation. */
const SHARE_LEFT_OUT = 0.1;
const MOST_IMAGES = 4;

/** One to four images: most of them by tags that move, some by digest, some that tagpin must leave alone. */
export function drawTemplate(tags: readonly SoakTag[], random: Random, mode: Mode): DrawnTemplate {
  const count = 1 + random.below(MOST_IMAGES);
  const asked = Array.from({ length: count }, (_, n) => drawImage(tags, random, `c${n}`));
  if (random.next() >= SHARE_LEFT_OUT) return { asked, annotations: {} };
  const annotations = { 'tagpin.dev/skip': 'c0' };
  // Nothing that a tenant can write counts in `enforce`.
  if (mode === 'enforce') return { asked, annotations };
  const leftOut = asked.map((image) =>
    image.container === 'c0' ? { ...image, tag: undefined } : image,
  );
  return { asked: leftOut, annotations };
}

function drawImage(tags: readonly SoakTag[], random: Random, container: string): AskedImage {
  const tag = drawTag(tags, random);
  const share = random.next();
  if (share < SHARE_PINNED) return { container, image: tag.pinned(random), tag: undefined };
  if (share < SHARE_PINNED + SHARE_SKIPPED) return { container, image: SKIPPED, tag: undefined };
  return { container, image: tag.image, tag };
}

export function drawTag(tags: readonly SoakTag[], random: Random): SoakTag {
  const tag = tags[random.below(tags.length)];
  if (tag === undefined) throw new Error('There is no tag to draw');
  return tag;
}
