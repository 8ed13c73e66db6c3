import {
  type Alias,
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  type Node,
  parseAllDocuments,
  type YAMLMap,
} from 'yaml';

import type { DocumentText } from './documents.ts';
import type { ManifestDocument, Style, Written } from './manifest.ts';
import { OPTIONS } from './yaml-options.ts';

/** Why a document cannot be read, and where in its own text. */
export interface DocumentFault {
  readonly offset: number;
  readonly message: string;
}

/** The documents of a text, as the parser makes them of it: none of an empty one. */
export function parseDocuments(text: string): readonly Document.Parsed[] {
  return [...parseAllDocuments(text, OPTIONS)];
}

function parseFault(text: string, message: string): string {
  const advice = 'it looks like a template; render it first (helm template … | tagpin …)';
  return text.includes('{{') ? `${advice}: ${message}` : message;
}

/** What a document says, and where; or why it cannot be read. */
export function documentOf(
  document: Document.Parsed,
  { text, start }: DocumentText,
  index: number,
): ManifestDocument | DocumentFault {
  const [error] = document.errors;
  if (error !== undefined) {
    return { offset: error.pos[0], message: parseFault(text, error.message) };
  }
  const root: Node | null = document.contents;
  let aliases: ReadonlyMap<number, readonly number[]> | undefined;
  try {
    return {
      index,
      value: document.toJS(),
      at: (path) => writtenAt({ document, start }, root, path),
      aliasesOf: (target) => {
        aliases ??= aliasesIn(document);
        return (aliases.get(target - start) ?? []).map((offset) => start + offset);
      },
    };
  } catch (caught) {
    // Aliases that multiply without end are refused when they are followed.
    const message = Error.isError(caught) ? caught.message : String(caught);
    return { offset: document.range[0], message };
  }
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

/** A document, and its offset in the file. */
interface Source {
  readonly document: Document.Parsed;
  readonly start: number;
}

function writtenAt(
  source: Source,
  root: Node | null,
  path: readonly string[],
): Written | undefined {
  let here: Step | undefined = { node: root, inFlow: false };
  for (const name of path) {
    if (here === undefined) return undefined;
    here = memberOf(source.document, here, name);
  }
  return here === undefined ? undefined : written(source, here);
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

function written(source: Source, { node, inFlow, keyStart }: Step): Written | undefined {
  const value = isAlias(node) ? aliasWritten(source, node, inFlow) : valueWritten(node, inFlow);
  if (value === undefined) return undefined;
  const by = source.start;
  return {
    ...value,
    start: value.start + by,
    end: value.end + by,
    ...(keyStart !== undefined && { keyStart: keyStart + by }),
  };
}

/** As it stands in the text of its document; so does the next. */
function aliasWritten(source: Source, node: Alias, inFlow: boolean): Written | undefined {
  const target = node.resolve(source.document);
  const behind = target === undefined ? undefined : written(source, { node: target, inFlow });
  if (!node.range || behind === undefined) return undefined;
  const [start, end] = node.range;
  return {
    start,
    end,
    style: 'alias',
    value: behind.value,
    inFlow,
    isAnchored: false,
    target: behind,
  };
}

function valueWritten(node: unknown, inFlow: boolean): Written | undefined {
  if (!isNode(node) || !node.range || isAlias(node)) return undefined;
  const [start, end] = node.range;
  const isAnchored = node.anchor !== undefined;
  if (!isScalar(node)) {
    return { start, end, style: 'plain', value: node.toJSON(), inFlow, isAnchored };
  }
  return { start, end, style: styleOf(node.type), value: node.value, inFlow, isAnchored };
}

function styleOf(type: string | null | undefined): Style {
  if (type === 'QUOTE_SINGLE' || type === 'QUOTE_DOUBLE') return 'quoted';
  return type === 'BLOCK_LITERAL' || type === 'BLOCK_FOLDED' ? 'block' : 'plain';
}
