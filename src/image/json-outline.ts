import { isUtf8 } from 'node:buffer';

import type { JsonObject } from '../json.ts';
import { JsonScanner, type Member } from './json-scanner.ts';

/** Enough for 255 characters, of which an escaped one takes six bytes. */
const MAX_TEXT_BYTES = 1536;
const BACKSLASH = 0x5c;
const LOWER_U = 0x75;
const QUOTE = 0x22;
const OPEN_OBJECT = 0x7b;
const OPEN_LIST = 0x5b;
const DIGIT_0 = 0x30;
const DIGIT_9 = 0x39;
/** Taking this bit away leaves an upper case letter. */
const LOWER_CASE = 0x20;
/** What is to be taken from the code of a hexadecimal letter. */
const BEFORE_A = 0x57;

interface Span {
  readonly start: number;
  readonly end: number;
}

/**
 * Of a text of JSON the members of its object that are wanted, without anything below them: a list
 * is an empty list, an object an empty object, and a text is cut off behind its first 1,536 bytes. Of
 * members with the same key the last one counts, as in `JSON.parse`. Undefined where the text is no
 * object. Takes memory for the wanted members alone, and one pass: `JSON.parse` makes 250 MB of
 * 4 MiB of `{},{},…`.
 *
 * @param wanted keys of ASCII letters
 * @throws SyntaxError where it is no JSON in UTF-8, or is nested deeper than 10,000
 */
export function outlineJson(bytes: Uint8Array, wanted: readonly string[]): JsonObject | undefined {
  if (!isUtf8(bytes)) throw new SyntaxError('no UTF-8');
  const scanner = new JsonScanner(bytes);
  if (!scanner.isAtObject()) {
    scanner.skipValue();
    scanner.skipToEnd();
    return undefined;
  }
  const found = new Map<string, Span>();
  scanner.skipObject((member) => {
    for (const key of wanted) {
      if (!isKey(bytes, member, key)) continue;
      found.set(key, { start: member.start, end: member.end });
    }
  });
  scanner.skipToEnd();
  return Object.fromEntries(
    [...found].map(([key, { start, end }]) => [key, outlineValue(bytes.subarray(start, end))]),
  );
}

/** Compares without making a string: a hostile object has some hundred thousand keys. */
function isKey(bytes: Uint8Array, { keyStart, keyEnd }: Readonly<Member>, key: string): boolean {
  let at = keyStart + 1;
  for (let index = 0; index < key.length; index += 1) {
    const isEscaped = bytes[at] === BACKSLASH && bytes[at + 1] === LOWER_U;
    const unit = isEscaped ? codeUnitAt(bytes, at + 2) : bytes[at];
    if (unit !== key.charCodeAt(index)) return false;
    at += isEscaped ? 6 : 1;
  }
  return at === keyEnd - 1;
}

/** What four hexadecimal digits say. */
function codeUnitAt(bytes: Uint8Array, start: number): number {
  let unit = 0;
  for (let at = start; at < start + 4; at += 1) {
    const byte = bytes[at] ?? 0;
    unit = unit * 16 + (byte <= DIGIT_9 ? byte - DIGIT_0 : (byte | LOWER_CASE) - BEFORE_A);
  }
  return unit;
}

function outlineValue(value: Uint8Array): unknown {
  const [first] = value;
  if (first === OPEN_OBJECT) return {};
  if (first === OPEN_LIST) return [];
  return JSON.parse(first === QUOTE ? shortText(value) : decode(value));
}

/** With its quotes. What is cut off takes no half of an escape with it. */
function shortText(value: Uint8Array): string {
  if (value.length <= MAX_TEXT_BYTES) return decode(value);
  let end = 1;
  while (end < MAX_TEXT_BYTES) end += lengthAt(value, end);
  return `${decode(value.subarray(0, end))}"`;
}

/** How many bytes stand for one character, or for a part of it that is no escape. */
function lengthAt(value: Uint8Array, at: number): number {
  if (value[at] !== BACKSLASH) return 1;
  return value[at + 1] === LOWER_U ? 6 : 2;
}

function decode(bytes: Uint8Array): string {
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
}
