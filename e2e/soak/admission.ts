import type { RegistryName } from './fault-kind.ts';
import type { TagHistory } from './tag-history.ts';

export type Mode = 'pin' | 'enforce' | 'warn';

/** A tag that moves, and is asked for. */
export interface KnownTag {
  /** `HOST/REPOSITORY`, as a user writes it. */
  readonly name: string;
  readonly registry: RegistryName;
  readonly history: TagHistory;
}

/** An image as it was written, in one container. */
export interface AskedImage {
  readonly container: string;
  readonly image: string;
  /** What tagpin is to pin; undefined where it is to leave the image alone. */
  readonly tag: KnownTag | undefined;
}

/** What is known of a container before a change. */
export interface Before {
  readonly asked: string;
  readonly stored: string;
}

/** One create or change of an object, as its maker saw it. Times are on the clock of `Date.now()`. */
export interface Admission {
  /** The API server's audit ID. */
  readonly id: string;
  /** `Pod soak-pin/p-17`. */
  readonly what: string;
  readonly mode: Mode;
  readonly kind: 'Pod' | 'Deployment';
  readonly fromMs: number;
  readonly untilMs: number;
  readonly asked: readonly AskedImage[];
  /** By container; empty for what is new. */
  readonly before: Readonly<Record<string, Before>>;
  /** Nothing but a restart was asked for. */
  readonly isRestart: boolean;
  /** Since when there are others of the same controller, whose digest it may get. */
  readonly siblingsSinceMs?: number;
  readonly outcome: Outcome;
}

/** What became of it. */
export type Outcome =
  | {
      readonly kind: 'stored';
      /** By container. */
      readonly images: Readonly<Record<string, string>>;
      /** Undefined where nobody was there to read them. */
      readonly warnings: readonly string[] | undefined;
      /** The annotation `tagpin.dev/unpinned`: container to reason. */
      readonly unpinned: Readonly<Record<string, string>>;
    }
  | { readonly kind: 'refused'; readonly status: number; readonly message: string }
  /** No answer: it may be stored, or not. */
  | { readonly kind: 'broken'; readonly message: string };
