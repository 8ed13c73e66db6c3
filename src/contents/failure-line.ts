import type { PinError } from '../errors.ts';
import { quoted } from '../image/printable.ts';

/** The longest reference stays below. */
const MAX_NAME_CHARS = 800;

/** What is said on standard error of an image that failed. */
export function failureLine(image: string, { message, advice, code }: PinError): string {
  return `tagpin: ${quoted(image, MAX_NAME_CHARS)}: ${message}; ${advice} [${code}]\n`;
}
