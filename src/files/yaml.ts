import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseAllDocuments,
  stringify,
  type YAMLMap,
} from 'yaml';

import type { Fault, Manifest, ManifestDocument, Position, Style, Written } from './manifest.ts';

// kubectl and the API server read `<<` (sigs.k8s.io/yaml), which YAML 1.2 has no more.
const OPTIONS = { merge: true, logLevel: 'error', prettyErrors: false } as const;

/** Reads a file; a document that does not parse makes a fault of the file, and no exception. */
export function readManifest(text: string): Manifest {
  const lines = new LineCounter();
  const positionOf = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { line, column: col };
  };
  const faults: Fault[] = [];
  const documents: ManifestDocument[] = [];
  for (const [index, document] of [
    ...parseAllDocuments(text, { ...OPTIONS, lineCounter: lines }),
  ].entries()) {
    const [error] = document.errors;
    if (error !== undefined) {
      faults.push({ ...positionOf(error.pos[0]), message: parseFault(text, error.message) });
      continue;
    }
    try {
      documents.push(documentOf(document, index + 1));
    } catch (caught) {
      // Aliases that multiply without end are refused when they are followed.
      const message = Error.isError(caught) ? caught.message : String(caught);
      faults.push({ ...positionOf(document.range[0]), message });
    }
  }
  return { documents, faults, positionOf };
}

function parseFault(text: string, message: string): string {
  const advice = 'it looks like a template; render it first (helm template … | tagpin …)';
  return text.includes('{{') ? `${advice}: ${message}` : message;
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

function documentOf(document: Document.Parsed, index: number): ManifestDocument {
  const root: Node | null = document.contents;
  let aliases: ReadonlyMap<number, readonly number[]> | undefined;
  return {
    index,
    value: document.toJS(),
    at: (path) => writtenAt(document, root, path),
    aliasesOf: (start) => {
      aliases ??= aliasesIn(document);
      return aliases.get(start) ?? [];
    },
  };
}

/** Offsets of the aliases of a document, by where that begins which they stand for. */
function aliasesIn(document: Document.Parsed): ReadonlyMap<number, readonly number[]> {
  const offsets = new Map<number, number[]>();
  const walk = (node: unknown): void => {
    if (isAlias(node)) {
      const start = node.resolve(document)?.range?.[0];
      if (start === undefined || !node.range) return;
      offsets.set(start, [...(offsets.get(start) ?? []), node.range[0]]);
    } else if (isMap(node)) {
      for (const pair of node.items) walk(pair.value);
    } else if (isSeq(node)) {
      for (const item of node.items) walk(item);
    }
  };
  walk(document.contents);
  return offsets;
}

interface Step {
  readonly node: unknown;
  readonly inFlow: boolean;
  readonly keyStart?: number;
}

function writtenAt(
  document: Document.Parsed,
  root: Node | null,
  path: readonly string[],
): Written | undefined {
  let here: Step | undefined = { node: root, inFlow: false };
  for (const name of path) {
    if (here === undefined) return undefined;
    here = memberOf(document, here, name);
  }
  return here === undefined ? undefined : written(document, here);
}

function memberOf(document: Document.Parsed, from: Step, name: string): Step | undefined {
  const node = isAlias(from.node) ? from.node.resolve(document) : from.node;
  if (isSeq(node)) {
    const item = node.items[Number(name)];
    return item === undefined
      ? undefined
      : { node: item, inFlow: from.inFlow || node.flow === true };
  }
  if (!isMap(node)) return undefined;
  return fieldOf(document, { map: node, inFlow: from.inFlow || node.flow === true }, name);
}

interface MapStep {
  readonly map: YAMLMap;
  readonly inFlow: boolean;
}

function fieldOf(
  document: Document.Parsed,
  { map, inFlow }: MapStep,
  name: string,
): Step | undefined {
  for (const { key, value } of map.items) {
    if (isScalar(key) && typeof key.value !== 'symbol' && String(key.value) === name) {
      return { node: value, inFlow, ...(key.range && { keyStart: key.range[0] }) };
    }
  }
  for (const source of mergedInto(map)) {
    const found = memberOf(document, { node: source, inFlow }, name);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** What `<<` names, in the order in which it is asked. */
function mergedInto(map: YAMLMap): unknown[] {
  return map.items.flatMap(({ key, value }) => {
    if (!isScalar(key) || typeof key.value !== 'symbol') return [];
    return isSeq(value) ? value.items : [value];
  });
}

function written(document: Document.Parsed, { node, inFlow, keyStart }: Step): Written | undefined {
  const key = keyStart === undefined ? {} : { keyStart };
  if (isAlias(node)) {
    const target = node.resolve(document);
    const behind = target === undefined ? undefined : written(document, { node: target, inFlow });
    if (!node.range || behind === undefined) return undefined;
    const [start, end] = node.range;
    return { start, end, style: 'alias', value: behind.value, inFlow, target: behind, ...key };
  }
  if (isScalar(node) && node.range) {
    const [start, end] = node.range;
    return { start, end, style: styleOf(node.type), value: node.value, inFlow, ...key };
  }
  if ((isMap(node) || isSeq(node)) && node.range) {
    const [start, end] = node.range;
    return { start, end, style: 'plain', value: node.toJSON(), inFlow, ...key };
  }
  return undefined;
}

function styleOf(type: string | null | undefined): Style {
  if (type === 'QUOTE_SINGLE' || type === 'QUOTE_DOUBLE') return 'quoted';
  return type === 'BLOCK_LITERAL' || type === 'BLOCK_FOLDED' ? 'block' : 'plain';
}
