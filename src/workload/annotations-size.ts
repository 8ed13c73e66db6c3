import type { JsonObject } from '../json.ts';

/** Of all annotations of an object (kubernetes apimachinery, ValidateAnnotationsSize). */
const MAX_ANNOTATIONS_BYTES = 256 * 1024;

/** Whether an annotation may stand beside those that are there; one of its name gives way. */
export function fitsBeside(present: JsonObject, name: string, value: string): boolean {
  let bytes = bytesOf(name, value);
  for (const [other, text] of Object.entries(present)) {
    if (other !== name && typeof text === 'string') bytes += bytesOf(other, text);
  }
  return bytes <= MAX_ANNOTATIONS_BYTES;
}

function bytesOf(name: string, value: string): number {
  return Buffer.byteLength(name) + Buffer.byteLength(value);
}
