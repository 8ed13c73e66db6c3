import { LRUCache } from 'lru-cache';

import { describeError, type Logger } from '../log.ts';
import { within } from '../within.ts';
import { MAX_ORIGINALS, majorityPins } from './votes.ts';

/** The replicas of one template: a Pod's controller, and the label that tells its revision. */
interface Revision {
  readonly namespace: string;
  readonly ownerUid: string;
  /** A label selector, `name=value`; undefined where only the owner is known. */
  readonly selector: string | undefined;
}

/** Digests by the original that they were resolved for. */
type Pins = ReadonlyMap<string, string>;

/** How it became known what siblings run: the `result` label of its metric. */
type SiblingResult = 'memory' | 'listed' | 'none' | 'failed';

export interface SiblingsParts {
  /** Undefined where no cluster can be asked: memory is all there is. */
  readonly listPods:
    | ((namespace: string, selector: string) => Promise<readonly unknown[]>)
    | undefined;
  readonly log: Logger;
  readonly observe: (result: SiblingResult) => void;
  /** The clock of `performance.now()`, in milliseconds. */
  readonly now: () => number;
}

export interface Siblings {
  /** At once where it is remembered; a promise never rejects. Undefined where nothing is known. */
  readonly of: (
    revision: Revision,
    deadlineAtMs: number,
  ) => Pins | undefined | Promise<Pins | undefined>;
  /** Remembers what one replica is about to get, and answers with what it is to have. */
  readonly agree: (revision: Revision, found: Pins) => Pins;
}

interface Memory {
  readonly pins: Map<string, string>;
  readonly learntAtMs: number;
}

/**
 * Another replica of tagpin may have answered meanwhile, and the Pods be gone: what is older is
 * compared with the Pods themselves.
 */
const FRESH_MS = 60_000;
/** The API server answers in a few milliseconds, or it has other worries. */
const LIST_TIMEOUT_MS = 1500;
/** How long the Pods of a namespace are not listed once that has failed. */
const QUIET_MS = 30_000;
const MAX_QUIET_NAMESPACES = 1000;
/** Of one namespace at once: a review goes on without one that is slow, which still waits for its turn. */
const MAX_LISTS = 100;
/** All memories together, in characters; one of three images has some 500. */
const MAX_MEMORY_CHARS = 8 * 1024 * 1024;
const ENTRY_CHARS = 200;

/** What the replicas of one revision run: from memory, or from the Pods themselves. */
export function createSiblings(parts: SiblingsParts): Siblings {
  const memories = new LRUCache<string, Memory>({
    maxSize: MAX_MEMORY_CHARS,
    sizeCalculation: ({ pins }, key) => key.length + ENTRY_CHARS + charsOf(pins),
  });
  const remembered = (key: string): Pins | undefined => memories.get(key)?.pins;
  const list = createListing(parts, memories);
  return {
    of: (revision, deadlineAtMs) => {
      const key = keyOf(revision);
      const memory = memories.get(key);
      const nowMs = parts.now();
      const isFresh = memory !== undefined && nowMs - memory.learntAtMs < FRESH_MS;
      const listed = isFresh ? undefined : list(key, revision);
      if (listed === undefined) {
        parts.observe(memory === undefined ? 'none' : 'memory');
        return memory?.pins;
      }
      const waitMs = Math.min(LIST_TIMEOUT_MS, deadlineAtMs - nowMs);
      return within(waitMs, listed, () => remembered(key));
    },
    agree: (revision, found) => {
      const key = keyOf(revision);
      const known = memories.get(key);
      const stands = new Map(found);
      for (const original of found.keys()) {
        const digest = known?.pins.get(original);
        if (digest !== undefined) stands.set(original, digest);
      }
      const pins = new Map([...(known?.pins ?? []), ...stands]);
      // A template has not that many: somebody writes Pods that claim to be its replicas.
      if (pins.size > MAX_ORIGINALS) return stands;
      memories.set(key, { pins, learntAtMs: known?.learntAtMs ?? parts.now() });
      return stands;
    },
  };
}

/** Lists the siblings, once for all who ask at the same time; undefined where they cannot be. */
function createListing(
  { listPods, log, observe, now }: SiblingsParts,
  memories: LRUCache<string, Memory>,
): (key: string, revision: Revision) => Promise<Pins | undefined> | undefined {
  if (listPods === undefined) return () => undefined;
  const quiet = new LRUCache<string, number>({ max: MAX_QUIET_NAMESPACES });
  /** By namespace, then by key. */
  const flights = new Map<string, Map<string, Promise<Pins | undefined>>>();
  const learn = async (
    key: string,
    { namespace, ownerUid, selector }: Revision & { readonly selector: string },
  ): Promise<Pins | undefined> => {
    const before = memories.get(key);
    try {
      const pins = majorityPins(await listPods(namespace, selector), ownerUid);
      observe(pins.size === 0 ? 'none' : 'listed');
      if (pins.size === 0) {
        // Only what was found is remembered: the first replica may be on its way just now, and
        // what it was given meanwhile is newer than the list.
        if (memories.get(key) === before) memories.delete(key);
        return memories.get(key)?.pins;
      }
      memories.set(key, { pins, learntAtMs: now() });
      return pins;
    } catch (caught) {
      observe('failed');
      quiet.set(namespace, now() + QUIET_MS);
      log.warn({ namespace, ...describeError(caught) }, 'siblings not listed');
      return memories.get(key)?.pins;
    } finally {
      const others = flights.get(namespace);
      others?.delete(key);
      if (others?.size === 0) flights.delete(namespace);
    }
  };
  return (key, revision) => {
    const { namespace, selector } = revision;
    if (selector === undefined || now() < (quiet.get(namespace) ?? 0)) return undefined;
    const here = flights.get(namespace) ?? new Map<string, Promise<Pins | undefined>>();
    const known = here.get(key);
    if (known !== undefined || here.size >= MAX_LISTS) return known;
    const flight = learn(key, { ...revision, selector });
    flights.set(namespace, here.set(key, flight));
    return flight;
  };
}

/** No part of it holds a space: the namespace is the API server's, the others were looked at. */
function keyOf({ namespace, ownerUid, selector }: Revision): string {
  return `${namespace} ${ownerUid} ${selector ?? ''}`;
}

function charsOf(pins: Pins): number {
  let chars = 0;
  for (const [original, digest] of pins) chars += original.length + digest.length;
  return chars;
}
