// A CommonJS module: at run time it has a default export alone, whatever its types say.
import fastJsonPatch from 'fast-json-patch';

import type { JsonObject } from '../json.ts';
import { ORIGINALS_ANNOTATION, UNPINNED_ANNOTATION } from '../workload/annotations.ts';
import { fitsBeside } from '../workload/annotations-size.ts';
import type { PodTemplate } from '../workload/locations.ts';
import type { Settled } from './settle.ts';

/** One operation of a JSON Patch (RFC 6902), of the three kinds that are ever sent. */
export type PatchOperation =
  | { readonly op: 'add' | 'replace'; readonly path: string; readonly value: unknown }
  | { readonly op: 'remove'; readonly path: string };

/** The annotations that a review may write; undefined leaves one as it is. */
export interface AnnotationChanges {
  readonly originals: string | undefined;
  /** Null takes the annotation away. */
  readonly unpinned: string | null | undefined;
}

/**
 * The JSON Patch of one template: a `replace` for every image that changes, an `add` for an
 * annotation. Every path but that of an annotation was read from this same object, because a patch
 * that does not apply rejects the request whatever the failure policy says; for the same reason
 * there is no `test` operation.
 */
export function patchOf(
  template: PodTemplate,
  settled: readonly Settled[],
  changes: AnnotationChanges,
): PatchOperation[] {
  const operations: PatchOperation[] = [];
  for (const { image, place } of settled) {
    if (image === place.image) continue;
    operations.push({ op: 'replace', path: place.pointer, value: image });
  }
  operations.push(...annotationPatch(template, changes));
  return operations;
}

function annotationPatch(template: PodTemplate, changes: AnnotationChanges): PatchOperation[] {
  const values = new Map<string, string>();
  if (changes.originals !== undefined) values.set(ORIGINALS_ANNOTATION, changes.originals);
  if (typeof changes.unpinned === 'string') values.set(UNPINNED_ANNOTATION, changes.unpinned);
  dropWhatDoesNotFit(values, template.annotations ?? {});

  const pointer = `${template.pointer}/metadata`;
  if (template.metadata === undefined) {
    return addAll(pointer, { annotations: Object.fromEntries(values) }, values.size);
  }
  if (template.annotations === undefined) {
    return addAll(`${pointer}/annotations`, Object.fromEntries(values), values.size);
  }
  const operations: PatchOperation[] = [...values].map(([name, value]) => ({
    op: 'add',
    path: annotationPath(pointer, name),
    value,
  }));
  if (changes.unpinned === null && UNPINNED_ANNOTATION in template.annotations) {
    operations.push({ op: 'remove', path: annotationPath(pointer, UNPINNED_ANNOTATION) });
  }
  return operations;
}

/** A mark is worth less than the object, which the API server would refuse with one too many. */
function dropWhatDoesNotFit(values: Map<string, string>, present: JsonObject): void {
  const all: Record<string, unknown> = { ...present };
  for (const [name, value] of values) {
    if (fitsBeside(all, name, value)) all[name] = value;
    else values.delete(name);
  }
}

function addAll(path: string, value: unknown, count: number): PatchOperation[] {
  return count === 0 ? [] : [{ op: 'add', path, value }];
}

function annotationPath(pointer: string, name: string): string {
  // oxlint-disable-next-line import/no-named-as-default-member -- see the import
  return `${pointer}/annotations/${fastJsonPatch.escapePathComponent(name)}`;
}
