import type { DocumentText } from './documents.ts';
import { LineCursor } from './line-cursor.ts';
import { type LineValue, readLineValue } from './line-value.ts';
import type { Written } from './manifest.ts';

/** A value of a document. */
interface OutlineNode {
  readonly value: unknown;
  /** Of a map by their keys, of a list by their numbers. */
  readonly members?: ReadonlyMap<string, OutlineNode>;
  /** For a text alone. */
  readonly written?: Written;
  readonly isAlias?: boolean;
}

/** A document of maps, lists and values of one line. */
export interface Outline {
  readonly value: unknown;
  /** The text at a path; undefined where there is nothing, and `unknown` for what is no text, or is not told. */
  readonly at: (path: readonly string[]) => Written | 'unknown' | undefined;
}

/**
 * Reads a document as nearly all manifests are written: block maps and lists, and values that end
 * with their line. That takes a tenth of the parser's time. Undefined for everything else, and for
 * whatever may be a mistake: what it means is the parser's to say.
 */
export function readOutline({ text, start }: DocumentText): Outline | undefined {
  if (UNUSUAL.test(text)) return undefined;
  try {
    const root = new OutlineReader(text, start).read();
    return { value: root.value, at: (path) => writtenAt(root, path) };
  } catch (caught) {
    if (caught instanceof NoOutlineError) return undefined;
    throw caught;
  }
}

function writtenAt(root: OutlineNode, path: readonly string[]): Written | 'unknown' | undefined {
  let here: OutlineNode | undefined = root;
  for (const name of path) {
    if (here.members === undefined) return 'unknown';
    here = here.members.get(name);
    if (here === undefined) return undefined;
  }
  return here.written ?? 'unknown';
}

/** Control characters and white space, but for spaces and the ends of lines. */
const UNUSUAL = /(?![ \n]|\r\n)[\p{Cc}\s]/u;
const HEAD = /(?:---(?= |\r?\n))?/y;
/** Letters first: no number, no `<<`. */
const KEY = /([A-Za-z][\w./-]{0,200}):(?=\s|$)/y;
const NO_TEXT = /^(?:null|true|false)$/i;
const ANCHOR = /&([\w-]+)(?: +|(?=\r?\n|$))/y;
const ALIAS = /^\*([\w-]+) *(?: #.*)?$/;
/** The parser refuses a hundred, and fewer where they multiply: so many never are too many. */
const MAX_ALIASES = 10;
/** Where there is more, the parser may find it too deep. */
const MAX_COLUMN = 200;

class NoOutlineError extends Error {}

/**
 * What stands deeper than its neighbours allow is read by nobody, and so are mistakes: at the end
 * there is something left.
 */
class OutlineReader {
  readonly #cursor: LineCursor;
  /** Of the document in its file. */
  readonly #start: number;
  readonly #anchors = new Map<string, unknown>();
  #aliases = 0;

  constructor(text: string, start: number) {
    this.#cursor = new LineCursor(text);
    this.#start = start;
  }

  read(): OutlineNode {
    this.#cursor.match(HEAD);
    this.#cursor.skipToContent();
    const root = this.#cursor.column === 0 ? this.#block() : undefined;
    if (root === undefined || this.#cursor.column !== -1) throw new NoOutlineError();
    return root;
  }

  #block(): OutlineNode {
    if (this.#cursor.column > MAX_COLUMN) throw new NoOutlineError();
    return this.#cursor.isItem() ? this.#list() : this.#map();
  }

  #map(): OutlineNode {
    const { column } = this.#cursor;
    const value: Record<string, unknown> = {};
    const members = new Map<string, OutlineNode>();
    do {
      const keyStart = this.#start + this.#cursor.at;
      const key = this.#cursor.match(KEY)?.[1];
      if (key === undefined || NO_TEXT.test(key) || members.has(key)) throw new NoOutlineError();
      const member = this.#member(column, keyStart);
      members.set(key, member);
      value[key] = member.value;
    } while (this.#cursor.column === column && !this.#cursor.isItem());
    return { value, members };
  }

  /** A list may stand in the column of its key. */
  #member(column: number, keyStart: number): OutlineNode {
    const cursor = this.#cursor;
    cursor.skipSpaces();
    const anchor = cursor.match(ANCHOR)?.[1];
    if (!cursor.isLineEnd()) return this.#anchored(anchor, this.#lineValue(keyStart));
    cursor.skipToContent();
    const isBlock = cursor.column > column || (cursor.column === column && cursor.isItem());
    return this.#anchored(anchor, isBlock ? this.#block() : { value: null });
  }

  #list(): OutlineNode {
    const { column } = this.#cursor;
    const value: unknown[] = [];
    const members = new Map<string, OutlineNode>();
    do {
      const item = this.#item(column);
      members.set(`${value.length}`, item);
      value.push(item.value);
    } while (this.#cursor.column === column && this.#cursor.isItem());
    return { value, members };
  }

  #item(column: number): OutlineNode {
    const cursor = this.#cursor;
    cursor.skipDash();
    if (cursor.isLineEnd()) {
      cursor.skipToContent();
      return cursor.column > column ? this.#block() : { value: null };
    }
    return cursor.isItem() || cursor.isAt(KEY) ? this.#block() : this.#lineValue();
  }

  /** The parser refuses an anchored alias; what has one name twice, it can tell apart. */
  #anchored(anchor: string | undefined, node: OutlineNode): OutlineNode {
    if (anchor === undefined) return node;
    const isTold = node.value !== null && node.isAlias !== true && !this.#anchors.has(anchor);
    if (!isTold) throw new NoOutlineError();
    this.#anchors.set(anchor, node.value);
    // Who asks for it wants to know of its aliases, too.
    return { value: node.value };
  }

  /** The value that stands in the rest of the line. */
  #lineValue(keyStart?: number): OutlineNode {
    const start = this.#start + this.#cursor.at;
    const line = this.#cursor.takeLine();
    this.#cursor.skipToContent();
    const alias = ALIAS.exec(line)?.[1];
    if (alias !== undefined) return { value: this.#aliased(alias), isAlias: true };
    const read = readLineValue(line);
    if (read === undefined) throw new NoOutlineError();
    return nodeOf(read, start, keyStart);
  }

  #aliased(alias: string): unknown {
    const value = this.#anchors.get(alias);
    this.#aliases += 1;
    if (value === undefined || this.#aliases > MAX_ALIASES) throw new NoOutlineError();
    return value;
  }
}

function nodeOf({ value, text }: LineValue, start: number, keyStart?: number): OutlineNode {
  if (text === undefined) return { value };
  const { end, style } = text;
  const place = { start, end: start + end, ...(keyStart !== undefined && { keyStart }) };
  return { value, written: { ...place, style, value, inFlow: false, isAnchored: false } };
}
