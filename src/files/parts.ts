import type { Finding } from './finding.ts';
import type { Written } from './manifest.ts';
import type { ObjectName } from './objects.ts';
import { slotBehind, slotOf } from './slot.ts';

/** An image that a file holds in parts: a repository, a tag, and a digest that may be missing. */
export interface Parts {
  readonly path: readonly string[];
  readonly label: string;
  readonly object: ObjectName;
  readonly repository: string;
  readonly tagField: string;
  /** A tag that is written as a number is read as it is spelt; otherwise it is refused. */
  readonly numberIsText: boolean;
}

/** Adds the image of a map of parts; its slot is that of `digest`, there or to be added. */
export function digestSlot(finding: Finding, parts: Parts): void {
  const { text, document } = finding;
  const tagValue = document.at([...parts.path, parts.tagField]);
  const digestValue = document.at([...parts.path, 'digest']);
  const tag = tagText(finding, parts, tagValue);
  const digest = typeof digestValue?.value === 'string' ? digestValue.value : '';
  const beside = digestValue ?? tagValue;
  if (beside === undefined || tag === undefined || `${tag}${digest}` === '') return;
  const position = finding.positionOf(beside.start);
  const slot = digestValue ? slotOf(text, digestValue) : slotBehind(text, beside, 'digest');
  if (slot === undefined) {
    finding.faults.push({ ...position, message: `${parts.label} has no place for a digest` });
    return;
  }
  const { label, object, repository } = parts;
  const { start, end, before, after } = slot;
  finding.images.push({
    ...position,
    document: document.index,
    object,
    path: `/${parts.path.join('/')}`,
    label,
    reference: `${repository}${tag && `:${tag}`}${digest && `@${digest}`}`,
    holds: 'digest',
    slot: { start, end, before, after },
  });
}

/** The tag, empty where there is none; undefined where it cannot be told, which is noted. */
function tagText(
  { text, positionOf, faults }: Finding,
  { label, numberIsText, tagField }: Parts,
  tag: Written | undefined,
): string | undefined {
  if (tag === undefined || tag.value === null) return '';
  if (typeof tag.value === 'string') return tag.value;
  if (numberIsText && typeof tag.value === 'number') return text.slice(tag.start, tag.end);
  const message = `${tagField} of ${label} is no text: write it in quotes`;
  faults.push({ ...positionOf(tag.start), message });
  return undefined;
}
