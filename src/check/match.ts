import { PinError } from '../errors.ts';
import type { ManifestObject } from '../files/objects.ts';
import { isJsonObject, type JsonObject, objectAt, objectIn, textOf } from '../json.ts';
import { readLabelSelector } from './label-selector.ts';

/** Tells whether a constraint applies to an object. */
export type Match = (object: ManifestObject, namespace: string) => boolean;

type Matcher = (value: unknown) => Match;

/**
 * The match fields that files can answer, as gatekeeper reads them (pkg/mutation/match). The others
 * ask for the labels of a namespace, or for where an object came from, which files do not tell.
 */
const MATCHERS: Readonly<Record<string, Matcher>> = {
  kinds: kindsMatch,
  namespaces: (value) => {
    const patterns = textsOf(value, 'namespaces').map(wildcard);
    if (patterns.length === 0) return () => true;
    return (object, namespace) => patterns.some((fits) => fits(namespaceOf(object, namespace)));
  },
  excludedNamespaces: (value) => {
    const patterns = textsOf(value, 'excludedNamespaces').map(wildcard);
    return (object, namespace) => !patterns.some((fits) => fits(namespaceOf(object, namespace)));
  },
  labelSelector: (value) => {
    const selects = readLabelSelector(value);
    return ({ value: object }) => selects(labelsOf(object));
  },
  name: nameMatch,
};

/**
 * Reads `spec.match` of a constraint.
 *
 * @throws PinError `invalid_config` for a field that is not in the table: ignoring it would pass
 *   judgement on other objects than the constraint does
 */
export function readMatch(match: unknown): Match {
  if (match === undefined || match === null) return () => true;
  if (!isJsonObject(match)) throw refusal('match is no object');
  const unknown = Object.keys(match).filter((field) => !Object.hasOwn(MATCHERS, field));
  if (unknown.length > 0) {
    const known = Object.keys(MATCHERS).join(', ');
    throw refusal(
      `match.${unknown.join(', match.')} cannot be judged by files; known are ${known}`,
    );
  }
  const all = Object.entries(match).flatMap(([field, value]) =>
    value === null ? [] : [MATCHERS[field]?.(value) ?? (() => true)],
  );
  return (object, namespace) => all.every((matches) => matches(object, namespace));
}

function kindsMatch(value: unknown): Match {
  const rows = listAt(value, 'kinds').map((row) => {
    if (!isJsonObject(row)) throw refusal('match.kinds holds something else than objects');
    const groups = textsOf(row['apiGroups'] ?? [], 'kinds.apiGroups');
    return { groups, kinds: textsOf(row['kinds'] ?? [], 'kinds.kinds') };
  });
  if (rows.length === 0) return () => true;
  return ({ group, kind }) =>
    rows.some((row) => holds(row.groups, group) && holds(row.kinds, kind));
}

function holds(list: readonly string[], item: string): boolean {
  return list.length === 0 || list.includes('*') || list.includes(item);
}

function nameMatch(value: unknown): Match {
  if (typeof value !== 'string') throw refusal('match.name is no text');
  if (value === '') return () => true;
  const fits = wildcard(value);
  return ({ value: object }) => {
    const metadata = objectIn(object, 'metadata');
    const generated = textOf(metadata, 'generateName') ?? '';
    return fits(textOf(metadata, 'name') ?? '') || (value.endsWith('*') && fits(generated));
  };
}

/** `*` at the beginning, at the end, or both (gatekeeper pkg/wildcard); elsewhere it is a letter. */
function wildcard(pattern: string): (text: string) => boolean {
  const [first, last] = [pattern.startsWith('*'), pattern.endsWith('*')];
  if (first && last) return (text) => text.includes(pattern.replace(/^\*/, '').replace(/\*$/, ''));
  if (first) return (text) => text.endsWith(pattern.slice(1));
  if (last) return (text) => text.startsWith(pattern.slice(0, -1));
  return (text) => text === pattern;
}

function namespaceOf({ group, kind, value }: ManifestObject, namespace: string): string {
  const metadata = objectIn(value, 'metadata');
  if (group === '' && kind === 'Namespace') return textOf(metadata, 'name') ?? '';
  return textOf(metadata, 'namespace') || namespace;
}

/** Labels of which one is no text count as none, as in unstructured objects of apimachinery. */
function labelsOf(object: JsonObject): ReadonlyMap<string, string> {
  const entries: [string, string][] = [];
  for (const [key, value] of Object.entries(objectAt(object, ['metadata', 'labels']) ?? {})) {
    if (typeof value !== 'string') return new Map();
    entries.push([key, value]);
  }
  return new Map(entries);
}

function listAt(value: unknown, field: string): readonly unknown[] {
  if (!Array.isArray(value)) throw refusal(`match.${field} is no list`);
  return value;
}

function textsOf(value: unknown, field: string): readonly string[] {
  return listAt(value, field).map((item) => {
    if (typeof item !== 'string') throw refusal(`match.${field} holds something else than texts`);
    return item;
  });
}

function refusal(fault: string): PinError {
  return new PinError('invalid_config', `Cannot read the constraint: ${fault}`);
}
