import { PinError, toPinError } from '../errors.ts';
import {
  type ImageReference,
  isShortName,
  normalizedName,
  normalizedTag,
  parseReference,
} from '../image/reference.ts';
import type { Resolution, Resolver } from '../resolve/resolver.ts';
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

/** Whose credentials the image is looked up with. */
type Identity = Parameters<Resolver['resolve']>[1]['identity'];

export interface ExplainParts {
  readonly recorder: Pick<Recorder, 'image' | 'read'>;
  readonly resolver: Resolver;
  /** On the normalised name. */
  readonly isSkipped: (name: string) => boolean;
  readonly refusesShortNames: boolean;
  /** The names of the pull secrets of a Pod; undefined where there is no such Pod. */
  readonly podSecrets: (namespace: string, name: string) => Promise<readonly string[] | undefined>;
  /** The clock of `performance.now()`, in milliseconds. */
  readonly now: () => number;
}

/** As the webhook is called: the `timeoutSeconds` of its entries. */
const PATIENCE_MS = 10_000;

/** Looks an image up as the webhook does. Throws PinError where the question itself is wrong. */
export async function explain(
  parts: ExplainParts,
  question: ExplainQuestion,
): Promise<ExplainAnswer> {
  try {
    const reference = parseReference(question.image);
    parts.recorder.image(reference);
    const untouched = untouchedBy(parts, reference);
    if (untouched !== undefined) return untouched;
    if (parts.refusesShortNames && isShortName(question.image)) throw shortName(reference);
    const found = await lookUp(parts, question, reference);
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

async function lookUp(
  parts: ExplainParts,
  question: ExplainQuestion,
  reference: ImageReference,
): Promise<Resolution | PinError> {
  const deadlineAtMs = parts.now() + PATIENCE_MS;
  const identity = await identityOf(parts, question);
  return parts.resolver.resolve(reference, { identity, deadlineAtMs, notBeforeMs: undefined });
}

/**
 * Of a Pod its own list alone, for the API server has copied its ServiceAccount's (kubernetes
 * plugin/pkg/admission/serviceaccount); of a template without a list, its ServiceAccount's.
 */
async function identityOf(
  { recorder, podSecrets }: ExplainParts,
  { namespace, pod, serviceAccount }: ExplainQuestion,
): Promise<Identity> {
  if (namespace === undefined) return NOBODY;
  if (pod === undefined) {
    return { namespace, pullSecrets: [], serviceAccount: serviceAccount ?? 'default' };
  }
  const pullSecrets = await recorder.read({
    kind: 'Pod',
    namespace,
    name: pod,
    act: () => podSecrets(namespace, pod),
    pullSecretsOf: (names) => names,
  });
  if (pullSecrets !== undefined) return { namespace, pullSecrets, serviceAccount: undefined };
  throw new PinError('invalid_config', `there is no Pod ${JSON.stringify(`${namespace}/${pod}`)}`);
}

/** A person, who has no pull secrets. */
const NOBODY: Identity = { namespace: '', pullSecrets: [], serviceAccount: undefined };
