import { isUtf8 } from 'node:buffer';

const MAX_CHARACTER_BYTES = 4;

const ESCAPES: Readonly<Record<string, string>> = {
  '\u0007': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '\\': '\\\\',
};

/**
 * A name of an archive as GNU tar shows it (its quoting style `escape`): what is no UTF-8, or would
 * move a terminal's cursor, by the octal numbers of its bytes.
 */
export function shownName(name: Buffer): string {
  if (isUtf8(name)) return shownText(name.toString('utf8'));
  let shown = '';
  for (let at = 0; at < name.length; ) {
    const length = characterBytesAt(name, at);
    const bytes = name.subarray(at, at + Math.max(length, 1));
    shown += length === 0 ? octals(bytes) : shownText(bytes.toString('utf8'));
    at += bytes.length;
  }
  return shown;
}

/** 0 where no character begins. */
function characterBytesAt(name: Buffer, at: number): number {
  for (let length = 1; length <= MAX_CHARACTER_BYTES; length += 1) {
    if (isUtf8(name.subarray(at, at + length))) return length;
  }
  return 0;
}

function shownText(text: string): string {
  return text.replace(
    /[\p{C}\p{Zl}\p{Zp}\\]/gu,
    (char) => ESCAPES[char] ?? octals(Buffer.from(char)),
  );
}

function octals(bytes: Buffer): string {
  return [...bytes].map((byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('');
}
