import { computeDigest } from '../image/digest.ts';
import { canonicalJson, textOf } from '../json.ts';
import {
  ORIGINALS_ANNOTATION,
  REFRESH_ANNOTATIONS,
  REFRESH_POLICY_ANNOTATION,
} from '../workload/annotations.ts';
import { withImages } from '../workload/locations.ts';
import { countingEntry } from '../workload/originals.ts';
import type { StoredState, TemplateState } from './stored.ts';

/**
 * What resolves the originals of a template again: `restart` is `kubectl rollout restart` and the
 * annotation, `rollout` these and any change that starts a rollout anyway.
 */
export const REFRESH_POLICIES = ['restart', 'annotation', 'rollout', 'never'] as const;
export type RefreshPolicy = (typeof REFRESH_POLICIES)[number];

/** The keys of REFRESH_ANNOTATIONS that ask for a refresh. */
const ASKING_KEYS: Readonly<Record<RefreshPolicy, readonly string[]>> = {
  restart: ['@restartedAt', '@refresh'],
  annotation: ['@refresh'],
  rollout: ['@restartedAt', '@refresh'],
  never: [],
};

/** The key of the record under which `rollout` keeps which template was resolved for. */
const TEMPLATE_KEY = '@template';

/** The policy of a template: its own where its annotation names one, else the operator's. */
export function refreshPolicyOf(now: TemplateState, standard: RefreshPolicy): RefreshPolicy {
  const own = textOf(now.template.annotations, REFRESH_POLICY_ANNOTATION);
  return REFRESH_POLICIES.find((policy) => policy === own) ?? standard;
}

/** The annotation's value, where it names no policy that there is. */
export function unknownRefreshPolicy(now: TemplateState): string | undefined {
  const own = textOf(now.template.annotations, REFRESH_POLICY_ANNOTATION);
  return REFRESH_POLICIES.some((policy) => policy === own) ? undefined : own;
}

/**
 * A refresh is asked for by a value that is new both against the stored object and against the
 * record: an undo restores record and value together, so it asks for nothing. No clock is involved.
 */
export function asksForRefresh(
  policy: RefreshPolicy,
  templates: {
    readonly now: TemplateState;
    readonly before: StoredState;
    readonly changedBeyondPins: boolean;
  },
): boolean {
  const { now, before, changedBeyondPins } = templates;
  const answered = (now.record ?? before.record)?.refreshed;
  const isAsked = [...REFRESH_ANNOTATIONS].some(([key, annotation]) => {
    const value = textOf(now.template.annotations, annotation);
    return (
      ASKING_KEYS[policy].includes(key) &&
      value !== undefined &&
      value !== textOf(before.template.annotations, annotation) &&
      value !== answered?.get(key)
    );
  });
  return isAsked || (policy === 'rollout' && changedBeyondPins && !bringsRecord(now, before));
}

/**
 * An undo brings the template of another revision with the record of that revision, which may be
 * older than the policy; so does a second call in one review, after ours has been answered. Any
 * other update has the stored record, or none, or one that its own images do not have.
 */
function bringsRecord({ template, places, record }: TemplateState, before: TemplateState): boolean {
  const text = textOf(template.annotations, ORIGINALS_ANNOTATION);
  const stored = textOf(before.template.annotations, ORIGINALS_ANNOTATION);
  if (text === stored) return false;
  return places.some(({ key, image }) => countingEntry(record, key, image) !== undefined);
}

/** The refresh values of a template, by their keys in the record. */
export function refreshValuesOf(now: TemplateState, policy: RefreshPolicy): Map<string, string> {
  const values = new Map<string, string>();
  for (const [key, annotation] of REFRESH_ANNOTATIONS) {
    const value = textOf(now.template.annotations, annotation);
    if (value !== undefined) values.set(key, value);
  }
  // Else the records of two revisions with one digest would be the same, and an undo no undo.
  if (policy === 'rollout') values.set(TEMPLATE_KEY, fingerprintOf(now));
  return values;
}

const FINGERPRINT_CHARS = 16;

/** Of a template but for its images and its record, which tagpin itself changes. */
function fingerprintOf({ template, places }: TemplateState): string {
  const whole = withImages(template, new Map(places.map(({ pointer }) => [pointer, ''])));
  const annotations = { ...template.annotations, [ORIGINALS_ANNOTATION]: undefined };
  const bytes = Buffer.from(
    canonicalJson({ ...whole, metadata: { ...template.metadata, annotations } }),
  );
  return computeDigest(bytes).slice('sha256:'.length, 'sha256:'.length + FINGERPRINT_CHARS);
}
