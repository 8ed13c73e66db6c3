import { LRUCache } from 'lru-cache';

import { PinError } from '../errors.ts';

/** A registry that asked to be left alone is left alone, for every repository of it. */
export interface Gate {
  /** Why the registry is not to be asked now, or undefined. */
  readonly closedFor: (registry: string, nowMs: number) => PinError | undefined;
  readonly close: (registry: string, error: PinError, nowMs: number) => void;
}

const MAX_REGISTRIES = 1000;
/** Where a registry says 429 without saying how long. */
const DEFAULT_WAIT_MS = 1000;

/** `observe` is told the state of a registry whenever it changes. */
export function createGate(observe: (registry: string, untilMs: number) => void): Gate {
  const closedUntil = new LRUCache<string, number>({ max: MAX_REGISTRIES });
  return {
    closedFor: (registry, nowMs) => {
      const untilMs = closedUntil.get(registry) ?? 0;
      if (nowMs >= untilMs) return undefined;
      const seconds = Math.ceil((untilMs - nowMs) / 1000);
      const message = `${registry} answered 429 before and is not asked for another ${seconds} s`;
      return new PinError('rate_limited', message, {
        host: registry,
        retryAfterMs: untilMs - nowMs,
      });
    },
    close: (registry, error, nowMs) => {
      const untilMs = nowMs + (error.retryAfterMs ?? DEFAULT_WAIT_MS);
      if (untilMs <= (closedUntil.get(registry) ?? 0)) return;
      closedUntil.set(registry, untilMs);
      observe(registry, untilMs);
    },
  };
}
