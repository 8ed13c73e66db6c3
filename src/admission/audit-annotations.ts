import { printableJson } from '../image/printable.ts';
import type { ImageOutcome } from './policy.ts';
import type { ResolvedImage } from './ports.ts';
import { foundFor, originalOf, type SettledImage } from './settle.ts';

/** What the API server is to write into its audit log; it puts the webhook's name before each key. */
export type AuditAnnotations = Readonly<Record<'images', string>>;

/** Images of which nothing is told: they were left as they came. */
const SILENT: ReadonlySet<ImageOutcome> = new Set([
  'already_pinned',
  'immutable',
  'never_pulled',
  'not_an_image',
  'skipped',
  'unchanged',
]);

/** An audit log keeps every byte of every request: what is left out is counted. */
const MAX_ANNOTATION_CHARS = 4096;
const MAX_TEXT_CHARS = 512;
/** Names of containers come here before the API server has validated them, and images need not be any. */
const PLAIN = /^[\w.:/@-]{1,512}$/;

/**
 * Which digest each image got, and by whom: `name=value` with spaces between them, and `; ` between
 * images, so that nothing is escaped inside of an audit log's JSON. Undefined where there is nothing
 * to tell, so that a webhook that is called again for an object that it has pinned tells nothing
 * else of it.
 */
export function auditAnnotationsOf(images: readonly SettledImage[]): AuditAnnotations | undefined {
  let text = '';
  let more = 0;
  for (const image of images) {
    if (SILENT.has(image.outcome)) continue;
    const told = auditOf(image);
    if (text === '') text = told;
    else if (text.length + told.length > MAX_ANNOTATION_CHARS) more += 1;
    else text += `; ${told}`;
  }
  if (text === '') return undefined;
  return { images: more === 0 ? text : `${text}; and ${more} more` };
}

function auditOf(image: SettledImage): string {
  const { place, outcome, entry, error } = image;
  const original = originalOf(image);
  let text = `container=${plain(place.key)} outcome=${outcome} original=${plain(original)}`;
  if (error !== undefined) text += ` reason=${error.code}`;
  const found = foundFor(image);
  const digest = entry?.digest ?? found?.digest;
  if (digest !== undefined) text += ` digest=${digest}`;
  return found === undefined ? text : text + tellerOf(found);
}

function tellerOf({ host, ageMs, stale }: ResolvedImage): string {
  const text = ` host=${plain(host)} age=${Math.round(ageMs / 1000)}s`;
  return stale ? `${text} stale=true` : text;
}

/** Text that looks like more than one value stands in quotes. */
function plain(text: string): string {
  return PLAIN.test(text) ? text : printableJson(text.slice(0, MAX_TEXT_CHARS));
}
