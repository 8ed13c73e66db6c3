import { cutText } from '../image/cut-text.ts';

/** No name of Kubernetes is longer than 253 characters; an image may be. */
const MAX_CHARS = 512;

/** Whether a text is kept as it is. */
export function isShort(text: string): boolean {
  return text.length <= MAX_CHARS;
}

/**
 * A stranger's text as it is kept: the same where it is short, else its beginning. That is copied,
 * for V8 would keep the whole text for the sake of a part of it.
 */
export function kept(text: string): string {
  return isShort(text) ? text : flat(cutText(text, MAX_CHARS));
}

/** The same text in one piece, which keeps nothing alive that it was cut from. */
export function flat(text: string): string {
  return Buffer.from(text).toString();
}
