/**
 * A stranger's text without what could forge a line or move a terminal's cursor: control and format
 * characters and line separators are written as `\u{…}`, and so is a half of a surrogate pair.
 */
export function printable(text: string): string {
  return text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, escaped);
}

/** The same of a text whose lines and tabs are its own. */
export function printableLines(text: string): string {
  return text.replace(/(?![\n\t])[\p{C}\p{Zl}\p{Zp}]/gu, escaped);
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

/** A value as JSON in which those characters are escaped, so that it says the same; indented by so many spaces. */
export function printableJson(value: unknown, indent: number = 0): string {
  return JSON.stringify(value, null, indent).replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (char) =>
    char === '\n' ? char : codeUnits(char),
  );
}

/** By UTF-16, as JSON has it (RFC 8259 section 7). */
function codeUnits(char: string): string {
  return [...Array(char.length).keys()]
    .map((at) => `\\u${char.charCodeAt(at).toString(16).padStart(4, '0')}`)
    .join('');
}

function escaped(char: string): string {
  return `\\u{${char.codePointAt(0)?.toString(16)}}`;
}
