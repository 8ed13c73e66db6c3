import {
  EXPLAIN_ANNOTATION,
  REFRESH_POLICY_ANNOTATION,
  SKIP_ANNOTATION,
} from '../workload/annotations.ts';

/**
 * Every warning that a review can bring. A test holds the table of docs/messages.md against these: a
 * parameter's name is what stands there in capitals.
 */
export const WARNINGS = {
  tagStays: (failure: string, code: string): string => `${failure}; the tag stays [${code}]`,
  oldPinStays: (failure: string, code: string): string => `${failure}; the old pin stays [${code}]`,
  wouldBePinned: (place: string, image: string): string => `${place} would be pinned to ${image}`,
  oldDigest: (place: string, seconds: number): string =>
    `${place} is pinned to the digest known ${seconds} s ago: its registry does not answer`,
  /** Behind it stands what takes the new digest. */
  tagMoved: (place: string, tag: string, seconds: number): string =>
    `${place} keeps its pin, though ${tag} named another digest ${seconds} s ago`,
  contended: (kind: string): string =>
    `the controller (${kind}) of this Pod makes it anew again and again, as if it compared images: ` +
    `it keeps its tags. Annotate its Pods ${SKIP_ANNOTATION}: "true", or write the digest into its spec [contended]`,
  recordTooLong: (): string =>
    'the record of originals is too long to be kept: tags are left beside the digests in its place, and a restart does not resolve them again',
  skipIgnored: (mode: string): string =>
    `${SKIP_ANNOTATION} is ignored in a namespace of mode ${mode}`,
  unknownPolicy: (): string =>
    `${REFRESH_POLICY_ANNOTATION} is not "restart", "annotation", "rollout" or "never"`,
  misplaced: (annotation: string, kind: string): string =>
    `${annotation} has no effect in the metadata of a ${kind}, only in that of its pod template:`,
  /** `tagpin explain --via-webhook` knows it by its beginning. */
  explainsNothing: (): string =>
    `${EXPLAIN_ANNOTATION}: this webhook explains nothing: it runs without --explain-in-dry-run`,
  leftOut: (count: number): string => `and ${count} more like these`,
} as const;

/** Every refusal of the webhook, in the same way. */
export const DENIALS = {
  notPinned: (failures: string, action: string, code: string): string =>
    `${failures}: ${action} [${code}]`,
  notByDigest: (violations: string): string =>
    `${violations}\nWrite the image as NAME@sha256:…, in the spec of whatever made the Pod [unpinned]`,
  explained: (summary: string): string =>
    `this dry run asks for an explanation, which tagpin explain --via-webhook shows: ${summary}`,
} as const;

/** Why an image was not pinned, in both. */
export function failureText(image: string, place: string, message: string): string {
  return `Cannot resolve ${image} for ${place}: ${message}`;
}
