import type { PinError } from '../errors.ts';
import { quoted } from '../image/printable.ts';

/** The longest reference stays below. */
const MAX_NAME_CHARS = 800;

/** What is said on standard error of an image that failed. */
export function failureLine(image: string, { message, advice, code }: PinError): string {
  return `tagpin: ${quoted(image, MAX_NAME_CHARS)}: ${message}; ${advice} [${code}]\n`;
}

/** What is said of bytes that nobody read to their end, where their digest would be known. */
export function unreadLine(image: string): string {
  const name = quoted(image, MAX_NAME_CHARS);
  return `tagpin: ${name}: nobody read on, so it is not known whether it has its digest\n`;
}
