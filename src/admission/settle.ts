import { PinError } from '../errors.ts';
import { type ReferenceForm, withDigest } from '../image/reference.ts';
import type { ImagePlace } from '../workload/locations.ts';
import type { Original } from '../workload/originals.ts';
import type { Decision } from './decide.ts';
import { type ImageOutcome, MODE_POLICIES, type Mode } from './policy.ts';
import type { LookUpPhases, ResolvedImage } from './ports.ts';

/** The answer to a look-up, and how long after the review's arrival it came. */
export interface Answer {
  readonly result: ResolvedImage | PinError;
  readonly ms: number;
  /** Where the time went; undefined where the answer was known at once. */
  readonly phases?: LookUpPhases | undefined;
}

/** One image after the decision: what will stand in the field, and what is known of it. */
export interface Settled {
  readonly place: ImagePlace;
  readonly outcome: ImageOutcome;
  /** The text that will stand in the field. */
  readonly image: string;
  /** The entry that this review itself found or made. */
  readonly entry?: Original | undefined;
}

/** One image with its decision carried out. */
export interface SettledImage extends Settled {
  readonly decision: Decision;
  readonly answer: Answer | undefined;
  /** Why it could not be resolved; the old pin may stand all the same. */
  readonly error: PinError | undefined;
  /** In mode `warn`: the pin that would have been written. */
  readonly wouldBe?: string;
}

/** As it was written, before any pin. */
export function originalOf({ entry, decision, place }: SettledImage): string {
  return entry?.reference ?? ('original' in decision ? decision.original : place.image);
}

/** What its look-up found. */
export function foundFor({ answer }: SettledImage): ResolvedImage | undefined {
  const result = answer?.result;
  return result !== undefined && 'digest' in result ? result : undefined;
}

/** Carries a decision out, with the answer of its look-up where it asked for one. */
export function settle(
  place: ImagePlace,
  decided: { readonly decision: Decision; readonly answer: Answer | undefined },
  how: { readonly mode: Mode; readonly form: ReferenceForm },
): SettledImage {
  const { decision, answer } = decided;
  const base = { place, decision, answer, image: place.image, entry: undefined, error: undefined };
  switch (decision.act) {
    case 'leave':
      return { ...base, outcome: decision.outcome };
    case 'reuse':
      return { ...base, outcome: 'reused', ...decision.pin };
    case 'adopt': {
      const entry = { reference: decision.original, digest: decision.digest };
      const image = withDigest(decision.original, decision.digest, how.form);
      return { ...base, outcome: 'sibling', image, entry };
    }
    case 'refuse':
      return { ...base, outcome: 'failed', error: decision.error };
    case 'resolve':
    case 'refresh':
      return settleLookup(base, decision, how);
    default:
      return decision satisfies never;
  }
}

type Lookup = Extract<Decision, { act: 'resolve' | 'refresh' }>;

function settleLookup(
  base: Omit<SettledImage, 'outcome'>,
  decision: Lookup,
  how: { readonly mode: Mode; readonly form: ReferenceForm },
): SettledImage {
  const result = base.answer?.result ?? new PinError('internal', 'No look-up was made');
  if (result instanceof PinError) {
    // Never from a pin to a tag: a pin that is there stays, whatever fails.
    return decision.act === 'refresh'
      ? { ...base, outcome: 'refresh_failed', error: result, ...decision.pin }
      : { ...base, outcome: 'failed', error: result };
  }
  const image = withDigest(decision.original, result.digest, how.form);
  if (!MODE_POLICIES[how.mode].writesPins) return { ...base, outcome: 'would_pin', wouldBe: image };
  const entry = { reference: decision.original, digest: result.digest };
  return { ...base, image, entry, outcome: decision.act === 'refresh' ? 'refreshed' : 'pinned' };
}
