import { isDeepStrictEqual } from 'node:util';

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

/** Tells whether two values are equal in depth; the order of an object's keys does not matter. */
export function sameJson(one: unknown, other: unknown): boolean {
  return isDeepStrictEqual(one, other);
}
