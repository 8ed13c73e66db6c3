/** As in Go, whose parser nodes read manifests with (encoding/json scanner.go, maxNestingDepth). */
const MAX_DEPTH = 10_000;

/** What stands behind the last byte; no text of JSON may hold it. */
const END = 0;
const SPACE = 0x20;
const QUOTE = 0x22;
const PLUS = 0x2b;
const COMMA = 0x2c;
const MINUS = 0x2d;
const DOT = 0x2e;
const DIGIT_0 = 0x30;
const DIGIT_9 = 0x39;
const COLON = 0x3a;
const OPEN_LIST = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_LIST = 0x5d;
const LOWER_A = 0x61;
const LOWER_E = 0x65;
const LOWER_F = 0x66;
const LOWER_U = 0x75;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
/** The bit that tells a lower case letter from its upper case. */
const LOWER_CASE = 0x20;
const HEX_DIGITS = 4;

const LITERALS: readonly Uint8Array[] = ['true', 'false', 'null'].map((word) =>
  new TextEncoder().encode(word),
);
const ESCAPES: ReadonlySet<number> = new Set(new TextEncoder().encode('"\\/bfnrt'));

/** Where a member's key and value begin and end in the text; the quotes of a key are of it. */
export interface Member {
  keyStart: number;
  keyEnd: number;
  start: number;
  end: number;
}

/**
 * Passes over a text of JSON (RFC 8259) once and keeps nothing of it: the values of a few megabytes
 * can take some hundred. Does not recurse. Throws SyntaxError where the grammar is broken, or where
 * lists and objects are nested too deep.
 */
export class JsonScanner {
  readonly #bytes: Uint8Array;
  /** The closing brackets that are yet to come, but for the next one. */
  readonly #outer: number[] = [];
  /** The next of them; END where nothing is open. */
  #closing = END;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Whether an object comes next. */
  isAtObject(): boolean {
    return this.#peek() === OPEN_OBJECT;
  }

  /** Passes over an object; `visit` is told of each member, and must keep none, as it is one that changes. */
  skipObject(visit: (member: Readonly<Member>) => void): void {
    this.#expect(OPEN_OBJECT);
    if (this.#peek() !== CLOSE_OBJECT) this.#skipMembers(visit);
    this.#expect(CLOSE_OBJECT);
  }

  /** Passes over any value. */
  skipValue(): void {
    do this.#begin();
    while (this.#goesOn());
  }

  /** Nothing but spaces may follow. */
  skipToEnd(): void {
    this.#peek();
    if (this.#at < this.#bytes.length) throw this.#broken();
  }

  #skipMembers(visit: (member: Readonly<Member>) => void): void {
    const member: Member = { keyStart: 0, keyEnd: 0, start: 0, end: 0 };
    for (;;) {
      this.#peek();
      member.keyStart = this.#at;
      this.#skipString();
      member.keyEnd = this.#at;
      this.#expect(COLON);
      this.#peek();
      member.start = this.#at;
      this.skipValue();
      member.end = this.#at;
      visit(member);
      if (this.#peek() !== COMMA) return;
      this.#at += 1;
    }
  }

  /** A plain value to its end; a list or an object to the first plain value in it, or the empty one. */
  #begin(): void {
    for (;;) {
      const first = this.#peek();
      if (first !== OPEN_OBJECT && first !== OPEN_LIST) {
        this.#skipPlain(first);
        return;
      }
      this.#enter(first === OPEN_OBJECT ? CLOSE_OBJECT : CLOSE_LIST);
      if (this.#peek() === this.#closing) return;
      if (first === OPEN_OBJECT) this.#skipKey();
    }
  }

  #enter(closing: number): void {
    if (this.#outer.length === MAX_DEPTH) throw this.#broken();
    this.#outer.push(this.#closing);
    this.#closing = closing;
    this.#at += 1;
  }

  /** Leaves what ends here; whether something is open yet, and then to its next value. */
  #goesOn(): boolean {
    while (this.#closing !== END) {
      const byte = this.#peek();
      if (byte !== this.#closing && byte !== COMMA) throw this.#broken();
      this.#at += 1;
      if (byte === COMMA) {
        if (this.#closing === CLOSE_OBJECT) this.#skipKey();
        return true;
      }
      this.#closing = this.#outer.pop() ?? END;
    }
    return false;
  }

  #skipKey(): void {
    this.#peek();
    this.#skipString();
    this.#expect(COLON);
  }

  #skipPlain(first: number): void {
    if (first === QUOTE) this.#skipString();
    else if (first === MINUS || isDigit(first)) this.#skipNumber();
    else this.#skipLiteral(first);
  }

  #skipLiteral(first: number): void {
    const literal = LITERALS.find(([letter]) => letter === first);
    if (literal === undefined) throw this.#broken();
    for (const byte of literal) this.#take(byte);
  }

  #skipString(): void {
    this.#take(QUOTE);
    const bytes = this.#bytes;
    for (;;) {
      const byte = bytes[this.#at] ?? END;
      // Control characters must be escaped, and the end is like one.
      if (byte < SPACE) throw this.#broken();
      this.#at += 1;
      if (byte === QUOTE) return;
      if (byte === BACKSLASH) this.#skipEscape();
    }
  }

  #skipEscape(): void {
    const byte = this.#byte();
    if (byte !== LOWER_U && !ESCAPES.has(byte)) throw this.#broken();
    this.#at += 1;
    if (byte !== LOWER_U) return;
    for (let left = HEX_DIGITS; left > 0; left -= 1) {
      if (!isHexDigit(this.#byte())) throw this.#broken();
      this.#at += 1;
    }
  }

  #skipNumber(): void {
    const bytes = this.#bytes;
    const start = bytes[this.#at] === MINUS ? this.#at + 1 : this.#at;
    let at = bytes[start] === DIGIT_0 ? start + 1 : this.#endOfDigits(start);
    if (bytes[at] === DOT) at = this.#endOfDigits(at + 1);
    if (((bytes[at] ?? END) | LOWER_CASE) === LOWER_E) {
      const isSigned = bytes[at + 1] === PLUS || bytes[at + 1] === MINUS;
      at = this.#endOfDigits(isSigned ? at + 2 : at + 1);
    }
    this.#at = at;
  }

  /** Of one or more. */
  #endOfDigits(start: number): number {
    let at = start;
    while (isDigit(this.#bytes[at] ?? END)) at += 1;
    if (at === start) throw this.#broken();
    return at;
  }

  /** The next byte that is no space. */
  #peek(): number {
    for (;;) {
      const byte = this.#byte();
      if (byte > SPACE || !isSpace(byte)) return byte;
      this.#at += 1;
    }
  }

  #expect(wanted: number): void {
    this.#peek();
    this.#take(wanted);
  }

  #take(wanted: number): void {
    if (this.#byte() !== wanted) throw this.#broken();
    this.#at += 1;
  }

  #byte(): number {
    return this.#bytes[this.#at] ?? END;
  }

  /** Without the text, which is a stranger's. */
  #broken(): SyntaxError {
    return new SyntaxError(`no JSON at byte ${this.#at}`);
  }
}

function isSpace(byte: number): boolean {
  return byte === SPACE || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

function isDigit(byte: number): boolean {
  return byte >= DIGIT_0 && byte <= DIGIT_9;
}

function isHexDigit(byte: number): boolean {
  const lower = byte | LOWER_CASE;
  return isDigit(byte) || (lower >= LOWER_A && lower <= LOWER_F);
}
