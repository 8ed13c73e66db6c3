import { type PinError, toPinError } from '../errors.ts';
import type { Edit } from '../files/edit.ts';
import type { FoundImage } from '../files/finding.ts';
import { editFor } from '../files/slot.ts';
import { type Digest, isDigest } from '../image/digest.ts';
import {
  type ImageReference,
  normalizedName,
  normalizedTag,
  parseReference,
  type ReferenceForm,
  spelledName,
  withDigest,
} from '../image/reference.ts';
import type { Entries } from './entries.ts';
import type { Lock } from './lock.ts';
import { readTagComment, type TagComment, tagCommentEdit } from './tag-comment.ts';

/** Asks a registry for the digest of `name:tag`, in the user's spelling; rejects with a PinError. */
export type DigestOf = (reference: string) => Promise<Digest>;

/** Where digests come from; the first of entries, lock and registry that is there and knows. */
export interface Sources {
  /** Digests that were given: with them no registry is asked. */
  readonly entries: Entries | undefined;
  readonly lock: Lock | undefined;
  readonly digestOf: DigestOf | undefined;
  /** The glob of normalised names by which no registry is asked for an image. */
  readonly skippedBy: (name: string) => string | undefined;
}

/** How images are to be pinned. */
export interface PinStyle {
  readonly form: ReferenceForm;
  /** Keep the tag behind the image. */
  readonly comment: boolean;
  /** Resolve anew what carries a digest. */
  readonly update: boolean;
}

/**
 * What became of an image. `unmatched`: no source that was given knows it; `not_written`: its digest
 * is known, and its file stays as it was.
 */
export type PinOutcome =
  | 'pinned'
  | 'refreshed'
  | 'unchanged'
  | 'already_pinned'
  | 'unmatched'
  | 'no_tag'
  | 'skipped'
  | 'not_written'
  | 'failed';

/** The decision about one image. */
export interface PlannedImage {
  readonly image: FoundImage;
  readonly outcome: PinOutcome;
  /** The reference as it will stand. */
  readonly to: string;
  readonly edits: readonly Edit[];
  readonly error?: PinError;
  /** What the user should know beside the outcome. */
  readonly note?: string;
}

/** An image of a file with what is known of its tag. */
interface Subject {
  readonly image: FoundImage;
  readonly reference: ImageReference;
  readonly name: string;
  /** Undefined where the image carries a digest and nothing tells its tag. */
  readonly tag: string | undefined;
  readonly found: TagComment | undefined;
}

/** Decides about one image; never rejects. */
export async function planImage(
  image: FoundImage,
  style: PinStyle,
  sources: Sources,
): Promise<PlannedImage> {
  try {
    const subject = subjectOf(image, sources.lock);
    if (subject.reference.digest !== undefined && !style.update) return kept(subject, sources.lock);
    const digest = await digestFor(subject, style, sources);
    if (digest === undefined) return withoutDigest(subject, sources);
    if (subject.tag !== undefined) sources.lock?.set(subject.name, subject.tag, digest);
    return written(subject, digest, style);
  } catch (caught) {
    const error = toPinError(caught);
    return { image, outcome: 'failed', to: image.reference, edits: [], error };
  }
}

function subjectOf(image: FoundImage, lock: Lock | undefined): Subject {
  const reference = parseReference(image.reference);
  const name = normalizedName(reference);
  const found = readTagComment(image.slot.comment, name);
  const subject = { image, reference, name, found };
  if (reference.digest === undefined) return { ...subject, tag: normalizedTag(reference) };
  return { ...subject, tag: reference.tag ?? found?.tag ?? lock?.tagOf(name, reference.digest) };
}

