/** A document of a file, as it is written. */
export interface DocumentText {
  readonly text: string;
  /** Its offset in the file. */
  readonly start: number;
}

/**
 * A line that begins a document, wherever it stands: neither quotes nor a block scalar may hold one
 * (YAML 1.2.2, 9.1.2).
 */
const MARKER = /(?:^\uFEFF?|\n)---(?=[ \t\r\n]|$)/g;
/** Directives, and ends of documents, make a stream whose parts cannot be read one by one. */
const STREAM = /(?:^\uFEFF?|\n)(?:%|\.\.\.(?=[ \t\r\n]|$))/;
const COMMENT = /^\uFEFF?\s*(?:#|$)/;

/**
 * The documents of a file, each with the line that begins it; a file whose documents depend on one
 * another is given whole.
 */
export function documentTexts(text: string): readonly DocumentText[] {
  if (!text.includes('---') || STREAM.test(text)) return [{ text, start: 0 }];
  const starts = [...text.matchAll(MARKER)].map(
    ({ 0: marker, index }) => index + marker.length - 3,
  );
  const [first] = starts;
  if (first === undefined) return [{ text, start: 0 }];
  // Comments above the first marker belong to what it begins.
  const isHead = text
    .slice(0, first)
    .split('\n')
    .every((line) => COMMENT.test(line));
  const all = isHead ? starts : [0, ...starts];
  return all.map((start, index) => ({ text: text.slice(start, all[index + 1]), start }));
}

/**
 * The texts of JSON that follow one another without a marker, as `jq` writes them and kubectl reads
 * them; undefined for anything else.
 */
export function jsonTexts({ text, start }: DocumentText): readonly DocumentText[] | undefined {
  if (!/^\s*\{/.test(text)) return undefined;
  const texts: DocumentText[] = [];
  let depth = 0;
  let from = 0;
  for (const { 0: token, index } of text.matchAll(/"(?:[^"\\]+|\\.)*"|[{}]/g)) {
    if (token === '{') depth += 1;
    if (token !== '}') continue;
    depth -= 1;
    if (depth > 0) continue;
    texts.push({ text: text.slice(from, index + 1), start: start + from });
    from = index + 1;
  }
  const isAll = text.slice(from).trim() === '' && texts.every((item) => isJson(item.text));
  return isAll && texts.length > 1 ? texts : undefined;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
