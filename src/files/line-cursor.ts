/** The end of a line that says no more. */
const BLANK = / *(?:#[^\n]*|\r)?\n/y;
/** Indentation, or all that is left. */
const INDENT = / *(?:#[^\n]*$)?/y;

/** A place in a text of lines that are indented by spaces. */
export class LineCursor {
  readonly #text: string;
  #at = 0;
  #column = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** Offset of what is to be read next. */
  get at(): number {
    return this.#at;
  }

  /** Its column, from 0; -1 at the end. Told behind comments and dashes alone. */
  get column(): number {
    return this.#column;
  }

  /** Moves to what follows in this line or another, comments left out. */
  skipToContent(): void {
    while (this.#skip(BLANK));
    this.#skip(INDENT);
    const lineStart = this.#at === 0 ? 0 : this.#text.lastIndexOf('\n', this.#at - 1) + 1;
    this.#column = this.#at === this.#text.length ? -1 : this.#at - lineStart;
  }

  /** Whether a dash stands here that begins an item of a list. */
  isItem(): boolean {
    if (this.#text[this.#at] !== '-') return false;
    const next = this.#text[this.#at + 1];
    return next === ' ' || next === '\n' || next === '\r' || next === undefined;
  }

  /** Moves behind the dash, and to what stands behind it. */
  skipDash(): void {
    const dash = this.#at;
    this.#at += 1;
    this.skipSpaces();
    this.#column += this.#at - dash;
  }

  skipSpaces(): void {
    while (this.#text[this.#at] === ' ') this.#at += 1;
  }

  /** Whether the line says no more; a comment stands behind a space, which has been skipped. */
  isLineEnd(): boolean {
    const next = this.#text[this.#at];
    return next === '\n' || next === '\r' || next === '#' || next === undefined;
  }

  /** The rest of the line without spaces at its end; moves behind it. */
  takeLine(): string {
    const newline = this.#text.indexOf('\n', this.#at);
    const line = this.#text.slice(this.#at, newline === -1 ? undefined : newline).trimEnd();
    this.#at += line.length;
    return line;
  }

  /** Whether a sticky pattern finds something here. */
  isAt(pattern: RegExp): boolean {
    pattern.lastIndex = this.#at;
    return pattern.test(this.#text);
  }

  #skip(pattern: RegExp): boolean {
    const isThere = this.isAt(pattern);
    if (isThere) this.#at = pattern.lastIndex;
    return isThere;
  }

  /** Moves behind what a sticky pattern finds here. */
  match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text);
    if (found !== null) this.#at = pattern.lastIndex;
    return found;
  }
}
