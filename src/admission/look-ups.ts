import { PinError } from '../errors.ts';
import {
  type ImageReference,
  isShortName,
  normalizedName,
  normalizedTag,
} from '../image/reference.ts';
import type { Decision } from './decide.ts';
import { MAX_LOOKUPS_PER_REVIEW, MAX_PULL_SECRETS } from './policy.ts';
import type { ImageQuestion, LookUpPhases, ResolveImage } from './ports.ts';
import type { Answer } from './settle.ts';
import type { Subject } from './subject.ts';

export interface LookUpParts {
  readonly resolve: ResolveImage;
  /** Fails images whose text names no registry: the nodes may look for them elsewhere. */
  readonly refusesShortNames: boolean;
  /** The clock of `performance.now()`, in milliseconds. */
  readonly now: () => number;
}

/** The answer for one image: none for one that needs no look-up. */
export type PendingAnswer = Answer | undefined | Promise<Answer>;

/** Asks for all images at the same time, and once for images that are the same. */
export function lookUpAll(
  parts: LookUpParts,
  call: {
    readonly startedAtMs: number;
    readonly deadlineAtMs: number;
  },
  asked: {
    readonly subject: Subject;
    readonly decisions: readonly Decision[];
  },
): PendingAnswer[] {
  const { startedAtMs, deadlineAtMs } = call;
  const { identity } = asked.subject;
  let phases: Map<ImageReference, LookUpPhases> | undefined;
  const question: ImageQuestion = {
    identity,
    deadlineAtMs,
    notBeforeMs: asked.subject.refreshAsked ? startedAtMs : undefined,
    observe: (reference, phase, ms) => {
      phases ??= new Map();
      const known = phases.get(reference) ?? NO_TIME;
      phases.set(reference, { ...known, [phase]: known[phase] + ms });
    },
  };
  const refuseAll = identity.pullSecrets.length > MAX_PULL_SECRETS;
  const byTag = new Map<string, PendingAnswer>();
  // What is known at once is known at the same time: the clock is read once for all of it.
  const atOnceMs = parts.now() - startedAtMs;
  return asked.decisions.map((decision) => {
    if (decision.act !== 'resolve' && decision.act !== 'refresh') return undefined;
    if (refuseAll) return TOO_MANY_SECRETS;
    const { reference } = decision;
    const tag = `${normalizedName(reference)}:${normalizedTag(reference)}`;
    if (parts.refusesShortNames && isShortName(decision.original)) return shortName(tag);
    const known = byTag.get(tag);
    if (known !== undefined) return known;
    if (byTag.size >= MAX_LOOKUPS_PER_REVIEW) return TOO_MANY_IMAGES;
    const result = parts.resolve(reference, question);
    const answer =
      result instanceof Promise
        ? result.then((late) => ({
            result: late,
            ms: parts.now() - startedAtMs,
            phases: phases?.get(reference),
          }))
        : { result, ms: atOnceMs };
    byTag.set(tag, answer);
    return answer;
  });
}

const NO_TIME: LookUpPhases = { secretMs: 0, queueMs: 0, tokenMs: 0, manifestMs: 0 };

function shortName(fullName: string): Answer {
  const message = `it names no registry; write ${fullName} if Docker Hub is meant`;
  return { result: new PinError('short_name', message, { asked: false }), ms: 0 };
}

const TOO_MANY_IMAGES: Answer = {
  result: new PinError(
    'too_many_images',
    `an object may name at most ${MAX_LOOKUPS_PER_REVIEW} images that need a look-up`,
  ),
  ms: 0,
};

const TOO_MANY_SECRETS: Answer = {
  result: new PinError(
    'too_many_secrets',
    `an object may name at most ${MAX_PULL_SECRETS} pull secrets`,
  ),
  ms: 0,
};
