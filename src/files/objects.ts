import { isJsonObject, type JsonObject, listOf, objectIn, textOf } from '../json.ts';
import { groupOf } from '../workload/controller-reference.ts';

/** The object of a manifest that an image belongs to. */
export interface ObjectName {
  readonly kind: string;
  /** Empty where the manifest names none. */
  readonly name: string;
  readonly namespace: string;
  /** JSON pointer to the object inside of its document. */
  readonly pointer: string;
}

/** An object of a document: those of a list are objects of their own. */
export interface ManifestObject {
  readonly group: string;
  readonly kind: string;
  readonly value: JsonObject;
  readonly path: readonly string[];
}

/** The objects of a document; a `List`, or a typed list, holds those in `items`. */
export function objectsOf(value: unknown, path: readonly string[] = []): ManifestObject[] {
  if (!isJsonObject(value)) return [];
  const kind = textOf(value, 'kind');
  const apiVersion = textOf(value, 'apiVersion') ?? '';
  const items = value['items'];
  if (kind?.endsWith('List') && Array.isArray(items)) {
    // The items of a typed list, such as PodList, name neither kind nor version.
    const ofItem = kind === 'List' ? {} : { apiVersion, kind: kind.slice(0, -'List'.length) };
    return items.flatMap((item: unknown, index) =>
      isJsonObject(item) ? objectsOf({ ...ofItem, ...item }, [...path, 'items', `${index}`]) : [],
    );
  }
  if (kind === undefined && !isBareKustomization(value)) return [];
  return [{ group: groupOf(apiVersion), kind: kind ?? 'Kustomization', value, path }];
}

/** Name and namespace of an object, as far as it has them. */
export function nameOf({ kind, value, path }: ManifestObject): ObjectName {
  const metadata = objectIn(value, 'metadata');
  return {
    kind,
    name: textOf(metadata, 'name') ?? textOf(metadata, 'generateName') ?? '',
    namespace: textOf(metadata, 'namespace') ?? '',
    pointer: path.map((step) => `/${step}`).join(''),
  };
}

/** A kustomization may leave out its kind, and often does. */
function isBareKustomization(value: JsonObject): boolean {
  return listOf(value, 'images').some(
    (entry) => isJsonObject(entry) && 'name' in entry && ('newTag' in entry || 'digest' in entry),
  );
}
