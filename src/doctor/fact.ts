import { commandOf } from '../shell.ts';
import type { CheckId, Finding } from './finding.ts';

/** Something that was looked for in the cluster. */
export type Fact<T> =
  | { readonly state: 'read'; readonly value: T }
  | { readonly state: 'absent' }
  | Unread;

/** What could not be looked at. */
export interface Unread {
  readonly state: 'unread';
  readonly why: string;
  /** The right that whoever asks lacks, as `kubectl auth can-i` takes it. */
  readonly right?: string | undefined;
}

/** The value of a fact; undefined where there is none. */
export function valueOf<T>(fact: Fact<T>): T | undefined {
  return fact.state === 'read' ? fact.value : undefined;
}

/** What is told of a check that could not be made. */
export function notLookedAt(id: CheckId, { why, right }: Unread, about?: string): Finding {
  return {
    id,
    about,
    status: 'warning',
    says: `not looked at: ${why}`,
    ...(right !== undefined && {
      advice: `have somebody run this who may ${right}`,
      command: commandOf('kubectl', 'auth', 'can-i', ...right.split(' ')),
    }),
  };
}

/** What is told of a check that has nothing to look at, because of another one. */
export function followsFrom(id: CheckId, cause: CheckId, about?: string): Finding {
  return {
    id,
    about,
    status: 'warning',
    says: `not looked at, because ${cause} failed`,
    advice: `mend ${cause} first, and run this again`,
  };
}
