import { LRUCache } from 'lru-cache';

import { PinError } from '../errors.ts';

/** Says whose turn it is to have an image explained. */
export interface Turns {
  /** A turn, to be ended; or why there is none now: PinError `overloaded`. */
  readonly take: (username: string) => { readonly end: () => void } | PinError;
}

/** Each costs look-ups, and holds a review open for as long. */
const AT_ONCE = 2;
const IN_A_WINDOW = 10;
const WINDOW_MS = 60_000;
/** Whoever authenticates users names them: the least used are forgotten. */
const MAX_USERS = 1000;
const MAX_NAME_CHARS = 512;

interface Window {
  taken: number;
  readonly endsAtMs: number;
  isHeld: boolean;
}

/** @param now the clock of `performance.now()`, in milliseconds */
export function createTurns(now: () => number): Turns {
  const windows = new LRUCache<string, Window>({ max: MAX_USERS });
  let held = 0;
  const windowOf = (name: string): Window => {
    const known = windows.get(name);
    if (known !== undefined && (known.isHeld || now() < known.endsAtMs)) return known;
    const fresh = { taken: 0, endsAtMs: now() + WINDOW_MS, isHeld: false };
    windows.set(name, fresh);
    return fresh;
  };
  return {
    take: (username) => {
      if (held >= AT_ONCE) return busy(`${AT_ONCE} images are being explained`);
      const window = windowOf(username.slice(0, MAX_NAME_CHARS));
      if (window.isHeld) return busy('an image is being explained to you');
      if (window.taken >= IN_A_WINDOW) {
        const seconds = Math.max(1, Math.ceil((window.endsAtMs - now()) / 1000));
        return busy(`you have asked ${IN_A_WINDOW} times within a minute: ask in ${seconds} s`);
      }
      window.taken += 1;
      window.isHeld = true;
      held += 1;
      return {
        end: () => {
          window.isHeld = false;
          held -= 1;
        },
      };
    },
  };
}

function busy(message: string): PinError {
  return new PinError('overloaded', message);
}
