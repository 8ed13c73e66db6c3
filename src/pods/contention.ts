import { LRUCache } from 'lru-cache';

import { computeDigest } from '../image/digest.ts';

/** A Pod that is being made under a name of its own, and the pins that it would get. */
interface NamedPod {
  readonly namespace: string;
  readonly ownerUid: string;
  readonly name: string;
  /** Its revision, its originals and their digests, as text. */
  readonly content: string;
}

/** So often may a controller make the same Pod with the same pins within this time. */
const MAX_CREATIONS = 5;
const WINDOW_MS = 10 * 60_000;
/** Some 300 bytes each. */
const MAX_PODS = 10_000;
/** DNS-1123 subdomain; the API server refuses a longer one after the review. */
const MAX_NAME_CHARS = 253;

/**
 * Tells whether a controller makes the same Pod again and again, as one does that compares the
 * images of its Pods: its spec has the tag, and the Pod a digest. `counts` false only looks.
 */
export function createContention(now: () => number): (pod: NamedPod, counts: boolean) => boolean {
  const creations = new LRUCache<string, readonly number[]>({ max: MAX_PODS });
  return ({ namespace, ownerUid, name, content }, counts) => {
    if (name.length > MAX_NAME_CHARS) return false;
    const key = `${namespace} ${ownerUid} ${name} ${computeDigest(Buffer.from(content))}`;
    const nowMs = now();
    const recent = (creations.get(key) ?? []).filter((atMs) => nowMs - atMs < WINDOW_MS);
    if (counts) creations.set(key, [...recent, nowMs].slice(-MAX_CREATIONS));
    return recent.length >= MAX_CREATIONS;
  };
}
