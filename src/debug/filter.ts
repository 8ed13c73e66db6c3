import type { PastReview } from './past-reviews.ts';

/** Which decisions are to be seen; empty texts let all by. */
export interface DecisionFilter {
  readonly namespace: string;
  /** An outcome, or a reason, of the review or of one of its images. */
  readonly why: string;
  /** Part of a name, an image, a digest, a registry. */
  readonly text: string;
}

/** Of a query of a URL; what is absurdly long is cut. */
export function readFilter(query: URLSearchParams): DecisionFilter {
  const field = (name: keyof DecisionFilter): string => (query.get(name) ?? '').slice(0, MAX_CHARS);
  return { namespace: field('namespace'), why: field('why'), text: field('text') };
}

const MAX_CHARS = 256;

export function passes(decision: PastReview, { namespace, why, text }: DecisionFilter): boolean {
  if (namespace !== '' && decision.namespace !== namespace) return false;
  if (why !== '' && !whysOf(decision).includes(why)) return false;
  return text === '' || searchedTextOf(decision).includes(text.toLowerCase());
}

/** Outcomes and reasons of a decision, each once. */
export function whysOf({ outcome, images }: PastReview): readonly string[] {
  const ofImages = images.flatMap((image) => [image.outcome, image.reason]);
  return [...new Set([outcome, ...ofImages])].filter((why) => why !== '');
}

/** What is searched, in lower case. */
export function searchedTextOf({ name, kind, namespace, uid, images }: PastReview): string {
  const ofImages = images.flatMap(({ container, original, digest, registry }) => [
    container,
    original,
    digest ?? '',
    registry ?? '',
  ]);
  return [name, kind, namespace, uid, ...ofImages].join(' ').toLowerCase();
}
