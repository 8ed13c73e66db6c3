import { cutText } from '../image/cut-text.ts';

/** No name of Kubernetes is longer; an image may be. */
const MAX_CHARS = 253;

/**
 * A stranger's text as it is kept: the same where it is short, else its beginning. That is copied,
 * for V8 would keep the whole text for the sake of a part of it.
 */
export function kept(text: string, maxChars: number = MAX_CHARS): string {
  return text.length <= maxChars ? text : flat(cutText(text, maxChars));
}

/** The same text in one piece, which keeps nothing alive that it was cut from. */
export function flat(text: string): string {
  return Buffer.from(text).toString();
}
