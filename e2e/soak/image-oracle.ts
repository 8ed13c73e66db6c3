import { ERROR_RULES } from '../../src/error-codes.ts';
import type { Admission, AskedImage, KnownTag } from './admission.ts';
import type { Said } from './said.ts';
import { momentOf, type Span } from './tag-history.ts';
import type { Timeline } from './timeline.ts';

/** What must never happen. */
export interface Finding {
  readonly verdict: 'wrong' | 'lost' | 'unexplained';
  readonly text: string;
}

export interface OracleParts {
  readonly timeline: Timeline;
  /** As the replicas were told. */
  readonly cacheTtlMs: number;
  readonly staleIfErrorMs: number;
}

/** How long a missing tag may be remembered (`briefly` of src/resolve/cache.ts). */
const MISSING_MS = 5000;

/** What is said of one image. */
interface ImageVerdict {
  readonly finding?: Finding;
  /** It kept its tag, for a reason that tagpin gave. */
  readonly keptTag?: boolean;
  /** It kept its tag, and nobody said why. */
  readonly isSilent?: boolean;
}

export interface JudgedImage {
  readonly asked: AskedImage;
  /** What is stored. */
  readonly is: string;
  readonly said: Said;
  /** Warnings were read. */
  readonly isHeard: boolean;
}

function wrong(image: JudgedImage, why: string): ImageVerdict {
  const { container, image: asked } = image.asked;
  const text = `container "${container}" asked for ${asked} and has ${image.is}: ${why}`;
  return { finding: { verdict: 'wrong', text } };
}

function unexplained(image: JudgedImage, why: string): ImageVerdict {
  const { container, image: asked } = image.asked;
  const text = `container "${container}" asked for ${asked} and has ${image.is}: ${why}`;
  return { finding: { verdict: 'unexplained', text } };
}

/** Tells what is wrong with what is stored of one image. */
export function judgeImage(
  parts: OracleParts,
  admission: Admission,
  image: JudgedImage,
): ImageVerdict {
  const { asked, is } = image;
  const { tag } = asked;
  if (tag === undefined) return is === asked.image ? {} : wrong(image, 'it was to be left alone');
  if (admission.mode === 'warn') return judgeWarned(parts, admission, { ...image, tag });
  if (is === asked.image && !is.includes('@'))
    return judgeUnpinned(parts, admission, { ...image, tag });
  if (!is.startsWith(`${tag.name}@`)) return wrong(image, 'that is no pin of it');
  return judgePin(parts, admission, { ...image, tag });
}

type TaggedImage = JudgedImage & { readonly tag: KnownTag };

/** Mode `warn` stores what was written, and says what it would be. */
function judgeWarned(parts: OracleParts, admission: Admission, image: TaggedImage): ImageVerdict {
  const { asked, is, said, tag } = image;
  if (is !== asked.image) return wrong(image, 'mode warn changes nothing');
  if (!image.isHeard) return {};
  const all = said.wouldBe ?? [];
  const own = all.filter((pin) => pin.startsWith(`${tag.name}@`));
  // An update is tried on what the API server has in its cache, and again where that was not the last
  // one: the warnings of both come back. What is new was never another.
  const isNew = Object.keys(admission.before).length === 0;
  if (isNew && own.length < all.length) return wrong(image, `it would be ${all.join(', ')}`);
  if (own.length === 0) return judgeUnpinned(parts, admission, image);
  const window = windowOf(parts, admission, tag);
  if (own.every((pin) => tag.history.had(pin.slice(tag.name.length + 1), window))) return {};
  return wrong(image, `it would be ${own.join(', ')}, ${notIn(tag, window)}`);
}

function judgeUnpinned(parts: OracleParts, admission: Admission, image: TaggedImage): ImageVerdict {
  const { said, tag } = image;
  const { mode, kind } = admission;
  if (mode === 'enforce' && (kind === 'Pod' || said.reason !== undefined)) {
    return wrong(image, 'mode enforce stores no tag');
  }
  if (said.reason === undefined) return { isSilent: true };
  if (isReason(parts, { code: said.reason, tag }, admission)) return { keptTag: true };
  return unexplained(image, `no fault explains [${said.reason}]`);
}

