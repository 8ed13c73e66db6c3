import { type JsonObject, objectAt, sameJson } from '../json.ts';
import { coversRules, mergedRules } from './entry-rules.ts';
import { mergedSelector, selectsAsShipped } from './entry-selector.ts';
import type { ShippedEntry } from './shipped-entries.ts';

/** A field that is not as it is shipped. */
export interface Difference {
  readonly field: string;
  /** What is shipped, with what somebody may add to it. */
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
  if (!coversRules(webhook, shipped.rules)) {
    const wanted = mergedRules(webhook, shipped.rules);
    found.push({ field: 'rules', wanted, is: webhook['rules'] });
  }
  const namespaces = objectAt(webhook, ['namespaceSelector']);
  if (!selectsAsShipped(namespaces, shipped.namespaceSelector)) {
    const wanted = mergedSelector(namespaces, shipped.namespaceSelector);
    found.push({ field: 'namespaceSelector', wanted, is: namespaces });
  }
  const objects = objectAt(webhook, ['objectSelector']) ?? {};
  if (Object.keys(objects).length > 0) {
    found.push({ field: 'objectSelector', wanted: {}, is: objects });
  }
  return found;
}
