/** One way to authenticate that a server offers in `WWW-Authenticate`. */
export interface Challenge {
  /** In lower case, such as `bearer`. */
  readonly scheme: string;
  /** Keys in lower case; without a prototype, as the keys are the server's choice. */
  readonly params: Readonly<Record<string, string>>;
}

// The grammar of RFC 9110 sections 5.6 and 11.3. No pattern can match one text in two ways, so each
// is linear in time.
const TOKEN = /[!#$%&'*+\-.^_`|~0-9A-Za-z]+/y;
const TOKEN68 = /[ \t]+[A-Za-z0-9\-._~+/]+=*(?=[ \t]*(?:,|$))/y;
const EQUALS = /[ \t]*=[ \t]*/y;
const SEPARATORS = /[ \t,]*/y;
const BEFORE_SEPARATOR = /(?=[ \t]*(?:,|$))/y;
// Wider than a token: there are registries that leave the quotes of a realm's URL out.
const BARE_VALUE = /[^\s,"]+/y;

/**
 * The challenges of a `WWW-Authenticate` header in their order, whether they came in one header or
 * in several. Never throws: of malformed text, what stands before the fault.
 */
export function parseChallenges(header: string | readonly string[]): Challenge[] {
  const lines = typeof header === 'string' ? [header] : header;
  return lines.flatMap(parseLine);
}

/**
 * A comma parts challenges as well as the parameters of one. What tells them apart is what follows
 * a token: `=` makes it a key, anything else a scheme.
 */
function parseLine(line: string): Challenge[] {
  const challenges: Challenge[] = [];
  const scanner = new Scanner(line);
  let params: Record<string, string> | undefined;
  for (;;) {
    scanner.take(SEPARATORS);
    const name = scanner.take(TOKEN)?.toLowerCase();
    if (name === undefined) return challenges;
    if (scanner.take(EQUALS) === undefined) {
      params = emptyParams();
      challenges.push({ scheme: name, params });
      scanner.take(TOKEN68);
      continue;
    }
    const value = scanner.takeValue();
    if (params === undefined || value === undefined) return challenges;
    // RFC 9110 section 11.2: a parameter occurs once. A later one cannot redirect the first.
    params[name] ??= value;
    if (scanner.take(BEFORE_SEPARATOR) === undefined) return challenges;
  }
}

function emptyParams(): Record<string, string> {
  const params: Record<string, string> = Object.create(null);
  return params;
}

/** A position in a text, which moves only forwards. */
class Scanner {
  readonly #text: string;
  #position = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** What the sticky `pattern` matches here, or undefined; the position moves behind it. */
  take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#position;
    const match = pattern.exec(this.#text)?.[0];
    this.#position += match?.length ?? 0;
    return match;
  }

  /** A quoted string without its quotes and escapes, or a bare value. */
  takeValue(): string | undefined {
    if (this.#text[this.#position] !== '"') return this.take(BARE_VALUE);
    let value = '';
    for (let index = this.#position + 1; index < this.#text.length; index += 1) {
      if (this.#text[index] === '"') {
        this.#position = index + 1;
        return value;
      }
      if (this.#text[index] === '\\') index += 1;
      value += this.#text[index] ?? '';
    }
    return undefined;
  }
}
