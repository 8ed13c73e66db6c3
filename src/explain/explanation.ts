import { PinError, toPinError } from '../errors.ts';
import {
  type ImageReference,
  isShortName,
  normalizedName,
  normalizedTag,
  parseReference,
} from '../image/reference.ts';
import type { Resolution, Resolver } from '../resolve/resolver.ts';
import type { PullIdentity } from './identity.ts';
import type { Recorder } from './recorder.ts';

/** What is to be explained, and for whom. */
export interface ExplainQuestion {
  readonly image: string;
  /** Undefined: no cluster is asked, and a person's own credentials count alone. */
  readonly namespace: string | undefined;
  /** Whose pull secrets: those of this Pod, or of this ServiceAccount; `default` where none is named. */
  readonly pod: string | undefined;
  readonly serviceAccount: string | undefined;
}

/** What the webhook would do with the image. */
export type ExplainAnswer =
  | { readonly outcome: 'pinned'; readonly found: Resolution }
  | { readonly outcome: 'already_pinned' | 'skipped'; readonly message: string }
  | { readonly outcome: 'failed'; readonly error: PinError };

export interface ExplainParts {
  readonly recorder: Pick<Recorder, 'image'>;
  readonly resolver: Resolver;
  /** On the normalised name. */
  readonly isSkipped: (name: string) => boolean;
  readonly refusesShortNames: boolean;
}

/** An image, and the circumstances in which it is looked up. */
export interface Explained {
  readonly image: string;
  /** Whose credentials it is looked up with; asked for where they count. */
  readonly identity: () => Promise<PullIdentity>;
  /** On the clock of `performance.now()`, in milliseconds. */
  readonly deadlineAtMs: number;
}

/** Looks an image up as the webhook does. Throws PinError where the question itself is wrong. */
export async function explain(
  parts: ExplainParts,
  { image, identity, deadlineAtMs }: Explained,
): Promise<ExplainAnswer> {
  try {
    const reference = parseReference(image);
    parts.recorder.image(reference);
    const untouched = untouchedBy(parts, reference);
    if (untouched !== undefined) return untouched;
    if (parts.refusesShortNames && isShortName(image)) throw shortName(reference);
    const question = { identity: await identity(), deadlineAtMs, notBeforeMs: undefined };
    const found = await parts.resolver.resolve(reference, question);
    if (found instanceof PinError) throw found;
    return { outcome: 'pinned', found };
  } catch (caught) {
    const error = toPinError(caught);
    // A mistake in the command line, or in the settings.
    if (error.code === 'invalid_config') throw error;
    return { outcome: 'failed', error };
  }
}

/** What needs no look-up. */
function untouchedBy(
  { isSkipped }: ExplainParts,
  reference: ImageReference,
): ExplainAnswer | undefined {
  if (reference.digest !== undefined) {
    return { outcome: 'already_pinned', message: 'it carries a digest: nothing is looked up' };
  }
  if (!isSkipped(normalizedName(reference))) return undefined;
  return { outcome: 'skipped', message: 'it is on the list of --skip: nothing is looked up' };
}

function shortName(reference: ImageReference): PinError {
  const full = `${normalizedName(reference)}:${normalizedTag(reference)}`;
  const message = `it names no registry; write ${full} if Docker Hub is meant`;
  return new PinError('short_name', message, { asked: false });
}