function judgePin(parts: OracleParts, admission: Admission, image: TaggedImage): ImageVerdict {
  const { asked, is, said, tag } = image;
  const before = admission.before[asked.container];
  const digest = is.slice(tag.name.length + 1);
  const wasPinned = before?.stored.includes('@') === true && before.asked === asked.image;
  if (wasPinned && !admission.isRestart) {
    return is === before.stored
      ? {}
      : wrong(image, `nobody asked for another than ${before.stored}`);
  }
  if (wasPinned) return judgeRestart(parts, admission, { ...image, digest, was: before.stored });
  if (isOfAnother(admission, image)) return {};
  const fresh = freshWindow(parts, admission);
  if (tag.history.had(digest, fresh)) return {};
  const window = windowOf(parts, admission, tag);
  if (!tag.history.had(digest, window)) return wrong(image, notIn(tag, window));
  if (!image.isHeard || said.isStale === true) return {};
  return unexplained(image, 'it is older than the cache keeps it, and no warning says so');
}

/** A container that asks for what another one has the pin of gets that. */
function isOfAnother({ before }: Admission, { asked, is }: TaggedImage): boolean {
  return Object.values(before).some((other) => other.asked === asked.image && other.stored === is);
}

/** Only what the registry says from now on answers a restart; where it does not, the pin stays. */
function judgeRestart(
  parts: OracleParts,
  admission: Admission,
  image: TaggedImage & { readonly digest: string; readonly was: string },
): ImageVerdict {
  const { is, was, digest, said, tag } = image;
  if (tag.history.had(digest, admission)) return {};
  if (is !== was) return wrong(image, `the restart asks anew, ${notIn(tag, admission)}`);
  if (said.keptFor === undefined) return { isSilent: true };
  if (isReason(parts, { code: said.keptFor, tag }, admission)) return {};
  return unexplained(image, `no fault explains [${said.keptFor}]`);
}

function notIn({ history }: KnownTag, span: Span): string {
  const when = `between ${momentOf(span.fromMs)} and ${momentOf(span.untilMs)}`;
  return `not what the tag had ${when}: ${history.textOf(span)}`;
}

/** The cache dates a digest by the moment at which it was asked for. */
function freshWindow({ cacheTtlMs }: OracleParts, admission: Admission): Span {
  const { fromMs, untilMs, siblingsSinceMs = fromMs } = admission;
  return { fromMs: Math.min(fromMs, siblingsSinceMs) - cacheTtlMs, untilMs };
}

/** With the last known digests, where a fault has them answer. */
function windowOf(parts: OracleParts, admission: Admission, { registry }: KnownTag): Span {
  const fresh = freshWindow(parts, admission);
  const { staleIfErrorMs, cacheTtlMs, timeline } = parts;
  const servesStale = timeline.excuses(
    { fromMs: fresh.fromMs + cacheTtlMs, untilMs: fresh.untilMs },
    ({ reasons }, struck) =>
      (struck === undefined || struck === registry) &&
      reasons.some((code) => ERROR_RULES[code].servesStale),
  );
  if (!servesStale) return fresh;
  return { fromMs: fresh.fromMs + cacheTtlMs - staleIfErrorMs, untilMs: fresh.untilMs };
}

/** Whether a fault was felt that has this reason. */
export function isReason(
  { timeline }: OracleParts,
  { code, tag }: { readonly code: string; readonly tag: KnownTag },
  { fromMs, untilMs }: Span,
): boolean {
  const isMissing = tag.history.had(undefined, { fromMs: fromMs - MISSING_MS, untilMs });
  if (code === 'not_found') return isMissing;
  // What is not there may be what is not shown: whoever has Secrets that nobody could read is told so
  // in its place, whatever the registry.
  const isHidden = isMissing && code === 'forbidden_secret';
  return timeline.excuses(
    { fromMs, untilMs },
    ({ reasons }, struck) =>
      (struck === undefined || struck === tag.registry || isHidden) &&
      reasons.some((one) => one === code),
  );
}