/** An image that carries a digest stays; the lock learns of it, or is found to differ. */
function kept({ image, reference, name, tag }: Subject, lock: Lock | undefined): PlannedImage {
  const plan = { image, outcome: 'already_pinned', to: image.reference, edits: [] } as const;
  if (lock === undefined || tag === undefined) return plan;
  const { digest = '' } = reference;
  const locked = lock.digestFor(name, tag);
  if (locked === undefined && isDigest(digest)) lock.set(name, tag, digest);
  if (locked === undefined || locked === digest) return plan;
  return { ...plan, note: `the lock has another digest for ${name}:${tag}: ${locked}` };
}

async function digestFor(
  { image, name, tag }: Subject,
  { update }: PinStyle,
  { entries, lock, digestOf, skippedBy }: Sources,
): Promise<Digest | undefined> {
  const given = entries?.digestFor(name, tag);
  if (given !== undefined || tag === undefined) return given;
  const locked = update ? undefined : lock?.digestFor(name, tag);
  if (locked !== undefined || entries !== undefined || skippedBy(name) !== undefined) return locked;
  return digestOf?.(`${spelledName(image.reference)}:${tag}`);
}

function withoutDigest(
  { image, name, tag, reference }: Subject,
  { skippedBy }: Sources,
): PlannedImage {
  const plan = { image, to: image.reference, edits: [] };
  const glob = skippedBy(name);
  if (glob !== undefined) return { ...plan, outcome: 'skipped', note: skipNote(glob) };
  if (tag !== undefined || reference.digest === undefined) return { ...plan, outcome: 'unmatched' };
  const note = 'neither the reference, nor a comment, nor the lock tells its tag';
  return { ...plan, outcome: 'no_tag', note };
}

/** Who gave no `--skip` does not know that there is one. */
function skipNote(glob: string): string {
  return `left alone by ${glob} of --skip, which has defaults: --skip '' asks for it, too`;
}

function written(subject: Subject, digest: Digest, style: PinStyle): PlannedImage {
  const { image, reference } = subject;
  // A reference that keeps its tag beside a digest goes on doing so.
  const keepsTag = reference.tag !== undefined && reference.digest !== undefined;
  const form = keepsTag || image.holds === 'digest' ? 'tag-and-digest' : style.form;
  const to = withDigest(image.reference, digest, form);
  const isSame = reference.digest === digest;
  const value = image.holds === 'digest' ? digest : to;
  const comment = commentOf(subject, to, style);
  const changed = reference.digest === undefined ? 'pinned' : 'refreshed';
  return {
    image,
    outcome: isSame ? 'unchanged' : changed,
    to,
    edits: [...(isSame ? [] : [editFor(image.slot, value)]), ...comment.edits],
    ...(comment.note !== undefined && { note: comment.note }),
  };
}

interface Comment {
  readonly edits: readonly Edit[];
  readonly note?: string;
}

/** The comment that keeps a tag which the reference itself does not. */
function commentOf({ image, tag, found }: Subject, to: string, style: PinStyle): Comment {
  const keepsTag = parseReference(to).tag !== undefined;
  if (tag === undefined || keepsTag || image.holds === 'digest') return { edits: [] };
  const { comment } = image.slot;
  if (!style.comment) {
    if (found === undefined || found.tag === tag) return { edits: [] };
    return { edits: [], note: `the comment behind it tells of the tag ${found.tag}, not ${tag}` };
  }
  if (comment === undefined) return { edits: [], note: `no comment can stand here for ${tag}` };
  const spelling = spelledName(image.reference);
  return { edits: tagCommentEdit(comment, found, { tag, spelling }) };
}

/** Asks for each `name:tag` once, however many images name it and however they spell it. */
export function askOnce(digestOf: DigestOf): DigestOf {
  const asked = new Map<string, Promise<Digest>>();
  return (text) => {
    const reference = parseReference(text);
    const key = `${normalizedName(reference)}:${normalizedTag(reference)}`;
    const before = asked.get(key);
    if (before !== undefined) return before;
    const answer = digestOf(text);
    asked.set(key, answer);
    return answer;
  };
}
