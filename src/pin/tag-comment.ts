import type { Edit } from '../files/edit.ts';
import type { CommentSlot } from '../files/slot.ts';
import { readReference } from '../image/read-reference.ts';
import { normalizedName } from '../image/reference.ts';

/** A tag that stands in the comment behind a pinned image. */
export interface TagComment {
  readonly tag: string;
  /** The range of our own `name:tag`; absent for a bare tag, which another tool wrote. */
  readonly own?: { readonly start: number; readonly end: number };
}

// frizbee and others write the tag alone. A word such as "proxy" is a tag too, and mostly none.
const BARE_TAG = /^(?:latest|v?\d[\w.-]{0,127})$/;

/**
 * Reads the tag of an image of this name out of the comment behind it: `nginx:1.27`, as tagpin
 * writes it, or a bare version. What follows behind a further `#` is somebody's remark.
 */
export function readTagComment(
  slot: CommentSlot | undefined,
  name: string,
): TagComment | undefined {
  if (slot?.existing === undefined) return undefined;
  const { text, start } = slot.existing;
  const word = /^(\S+)(?:\s+#.*)?$/.exec(text)?.[1];
  if (word === undefined) return undefined;
  if (BARE_TAG.test(word)) return { tag: word };
  const tag = tagIn(word, name);
  return tag === undefined ? undefined : { tag, own: { start, end: start + word.length } };
}

function tagIn(word: string, name: string): string | undefined {
  const reference = readReference(word);
  return reference && normalizedName(reference) === name ? reference.tag : undefined;
}

/** What keeps `tag` behind the image: nothing where it stands there, else our own form of it. */
export function tagCommentEdit(
  slot: CommentSlot,
  found: TagComment | undefined,
  { tag, spelling }: { readonly tag: string; readonly spelling: string },
): readonly Edit[] {
  if (found?.tag === tag) return [];
  const text = `${spelling}:${tag}`;
  if (found?.own !== undefined) return [{ ...found.own, text }];
  return [{ start: slot.offset, end: slot.offset, text: ` # ${text}` }];
}
