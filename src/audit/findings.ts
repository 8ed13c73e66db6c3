import type { Use } from './use.ts';

/** What can be said of an image of a workload. */
export type AuditState =
  | 'unpinned'
  | 'pinned_in_pods'
  | 'moved'
  | 'tag_gone'
  | 'gone'
  | 'untagged'
  | 'one_platform'
  | 'unknown';

export interface Finding {
  readonly state: AuditState;
  readonly use: Use;
  /** The digest that the tag has now, or what a registry answered. */
  readonly detail?: string;
}

/** All that an audit found. */
export interface AuditReport {
  readonly uses: readonly Use[];
  readonly findings: readonly Finding[];
  /** How many objects have more images than are read. */
  readonly unread: number;
  /** Of the nodes; undefined where they may not be listed. */
  readonly platforms: ReadonlySet<string> | undefined;
}

/** How a state is told, and how grave it is: notes fail no audit. */
export interface StateRule {
  readonly level: 'error' | 'warning' | 'note';
  /** In the middle of a sentence about the image. */
  readonly says: string;
  /** What to do. */
  readonly advice: string;
}

/** Exhaustive: a new state does not compile without its rule. */
export const STATE_RULES: Readonly<Record<AuditState, StateRule>> = {
  unpinned: {
    level: 'error',
    says: 'has no digest',
    advice: 'label its namespace, or run tagpin pin on its manifest',
  },
  pinned_in_pods: {
    level: 'note',
    says: 'has a tag in the template, and a digest in every Pod',
    advice: 'nothing, where tagpin is to leave templates alone',
  },
  moved: {
    level: 'note',
    says: 'was pinned to what its tag no longer names',
    advice: 'kubectl rollout restart takes the new digest',
  },
  tag_gone: {
    level: 'warning',
    says: 'was pinned from a tag that is not there any more',
    advice: 'name another tag before the digest is cleaned up',
  },
  gone: {
    level: 'error',
    says: 'is not in its registry any more: a new node cannot pull it',
    advice: 'push it again, or restart with what the tag names now',
  },
  untagged: {
    level: 'warning',
    says: 'is named by no tag: rules that clean up may delete it',
    advice: 'give it a tag that stays',
  },
  one_platform: {
    level: 'warning',
    says: 'is one platform of an index, and the nodes have several',
    advice: 'pin the digest of the index',
  },
  unknown: {
    level: 'error',
    says: 'could not be looked up',
    advice: 'see what the registry answered',
  },
};

/** Whether a finding is one that somebody has to mend. */
export function failsAudit({ state }: Finding): boolean {
  return STATE_RULES[state].level !== 'note';
}
