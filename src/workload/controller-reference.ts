import { isJsonObject, type JsonObject, listOf } from '../json.ts';

/** The owner reference that says it is the controller's; the API server takes no more than one. */
export function controllerReference(metadata: JsonObject): JsonObject | undefined {
  const owner = listOf(metadata, 'ownerReferences').find(isController);
  return isJsonObject(owner) ? owner : undefined;
}

function isController(owner: unknown): boolean {
  return isJsonObject(owner) && owner['controller'] === true;
}

/** The group of an `apiVersion`: that of `batch/v1` is `batch`, that of `v1` empty, the core group. */
export function groupOf(apiVersion: string): string {
  const slash = apiVersion.indexOf('/');
  return slash === -1 ? '' : apiVersion.slice(0, slash);
}
