import { PinError } from '../errors.ts';
import { applyEdits, type Edit } from '../files/edit.ts';
import type { ManifestDocument, Written } from '../files/manifest.ts';
import { readManifest, writeYaml } from '../files/yaml.ts';
import { isJsonObject, textOf } from '../json.ts';
import type { Result } from './results.ts';

/** The wire format of functions (kustomize, functions-spec.md), as a text that keeps its bytes. */
export interface ResourceList {
  readonly text: string;
  readonly functionConfig: unknown;
  /** The value at a path of the list. */
  readonly valueAt: (path: readonly string[]) => unknown;
  /** The text after the edits, with the results in the place of those that were there. */
  readonly written: (edits: readonly Edit[], results: readonly Result[]) => string;
}

/**
 * Reads a ResourceList of any version, or a List, which has no configuration.
 *
 * @throws PinError `invalid_config` for anything else
 */
export function readResourceList(text: string): ResourceList {
  const { documents, faults } = readManifest(text);
  const [fault] = faults;
  if (fault !== undefined) {
    throw refusal(`line ${fault.line}, column ${fault.column}: ${fault.message}`);
  }
  const [document, another] = documents.filter(({ value }) => value !== null);
  const list = document?.value;
  const kind = isJsonObject(list) ? textOf(list, 'kind') : undefined;
  const isList = kind === 'ResourceList' || kind === 'List';
  if (document === undefined || another !== undefined || !isList || !isJsonObject(list)) {
    throw refusal('expected one document of the kind ResourceList');
  }
  if (!Array.isArray(list['items'] ?? [])) throw refusal('its items are no list');
  return {
    text,
    functionConfig: list['functionConfig'],
    valueAt: (path) => document.at(path)?.value,
    written: (edits, results) =>
      applyEdits(text, [...edits, ...resultsEdits(document, text, results)]),
  };
}

function resultsEdits(
  document: ManifestDocument,
  text: string,
  results: readonly Result[],
): readonly Edit[] {
  const old = document.at(['results']);
  const kind = document.at(['kind']);
  if (kind?.keyStart === undefined || (results.length === 0 && old === undefined)) return [];
  if (kind.inFlow) return [inFlow(old, kind, results)];
  const column = kind.keyStart - (text.lastIndexOf('\n', kind.keyStart - 1) + 1);
  const pad = ' '.repeat(column);
  const block = writeYaml({ results }).trimEnd().replaceAll('\n', `\n${pad}`);
  if (old?.keyStart !== undefined) {
    const end = old.start + text.slice(old.start, old.end).trimEnd().length;
    return [{ start: old.keyStart, end, text: block }];
  }
  const newline = text.indexOf('\n', kind.end);
  const at = newline === -1 ? text.length : newline;
  return [{ start: at, end: at, text: `\n${pad}${block}` }];
}

/** In braces, as in JSON. */
function inFlow(old: Written | undefined, kind: Written, results: readonly Result[]): Edit {
  const json = JSON.stringify(results);
  if (old !== undefined) return { start: old.start, end: old.end, text: json };
  return { start: kind.end, end: kind.end, text: `, "results": ${json}` };
}

function refusal(fault: string): PinError {
  return new PinError('invalid_config', `Cannot read the ResourceList: ${fault}`);
}
