import { type JsonObject, objectIn, textOf } from '../json.ts';

/** The name of an object of Kubernetes; empty where it has none yet. */
export function nameOf(object: JsonObject): string {
  return textOf(objectIn(object, 'metadata'), 'name') ?? '';
}
