import { isJsonObject, type JsonObject, listOf, sameJson } from '../json.ts';

/** Whether a selector makes every demand of the shipped one, and leaves out no more than namespaces by name. */
export function selectsAsShipped(selector: JsonObject | undefined, shipped: JsonObject): boolean {
  if (selector === undefined) return false;
  if (!sameJson(selector['matchLabels'], shipped['matchLabels'])) return false;
  const demands = demandsOf(selector);
  const wanted = demandsOf(shipped);
  return (
    wanted.every((demand) => demands.some((one) => includes(one, demand))) &&
    demands.every((demand) => isOfNames(demand) || wanted.some((one) => sameJson(one, demand)))
  );
}

/** The shipped selector, with the namespaces that another one leaves out by name. */
export function mergedSelector(selector: JsonObject | undefined, shipped: JsonObject): JsonObject {
  const theirs = selector === undefined ? [] : demandsOf(selector).filter(isOfNames);
  const wanted = demandsOf(shipped).map(
    (demand) => theirs.find((one) => includes(one, demand)) ?? demand,
  );
  const more = theirs.filter((demand) => !wanted.some((one) => includes(one, demand)));
  return { ...shipped, matchExpressions: [...wanted, ...more] };
}

function demandsOf(selector: JsonObject): readonly JsonObject[] {
  return listOf(selector, 'matchExpressions').filter(isJsonObject);
}

/** Whether one demand has all values of another. */
function includes(one: JsonObject, other: JsonObject): boolean {
  const values = listOf(one, 'values');
  return (
    one['key'] === other['key'] &&
    one['operator'] === other['operator'] &&
    listOf(other, 'values').every((value) => values.includes(value))
  );
}

function isOfNames({ key, operator }: JsonObject): boolean {
  return key === 'kubernetes.io/metadata.name' && operator === 'NotIn';
}
