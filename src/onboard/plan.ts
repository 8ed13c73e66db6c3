import { type JsonObject, textOf } from '../json.ts';
import { LABEL_PREFIX, MODE_LABEL } from '../workload/annotations.ts';
import { allowingFlags } from './allowing-flags.ts';
import type { Move } from './moves.ts';
import type { Outlook } from './outlook.ts';
import type { Owner } from './owners.ts';

/** What would become of one image, and what its Pods run that its tag does not name any more. */
export interface Forecast extends Outlook {
  readonly moves: readonly Move[];
}

/** What labelling a namespace would change. */
export interface OnboardPlan {
  readonly namespace: string;
  /** What it is labelled with already. */
  readonly mode: string | undefined;
  /** Templates are not for tagpin there: the namespace says so. */
  readonly podsAlone: boolean;
  /** What stays as it is. */
  readonly counts: { readonly pods: number; readonly templates: number };
  readonly next: readonly Forecast[];
  readonly failed: readonly Forecast[];
  /** The flags that would allow registries that are refused, as one line to paste. */
  readonly flags: string | undefined;
  readonly owners: readonly Owner[];
  readonly leftAlone: readonly Outlook[];
  /** How many images carry a digest already. */
  readonly pinned: number;
  /** How many objects had more images than are read. */
  readonly unread: number;
}

/** What was found out, for a plan to be made of it. */
export interface Gathered extends Pick<OnboardPlan, 'namespace' | 'counts' | 'owners' | 'unread'> {
  readonly labels: JsonObject | undefined;
  readonly forecasts: readonly Forecast[];
}

type Group = 'next' | 'failed' | 'leftAlone' | 'pinned' | 'owned';

/** Exhaustive: a new outcome does not compile without its group. */
const GROUPS: Readonly<Record<Outlook['outcome'], Group>> = {
  pinned: 'next',
  would_pin: 'next',
  refreshed: 'next',
  reused: 'next',
  sibling: 'next',
  failed: 'failed',
  already_pinned: 'pinned',
  refresh_failed: 'pinned',
  unchanged: 'pinned',
  skipped: 'leftAlone',
  never_pulled: 'leftAlone',
  not_an_image: 'leftAlone',
  immutable: 'leftAlone',
  contended: 'leftAlone',
  mirror: 'leftAlone',
  deleting: 'leftAlone',
  owned: 'leftAlone',
  foreign_owner: 'owned',
};

/** Puts what was found out in groups. */
export function planOf({ labels, forecasts, ...gathered }: Gathered): OnboardPlan {
  const groups = Map.groupBy(forecasts, ({ outcome }) => GROUPS[outcome]);
  return {
    ...gathered,
    mode: textOf(labels, MODE_LABEL),
    podsAlone: textOf(labels, `${LABEL_PREFIX}level`) === 'pods',
    next: groups.get('next') ?? [],
    failed: groups.get('failed') ?? [],
    flags: allowingFlags(forecasts.flatMap(({ error }) => error ?? [])),
    leftAlone: groups.get('leftAlone') ?? [],
    pinned: groups.get('pinned')?.length ?? 0,
  };
}

/** Whether all could be pinned that does not say itself that it is to be left alone. */
export function canBePinned({ failed, owners, unread }: OnboardPlan): boolean {
  return failed.length === 0 && unread === 0 && !owners.some(({ leftAlone }) => leftAlone);
}
