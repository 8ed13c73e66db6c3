/** An object as it came out of `JSON.parse`: nothing is known of its fields. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** Tells whether `value` is an object of JSON: no list, and not null. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The object at `path` below `root`, or undefined where the path ends or holds something else. */
export function objectAt(root: unknown, path: readonly string[]): JsonObject | undefined {
  let here: unknown = root;
  for (const step of path) {
    if (!isJsonObject(here)) return undefined;
    here = here[step];
  }
  return isJsonObject(here) ? here : undefined;
}

/** The object in `field` of `parent`, or undefined where either is something else. */
export function objectIn(parent: unknown, field: string): JsonObject | undefined {
  const value = isJsonObject(parent) ? parent[field] : undefined;
  return isJsonObject(value) ? value : undefined;
}

/** The list in `field` of `parent`; anything but a list counts as an empty one. */
export function listOf(parent: JsonObject, field: string): readonly unknown[] {
  const list = parent[field];
  return Array.isArray(list) ? list : [];
}

/** The text in `field` of `parent`, or undefined where there is none. */
export function textOf(parent: JsonObject | undefined, field: string): string | undefined {
  const value = parent?.[field];
  return typeof value === 'string' ? value : undefined;
}

/** The value of a text that a stranger wrote, or undefined where it is no JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * Tells whether two values of JSON are equal in depth; the order of an object's keys does not
 * matter. Without recursion: a stranger may nest a value deeper than the stack is.
 */
export function sameJson(one: unknown, other: unknown): boolean {
  const ones = [one];
  const others = [other];
  while (ones.length > 0) {
    const a = ones.pop();
    const b = others.pop();
    if (a === b) continue;
    if (!isContainer(a) || !isContainer(b) || Array.isArray(a) !== Array.isArray(b)) return false;
    const keys = Object.keys(a);
    if (keys.length !== Object.keys(b).length) return false;
    for (const key of keys) {
      if (!Object.hasOwn(b, key)) return false;
      ones.push(a[key]);
      others.push(b[key]);
    }
  }
  return true;
}

/** A list too: its places are its keys. */
function isContainer(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null;
}

/** A step of writing JSON: text that stands as it is, or a value that is still to be written. */
type Step = { readonly text: string } | { readonly value: unknown };

/**
 * The JSON of a value, keys sorted, so that equal values are equal text. Fields that are undefined
 * are left out. Without recursion, as above.
 */
export function canonicalJson(value: unknown): string {
  const parts: string[] = [];
  const steps: Step[] = [{ value }];
  for (let step = steps.pop(); step !== undefined; step = steps.pop()) {
    if ('text' in step) parts.push(step.text);
    else if (isContainer(step.value)) steps.push(...stepsInto(step.value).toReversed());
    else parts.push(JSON.stringify(step.value) ?? 'null');
  }
  return parts.join('');
}

function stepsInto(container: JsonObject): Step[] {
  const isList = Array.isArray(container);
  const keys = Object.keys(container).filter((key) => isList || container[key] !== undefined);
  const fields = (isList ? keys : keys.toSorted()).flatMap((key, index): Step[] => {
    const comma = index === 0 ? '' : ',';
    const name = isList ? '' : `${JSON.stringify(key)}:`;
    return [{ text: comma + name }, { value: container[key] }];
  });
  return [{ text: isList ? '[' : '{' }, ...fields, { text: isList ? ']' : '}' }];
}
