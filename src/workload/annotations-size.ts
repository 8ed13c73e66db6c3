import type { JsonObject } from '../json.ts';

/** Of all annotations of an object (kubernetes apimachinery, ValidateAnnotationsSize). */
const MAX_ANNOTATIONS_BYTES = 256 * 1024;

/** Whether an annotation may stand beside those that are there; one of its name gives way. */
export function fitsBeside(present: JsonObject, name: string, value: string): boolean {
  return (
    sizeWith(present, { name, value }, mostBytesOf) <= MAX_ANNOTATIONS_BYTES ||
    sizeWith(present, { name, value }, bytesOf) <= MAX_ANNOTATIONS_BYTES
  );
}

function sizeWith(
  present: JsonObject,
  added: { readonly name: string; readonly value: string },
  sizeOf: (name: string, value: string) => number,
): number {
  let size = sizeOf(added.name, added.value);
  for (const other of Object.keys(present)) {
    const text = present[other];
    if (other !== added.name && typeof text === 'string') size += sizeOf(other, text);
  }
  return size;
}

/** Three bytes of UTF-8 for each unit of UTF-16 at most: nearly always enough to know. */
function mostBytesOf(name: string, value: string): number {
  return 3 * (name.length + value.length);
}

function bytesOf(name: string, value: string): number {
  return Buffer.byteLength(name) + Buffer.byteLength(value);
}
