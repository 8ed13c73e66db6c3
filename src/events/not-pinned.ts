import { LRUCache } from 'lru-cache';

import { controllerOf } from '../admission/owner.ts';
import { MODE_POLICIES } from '../admission/policy.ts';
import type { AdmissionReport, ImageReport } from '../admission/report.ts';
import type { Review } from '../admission/review.ts';
import { printable } from '../image/printable.ts';
import { objectIn, textOf } from '../json.ts';
import { createOutageLog, type Logger } from '../log.ts';

/** Whom an Event is about: what `kubectl describe` finds it by. */
interface Regarding {
  readonly kind: string;
  readonly name: string;
  /** Undefined where the API server has not given it one yet. */
  readonly uid: string | undefined;
}

/** An Event of Kubernetes, of type Warning and with the reason `ImageNotPinned`. */
export interface NotPinnedEvent {
  readonly namespace: string;
  readonly regarding: Regarding;
  readonly message: string;
}

export interface NotPinnedParts {
  /** Throws PinError. */
  readonly write: (event: NotPinnedEvent) => Promise<void>;
  readonly observe: (result: 'written' | 'failed' | 'dropped') => void;
  readonly log: Logger;
  /** The clock of `performance.now()`, in milliseconds. */
  readonly now: () => number;
}

/** An Event for the same object says nothing new for so long, and a namespace gets so many. */
const WINDOW_MS = 10 * 60_000;
const MAX_OF_NAMESPACE = 20;
/** Names are a tenant's choice. */
const MAX_OBJECTS = 5000;
const MAX_NAMESPACES = 1000;
/** DNS-1123 subdomain; what has a longer name, or a longer kind or uid, the API server refuses after the review. */
const MAX_NAME_CHARS = 253;
/** An API server that is slow is not asked for more. */
const MAX_UNDER_WAY = 8;
/** Of a note (kubernetes pkg/apis/core/validation/events.go, NoteLengthLimit). */
const MAX_MESSAGE_CHARS = 1024;

const NOT_PINNED: ReadonlySet<ImageReport['outcome']> = new Set(['failed', 'contended']);
/** Of reviews with such images: they come before all others. */
const TELLING: ReadonlySet<AdmissionReport['outcome']> = new Set([...NOT_PINNED, 'denied']);

/** Tells of images that kept their tags, for who gets no warning because a controller made the Pod. */
export function createNotPinnedEvents(parts: NotPinnedParts): (report: AdmissionReport) => void {
  const isAllowed = createLimit(parts.now);
  const tell = createOutageLog(parts.log, 'events');
  let underWay = 0;
  const write = async (event: NotPinnedEvent): Promise<void> => {
    underWay += 1;
    try {
      await parts.write(event);
      parts.observe('written');
      tell(undefined);
    } catch (caught) {
      parts.observe('failed');
      tell(caught);
    } finally {
      underWay -= 1;
    }
  };
  return (report) => {
    const event = eventOf(report);
    if (event === undefined) return;
    if (underWay < MAX_UNDER_WAY && isAllowed(event)) void write(event);
    else parts.observe('dropped');
  };
}

/** Undefined where there is nothing to tell, or nothing happens. */
function eventOf({ review, mode, outcome, images }: AdmissionReport): NotPinnedEvent | undefined {
  if (!TELLING.has(outcome) || review.dryRun || !MODE_POLICIES[mode].writesPins) return undefined;
  const regarding = regardingOf(review);
  const { kind, name, uid = '' } = regarding;
  if (Math.max(kind.length, name.length, uid.length) > MAX_NAME_CHARS) return undefined;
  const tagged = images.filter((image) => NOT_PINNED.has(image.outcome));
  const what = `${review.kind}${review.name === '' ? '' : ` ${JSON.stringify(review.name)}`}`;
  const effect = outcome === 'denied' ? 'was refused' : 'was admitted with tags';
  const message = `${what} ${effect}: ${tagged.map(toldOf).join('; ')}`;
  return {
    namespace: review.namespace,
    regarding,
    // Names come here before the API server has validated them.
    message: printable(message).slice(0, MAX_MESSAGE_CHARS),
  };
}

function toldOf({ container, reason, registry, outcome }: ImageReport): string {
  const asked = registry === undefined ? '' : ` (${registry})`;
  return `${container}${asked} [${reason === '' ? outcome : reason}]`;
}

/** The controller that makes a Pod, for the Pod itself has no name yet that anybody knows. */
function regardingOf({ kind, namespace, object }: Review): Regarding {
  const metadata = objectIn(object, 'metadata');
  const owner = controllerOf(metadata);
  if (owner !== undefined) return { kind: owner.kind, name: owner.name, uid: owner.uid };
  const own = textOf(metadata, 'name') ?? '';
  if (own === '') return { kind: 'Namespace', name: namespace, uid: undefined };
  return { kind, name: own, uid: textOf(metadata, 'uid') };
}

/** Tells whether an Event may be written; counts it where it may. */
function createLimit(now: () => number): (event: NotPinnedEvent) => boolean {
  const clock = { ttl: WINDOW_MS, ttlResolution: 0, perf: { now } } as const;
  const told = new LRUCache<string, true>({ max: MAX_OBJECTS, ...clock });
  const counts = new LRUCache<string, number>({ max: MAX_NAMESPACES, ...clock, noUpdateTTL: true });
  return ({ namespace, regarding, message }) => {
    const key = JSON.stringify([namespace, regarding.kind, regarding.name, reasonsIn(message)]);
    const count = counts.get(namespace) ?? 0;
    if (told.has(key) || count >= MAX_OF_NAMESPACE) return false;
    told.set(key, true);
    counts.set(namespace, count + 1);
    return true;
  };
}

/** What differs from one Pod of a controller to the next, its name, is no news. */
function reasonsIn(message: string): string {
  return message.slice(message.indexOf(': '));
}
