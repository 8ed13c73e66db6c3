import { isCollection, isScalar, parseDocument } from 'yaml';

import { OPTIONS } from './yaml-options.ts';

/** What the rest of a line says, where it says a whole value. */
export interface LineValue {
  readonly value: unknown;
  /** Where a text stands in the line; absent for what a reader has no need to replace. */
  readonly text?: { readonly end: number; readonly style: 'plain' | 'quoted' };
}

/** Begins no plain text, or not for certain. */
const NO_PLAIN = /^[^\p{L}\w./$(-]|^-(?: |$)/u;
/** May be a number, a word for a truth value or for nothing, and `.inf`. */
const MAYBE_NO_TEXT = /^(?:[-+.\d][-+.\w]*|null|true|false)$/i;
/** Quotes, and nothing in them or behind them that wants an explanation. */
const QUOTED = /^(?:"([^"\\]*)"|'([^']*)')(?= *$| +#)/;
/** What the parser is asked about: numbers and words, odd quotes, and collections in one line. */
const ASKED = /^(?:[-+.\w"'[]|\{(?!\{))/;
/** An anchor or alias inside of braces is one of the whole document. */
const LINKED = /[ [{,:][&*]+[^ &*]/;

/**
 * Reads a value that ends with its line; a comment may follow. Undefined for everything else: block
 * scalars, tags, aliases, what goes on in the next line, and mistakes.
 */
export function readLineValue(line: string): LineValue | undefined {
  const quoted = QUOTED.exec(line);
  if (quoted !== null) {
    const [{ length: end }, double, single] = quoted;
    return { value: double ?? single, text: { end, style: 'quoted' } };
  }
  const plain = NO_PLAIN.test(line) ? undefined : plainIn(line);
  if (plain === undefined || MAYBE_NO_TEXT.test(plain)) return asked(line);
  // A map inside of a value is a mistake.
  if (plain.includes(': ') || plain.endsWith(':')) return undefined;
  return { value: plain, text: { end: plain.length, style: 'plain' } };
}

function plainIn(line: string): string {
  const comment = line.indexOf(' #');
  return (comment === -1 ? line : line.slice(0, comment)).trimEnd();
}

/** Files of one folder say the same again and again. */
const known = new Map<string, LineValue | undefined>();
const MAX_KNOWN = 1000;
const MAX_ASKED_CHARS = 1000;

function asked(line: string): LineValue | undefined {
  if (line.length > MAX_ASKED_CHARS || !ASKED.test(line) || LINKED.test(line)) return undefined;
  if (known.has(line)) return known.get(line);
  if (known.size >= MAX_KNOWN) known.clear();
  const answer = ask(line);
  known.set(line, answer);
  return answer;
}

/**
 * Behind a space, for at the beginning of a line some characters mean something else; and with the
 * end of its line, for at the end of a text the parser takes any quote for the closing one.
 */
function ask(line: string): LineValue | undefined {
  const document = parseDocument(` ${line}\n`, OPTIONS);
  const { contents, errors, warnings } = document;
  if (errors.length > 0 || warnings.length > 0) return undefined;
  const isWhole = isScalar(contents) || (isCollection(contents) && contents.flow === true);
  return isWhole ? { value: document.toJS() } : undefined;
}
