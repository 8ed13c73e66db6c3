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
  const told: object[] = [];
  for (const image of images) if (!SILENT.has(image.outcome)) told.push(auditOf(image));
  if (told.length === 0) return undefined;
  const text = JSON.stringify(told);
  return { images: text.length <= MAX_ANNOTATION_CHARS ? text : cut(told) };
}

/** What fits, and how many more there are. */
function cut(told: readonly object[]): string {
  const items: string[] = [];
  let chars = 0;
  for (const item of told) {
    const text = JSON.stringify(item);
    if (chars + text.length > MAX_ANNOTATION_CHARS) continue;
    chars += text.length + 1;
    items.push(text);
  }
  return `[${[...items, `{"more":${told.length - items.length}}`].join(',')}]`;
}

function auditOf({ place, decision, outcome, entry, answer, error }: SettledImage): object {
  const original = entry?.reference ?? ('original' in decision ? decision.original : place.image);
  const told = {
    container: place.key,
    outcome,
    reason: error?.code,
    original: original.slice(0, MAX_ORIGINAL_CHARS),
    digest: entry?.digest,
  };
  const result = answer?.result;
  if (result === undefined || !('digest' in result)) return told;
  const { digest, host, ageMs, stale } = result;
  const ageSeconds = Math.round(ageMs / 1000);
  return { ...told, digest: told.digest ?? digest, host, ageSeconds, stale: stale || undefined };
}
