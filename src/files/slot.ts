import type { Edit } from './edit.ts';
import type { Written } from './manifest.ts';

/** The place of a value in a text, and how another value is written there. */
export interface Slot {
  readonly start: number;
  readonly end: number;
  /** What stands before and behind a new value: nothing, where it only replaces the old one. */
  readonly before: string;
  readonly after: string;
  /** Absent where a comment cannot follow: in JSON, inside of `{}`, behind a block scalar. */
  readonly comment?: CommentSlot;
}

/** The rest of the line behind a value. */
export interface CommentSlot {
  /** Where the value ends, and a comment can be added. */
  readonly offset: number;
  /** The comment that is there, without its mark, and where that text begins. */
  readonly existing?: { readonly text: string; readonly start: number };
}

/** The slot of a value that is there; undefined for a text over several lines. */
export function slotOf(text: string, value: Written): Slot | undefined {
  const { start, end, style } = value;
  if (style === 'block') return slotInBlock(text, value);
  const comment = commentBehind(text, value);
  const slot = { start, end, before: '', after: '', ...(comment && { comment }) };
  if (style === 'quoted') return { ...slot, start: start + 1, end: end - 1 };
  // `digest:` without a value ends with its colon.
  return start === end ? { ...slot, before: ' ' } : slot;
}

/** In a block scalar the text stands on a line of its own, below the header. */
function slotInBlock(text: string, { start, end, value }: Written): Slot | undefined {
  const body = text.indexOf('\n', start) + 1;
  if (typeof value !== 'string' || body === 0) return undefined;
  const content = value.trimEnd();
  const at = text.indexOf(content, body);
  if (content === '' || at === -1 || at + content.length > end) return undefined;
  return { start: at, end: at + content.length, before: '', after: '' };
}

function commentBehind(text: string, { end, inFlow }: Written): CommentSlot | undefined {
  if (inFlow) return undefined;
  const newline = text.indexOf('\n', end);
  const rest = text.slice(end, newline === -1 ? text.length : newline).trimEnd();
  if (rest === '') return { offset: end };
  const comment = /^[ \t]+#[ \t]*/.exec(rest)?.[0];
  if (comment === undefined) return undefined;
  const { length } = comment;
  return { offset: end, existing: { text: rest.slice(length), start: end + length } };
}

/**
 * The slot of a new member behind one that is there: a line of its own in a block map, else behind
 * a comma. Quotes and the end of the line are those of the neighbour.
 */
export function slotBehind(text: string, neighbour: Written, name: string): Slot | undefined {
  const { keyStart, end, inFlow, style } = neighbour;
  if (keyStart === undefined) return undefined;
  if (inFlow) {
    const quote = text[keyStart] === '"' ? '"' : '';
    const before = `, ${quote}${name}${quote}: ${quote}`;
    return { start: end, end, before, after: quote };
  }
  if (style === 'block') return undefined;
  const newline = text.indexOf('\n', end);
  const isCrlf = newline > 0 && text[newline - 1] === '\r';
  const lineEnd = newline === -1 ? text.length : newline - (isCrlf ? 1 : 0);
  const column = keyStart - (text.lastIndexOf('\n', keyStart - 1) + 1);
  const before = `${isCrlf || usesCrlf(text) ? '\r\n' : '\n'}${' '.repeat(column)}${name}: `;
  return { start: lineEnd, end: lineEnd, before, after: '' };
}

function usesCrlf(text: string): boolean {
  return text.includes('\r\n');
}

/** Writes a value into a slot. */
export function editFor({ start, end, before, after }: Slot, value: string): Edit {
  return { start, end, text: before + value + after };
}
