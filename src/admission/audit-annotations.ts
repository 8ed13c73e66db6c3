import type { ImageOutcome } from './policy.ts';
import type { SettledImage } from './settle.ts';

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
const MAX_ORIGINAL_CHARS = 512;

/**
 * Which digest each image got, and by whom: JSON in one annotation, `images`, whose last item is
 * `{"more":N}` where not all fit. Undefined where there is nothing to tell, so that a
 * webhook that is called again for an object that it has pinned tells nothing else of it.
 */
export function auditAnnotationsOf(images: readonly SettledImage[]): AuditAnnotations | undefined {
  let text = '';
  let more = 0;
  for (const image of images) {
    if (SILENT.has(image.outcome)) continue;
    const item = JSON.stringify(auditOf(image));
    if (text.length + item.length > MAX_ANNOTATION_CHARS) more += 1;
    else text += text === '' ? item : `,${item}`;
  }
  if (more > 0) text += `${text === '' ? '' : ','}{"more":${more}}`;
  return text === '' ? undefined : { images: `[${text}]` };
}

function auditOf({ place, decision, outcome, entry, answer, error }: SettledImage): object {
  const original = entry?.reference ?? ('original' in decision ? decision.original : place.image);
  const result = answer?.result;
  const found = result !== undefined && 'digest' in result ? result : undefined;
  return {
    container: place.key,
    outcome,
    reason: error?.code,
    original: original.slice(0, MAX_ORIGINAL_CHARS),
    digest: entry?.digest ?? found?.digest,
    host: found?.host,
    ageSeconds: found === undefined ? undefined : Math.round(found.ageMs / 1000),
    stale: found?.stale === true ? true : undefined,
  };
}
