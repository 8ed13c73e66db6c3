/** What an opted-in namespace asks for, by the value of its `tagpin.dev/mode` label. */
export const MODES = ['pin', 'enforce', 'warn'] as const;
export type Mode = (typeof MODES)[number];

/** Whether the value of that label opts a namespace in. */
export function isMode(text: string): text is Mode {
  return MODES.some((mode) => mode === text);
}

/** How the modes differ, in full. */
export interface ModePolicy {
  /** New pins are written. `warn` only keeps those that are there. */
  readonly writesPins: boolean;
  /** What one image that cannot be pinned does to the object. */
  readonly onFailure: 'admit' | 'deny';
  /** The skip annotation is honoured, whatever the operator says. */
  readonly honoursSkip: boolean;
  /** A Pod that its controller makes again and again is admitted with its tags at last. */
  readonly givesWay: boolean;
}

export const MODE_POLICIES: Readonly<Record<Mode, ModePolicy>> = {
  pin: { writesPins: true, onFailure: 'admit', honoursSkip: true, givesWay: true },
  enforce: { writesPins: true, onFailure: 'deny', honoursSkip: false, givesWay: false },
  warn: { writesPins: false, onFailure: 'admit', honoursSkip: true, givesWay: false },
};

/**
 * What became of one image. Also the `outcome` label of the metrics, where a review shows the
 * first of its images' outcomes in this order: what somebody should look at stands first.
 */
export const IMAGE_OUTCOMES = [
  'failed',
  'contended',
  'refresh_failed',
  'refreshed',
  'pinned',
  'would_pin',
  'sibling',
  'reused',
  'already_pinned',
  'unchanged',
  'immutable',
  'skipped',
  'never_pulled',
  'not_an_image',
] as const;
export type ImageOutcome = (typeof IMAGE_OUTCOMES)[number];

/** Why a whole object is left untouched. */
export type ObjectOutcome = 'owned' | 'mirror' | 'deleting' | 'foreign_owner';

/** What became of a review: `denied`, an outcome of the above, or `no_images`. */
export type ReviewOutcome = 'denied' | ImageOutcome | ObjectOutcome | 'no_images';

export function reviewOutcome(images: readonly ImageOutcome[]): ReviewOutcome {
  return IMAGE_OUTCOMES.find((outcome) => images.includes(outcome)) ?? 'no_images';
}

/** More images to look up than this in one object is no workload; the rest fail, each by name. */
export const MAX_LOOKUPS_PER_REVIEW = 100;

/** Each is a read from the API server; a Pod of a tenant must not order thousands of them. */
export const MAX_PULL_SECRETS = 100;
