import { printableJson } from '../image/printable.ts';
import { isJsonObject, textOf } from '../json.ts';
import type { Finding } from './finding.ts';
import { digestSlot } from './parts.ts';

/** Deeper than any chart; values that hold themselves by an alias end here. */
const MAX_DEPTH = 50;

/** Values may hold a digest, and the chart render the tag. */
export const VALUES_NOTE =
  '--helm-values: the templates of a chart decide whether it uses a digest, and its tag where the values name none; helm template CHART | tagpin check --strict - tells';

/** Every map of a values file with `repository` and one of `tag` and `digest`. */
export function helmImagesIn(finding: Finding): void {
  walk(finding, finding.document.value, []);
}

function walk(finding: Finding, value: unknown, path: readonly string[]): void {
  if (path.length > MAX_DEPTH) return;
  if (Array.isArray(value)) {
    value.forEach((item, index) => walk(finding, item, [...path, `${index}`]));
    return;
  }
  if (!isJsonObject(value)) return;
  const repository = textOf(value, 'repository');
  if (repository !== undefined && ('tag' in value || 'digest' in value)) {
    const registry = textOf(value, 'registry');
    digestSlot(finding, {
      path,
      label: `values ${printableJson(path.join('.'))}`,
      object: { kind: 'Values', name: '', namespace: '', pointer: '' },
      repository: registry ? `${registry}/${repository}` : repository,
      tagField: 'tag',
      // A chart prints 1.10 as 1.1: what it will run cannot be told.
      numberIsText: false,
    });
    return;
  }
  for (const [name, member] of Object.entries(value)) walk(finding, member, [...path, name]);
}
