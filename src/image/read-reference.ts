import { PinError } from '../errors.ts';
import { type ImageReference, parseReference } from './reference.ts';

/** The reference that a text is, or undefined where it is none. */
export function readReference(text: string): ImageReference | undefined {
  try {
    return parseReference(text);
  } catch (caught) {
    if (caught instanceof PinError) return undefined;
    throw caught;
  }
}
