import { LRUCache } from 'lru-cache';

import { PinError } from '../errors.ts';
import type { Turn } from './turns.ts';

/** Somebody who wants an image explained, and where. */
interface Asker {
  readonly username: string;
  readonly namespace: string;
}

/**
 * Says who may ask for an explanation now, before it is known whether they may have it: to learn that
 * costs the API server an answer. What somebody asks holds up nobody of another namespace.
 */
export interface Askers {
  /** Held until the question has its answer; or why it may not be asked now: PinError `overloaded`. */
  readonly ask: (asker: Asker) => Turn | PinError;
}

const IN_A_WINDOW = 10;
const WINDOW_MS = 60_000;
/** Whoever may make accounts has as many names as they like. */
const AT_ONCE_IN_A_NAMESPACE = 4;
/** Whoever authenticates users names them: the least used are forgotten. */
const MAX_USERS = 1000;
const MAX_NAME_CHARS = 512;

interface Window {
  taken: number;
  readonly endsAtMs: number;
  isHeld: boolean;
}

/** @param now the clock of `performance.now()`, in milliseconds */
export function createAskers(now: () => number): Askers {
  const windows = new LRUCache<string, Window>({ max: MAX_USERS });
  const askedIn = new Map<string, number>();
  const windowOf = (name: string): Window => {
    const known = windows.get(name);
    if (known !== undefined && (known.isHeld || now() < known.endsAtMs)) return known;
    const fresh = { taken: 0, endsAtMs: now() + WINDOW_MS, isHeld: false };
    windows.set(name, fresh);
    return fresh;
  };
  return {
    ask: ({ username, namespace }) => {
      const inNamespace = askedIn.get(namespace) ?? 0;
      if (inNamespace >= AT_ONCE_IN_A_NAMESPACE) {
        return busy(`${inNamespace} others ask in this namespace`);
      }
      const window = windowOf(username.slice(0, MAX_NAME_CHARS));
      if (window.isHeld) return busy('an image is being explained to you');
      if (window.taken >= IN_A_WINDOW) {
        const seconds = Math.max(1, Math.ceil((window.endsAtMs - now()) / 1000));
        return busy(`you have asked ${IN_A_WINDOW} times within a minute: ask in ${seconds} s`);
      }
      window.taken += 1;
      window.isHeld = true;
      askedIn.set(namespace, inNamespace + 1);
      return {
        end: () => {
          window.isHeld = false;
          const left = (askedIn.get(namespace) ?? 1) - 1;
          if (left === 0) askedIn.delete(namespace);
          else askedIn.set(namespace, left);
        },
      };
    },
  };
}

function busy(message: string): PinError {
  return new PinError('overloaded', message);
}
