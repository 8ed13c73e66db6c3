import { isJsonObject, type JsonObject, listOf } from '../json.ts';
import type { ShippedRule } from './shipped-entries.ts';

/** Whether an entry is called for all that is shipped. There may be more: custom resources (`--extra-kind`). */
export function coversRules(webhook: JsonObject, shipped: readonly ShippedRule[]): boolean {
  const calls = callsOf(listOf(webhook, 'rules'));
  return [...callsOf(shipped)].every((call) => calls.has(call));
}

/** The rules that are shipped, and behind them those of an entry that call for more. */
export function mergedRules(
  webhook: JsonObject,
  shipped: readonly ShippedRule[],
): readonly unknown[] {
  const calls = callsOf(shipped);
  const more = listOf(webhook, 'rules').filter((rule) =>
    [...callsOf([rule])].some((call) => !calls.has(call)),
  );
  return [...shipped, ...more];
}

/** Everything that rules are called for, one by one. */
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
