import { isJsonObject, type JsonObject, listOf, objectAt, sameJson } from '../json.ts';
import type { ShippedEntry, ShippedRule } from './shipped-entries.ts';

/** A field that is not as it is shipped. */
export interface Difference {
  readonly field: string;
  readonly wanted: unknown;
  readonly is: unknown;
}

/** What of an entry is not as this version ships it, where something rests on it. */
export function differences(webhook: JsonObject, shipped: ShippedEntry): readonly Difference[] {
  const found: Difference[] = [];
  for (const [field, wanted] of Object.entries(shipped.fields)) {
    const is = webhook[field];
    // With `--events` it is `NoneOnDryRun`.
    const isFine = sameJson(is, wanted) || (field === 'sideEffects' && is === 'NoneOnDryRun');
    if (!isFine) found.push({ field, wanted, is });
  }
  const { rules, namespaceSelector } = shipped;
  if (!coversRules(webhook, rules)) {
    found.push({ field: 'rules', wanted: rules, is: webhook['rules'] });
  }
  if (!selectsAsShipped(objectAt(webhook, ['namespaceSelector']), namespaceSelector)) {
    const is = webhook['namespaceSelector'];
    found.push({ field: 'namespaceSelector', wanted: namespaceSelector, is });
  }
  const selector = objectAt(webhook, ['objectSelector']) ?? {};
  if (Object.keys(selector).length > 0) {
    found.push({ field: 'objectSelector', wanted: {}, is: selector });
  }
  return found;
}

/** There may be more: custom resources (`--extra-kind`). */
function coversRules(webhook: JsonObject, shipped: readonly ShippedRule[]): boolean {
  const calls = callsOf(listOf(webhook, 'rules'));
  return [...callsOf(shipped)].every((call) => calls.has(call));
}

function callsOf(rules: readonly unknown[]): ReadonlySet<string> {
  const calls = rules.filter(isJsonObject).flatMap((rule) =>
    textsIn(rule, 'apiGroups').flatMap((group) =>
      textsIn(rule, 'apiVersions').flatMap((version) =>
        textsIn(rule, 'resources').flatMap((resource) =>
          textsIn(rule, 'operations')
            .flatMap((operation) => (operation === '*' ? ['CREATE', 'UPDATE'] : [operation]))
            .map((operation) => `${group}/${version}/${resource} ${operation}`),
        ),
      ),
    ),
  );
  return new Set(calls);
}

function textsIn(rule: JsonObject, field: string): readonly string[] {
  return listOf(rule, field).filter((part) => typeof part === 'string');
}

/** Every demand of the shipped one; it may leave out more namespaces by name. */
function selectsAsShipped(selector: JsonObject | undefined, shipped: JsonObject): boolean {
  if (selector === undefined) return false;
  if (!sameJson(selector['matchLabels'], shipped['matchLabels'])) return false;
  const demands = listOf(selector, 'matchExpressions').filter(isJsonObject);
  const wanted = listOf(shipped, 'matchExpressions').filter(isJsonObject);
  const isMet = (demand: JsonObject): boolean =>
    demands.some(
      (other) =>
        other['key'] === demand['key'] &&
        other['operator'] === demand['operator'] &&
        listOf(demand, 'values').every((value) => listOf(other, 'values').includes(value)),
    );
  const known = new Set(wanted.map(({ key }) => key));
  return (
    wanted.every(isMet) && demands.every((demand) => isOfNames(demand) || known.has(demand['key']))
  );
}

function isOfNames({ key, operator }: JsonObject): boolean {
  return key === 'kubernetes.io/metadata.name' && operator === 'NotIn';
}
