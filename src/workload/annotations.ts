/**
 * Every label and annotation lives under this prefix. The manifests repeat it, and a test compares
 * the two; it is a name, not a web address.
 */
export const LABEL_PREFIX = 'tagpin.dev/';

/** The label of a namespace that opts it in. */
export const MODE_LABEL: string = `${LABEL_PREFIX}mode`;

/** What each pinned image was before: see originals.ts. */
export const ORIGINALS_ANNOTATION: string = `${LABEL_PREFIX}originals`;

/** `"true"`, or the names of containers that are to be left alone, with commas between them. */
export const SKIP_ANNOTATION: string = `${LABEL_PREFIX}skip`;

/** On a Pod that was admitted with a tag: container name to reason, as JSON. */
export const UNPINNED_ANNOTATION: string = `${LABEL_PREFIX}unpinned`;

/**
 * On a Pod that is created in a dry run: the name of the container whose image is to be explained. It
 * means nothing anywhere else.
 */
export const EXPLAIN_ANNOTATION: string = `${LABEL_PREFIX}explain`;

/** How a template's pins are refreshed, in place of the operator's setting: see refresh.ts. */
export const REFRESH_POLICY_ANNOTATION: string = `${LABEL_PREFIX}refresh-policy`;

/** The kubelet's mark on Pods that it made itself from a file; their spec may not be changed. */
export const MIRROR_ANNOTATION = 'kubernetes.io/config.mirror';

/** A new value in a pod template asks for a new look-up. */
export const REFRESH_ANNOTATION: string = `${LABEL_PREFIX}refresh`;

/**
 * The annotations of a pod template whose new value asks for a new look-up, each with the key under
 * which the record keeps the value that was last answered.
 */
export const REFRESH_ANNOTATIONS: ReadonlyMap<string, string> = new Map([
  ['@restartedAt', 'kubectl.kubernetes.io/restartedAt'],
  ['@refresh', REFRESH_ANNOTATION],
]);
