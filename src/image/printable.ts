/**
 * A stranger's text without what could forge a line or move a terminal's cursor: control and format
 * characters and line separators are written as `\u{…}`, and so is a half of a surrogate pair.
 */
export function printable(text: string): string {
  return text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, escaped);
}

/** The same in double quotes, with those in it and backslashes escaped; at most so many characters of it. */
export function quoted(text: string, maxChars: number): string {
  const escapedText = text
    .slice(0, maxChars)
    .replace(/[\p{C}\p{Zl}\p{Zp}"\\]/gu, (char) =>
      char === '"' || char === '\\' ? `\\${char}` : escaped(char),
    );
  return `"${escapedText}${text.length > maxChars ? '…' : ''}"`;
}

function escaped(char: string): string {
  return `\\u{${char.codePointAt(0)?.toString(16)}}`;
}
