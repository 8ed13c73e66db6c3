import { stringify } from 'yaml';

import { documentOf, parseDocuments } from './composed.ts';
import { type DocumentText, documentTexts, jsonTexts } from './documents.ts';
import { lineAt } from './line-starts.ts';
import type { Fault, Manifest, ManifestDocument, Position } from './manifest.ts';
import { type Outline, readOutline } from './outline.ts';

/**
 * Reads a file; a document that does not parse makes a fault of the file, and no exception. Texts of
 * documents that nobody `wants` are not parsed, and are in no list; the others keep their numbers.
 */
export function readManifest(
  text: string,
  wants: (document: string) => boolean = () => true,
): Manifest {
  const positionOf = positionsIn(text);
  const faults: Fault[] = [];
  const documents: ManifestDocument[] = [];
  let index = 0;
  const read = (part: DocumentText): void => {
    if (!wants(part.text)) {
      index += 1;
      return;
    }
    const outline = readOutline(part);
    if (outline !== undefined) {
      index += 1;
      documents.push(outlined(outline, part, index));
      return;
    }
    const parsed = parseDocuments(part.text);
    const texts = parsed.some(({ errors }) => errors.length > 0) ? jsonTexts(part) : undefined;
    if (texts !== undefined) return texts.forEach(read);
    for (const document of parsed) {
      index += 1;
      const found = documentOf(document, part, index);
      if ('value' in found) documents.push(found);
      else faults.push({ ...positionOf(part.start + found.offset), message: found.message });
    }
  };
  documentTexts(text).forEach(read);
  return { documents, faults, positionOf };
}

/** What the outline does not tell, the parser does. */
function outlined(outline: Outline, part: DocumentText, index: number): ManifestDocument {
  let parsed: ManifestDocument | undefined;
  const whole = (): ManifestDocument => {
    parsed ??= parsedDocument(part, index);
    return parsed;
  };
  return {
    index,
    value: outline.value,
    at: (path) => {
      const found = outline.at(path);
      return found === 'unknown' ? whole().at(path) : found;
    },
    aliasesOf: (start) => whole().aliasesOf(start),
  };
}

function parsedDocument(part: DocumentText, index: number): ManifestDocument {
  const [document] = parseDocuments(part.text);
  const found = document && documentOf(document, part, index);
  if (found === undefined || !('value' in found)) {
    throw new Error('An outline was read of what the parser refuses');
  }
  return found;
}

/** Lines are counted when the first position is asked for: most files are asked for few. */
function positionsIn(text: string): (offset: number) => Position {
  let starts: readonly number[] | undefined;
  return (offset) => {
    starts ??= [0, ...text.matchAll(/\n/g).map(({ index }) => index + 1)];
    const line = lineAt(starts, offset);
    return { line: line + 1, column: offset - (starts[line] ?? 0) + 1 };
  };
}

/** A value as YAML, for output: what a terminal would obey is escaped, and it says the same. */
export function writeYaml(value: unknown): string {
  const plain = stringify(value, { lineWidth: 0 });
  if (plain.search(UNPRINTABLE) === -1) return plain;
  return stringify(value, { lineWidth: 0, defaultStringType: 'QUOTE_DOUBLE' }).replace(
    UNPRINTABLE,
    (char) => `\\U${char.codePointAt(0)?.toString(16).padStart(8, '0')}`,
  );
}

/** Control and format characters, line separators and halves of surrogate pairs; but for the end of a line. */
const UNPRINTABLE = /(?!\n)[\p{C}\p{Zl}\p{Zp}]/gu;
