import { LRUCache } from 'lru-cache';

import { PinError } from '../errors.ts';

/** Who asks whom. */
export interface Asker {
  readonly registry: string;
  /** Whose image a mirror is asked for: it may pass the 429 of that registry on. */
  readonly upstream: string | undefined;
  /** Of the credentials: registries limit accounts, and without any the address. */
  readonly fingerprint: string;
}

/**
 * A registry that asked to be left alone is left alone, for every repository of it, by those whom it
 * told: the account that one tenant has used up must not stop the others.
 */
export interface Gate {
  /** Why the registry is not to be asked now, or undefined. */
  readonly closedFor: (asker: Asker, nowMs: number) => PinError | undefined;
  readonly close: (asker: Asker, error: PinError, nowMs: number) => void;
}

const MAX_ASKERS = 1000;
/** Where a registry says 429 without saying how long. */
const DEFAULT_WAIT_MS = 1000;

/** `observe` is told the state of a registry whenever it changes. */
export function createGate(observe: (registry: string, untilMs: number) => void): Gate {
  const closedUntil = new LRUCache<string, number>({ max: MAX_ASKERS });
  return {
    closedFor: (asker, nowMs) => {
      const { registry } = asker;
      const untilMs = closedUntil.get(keyOf(asker)) ?? 0;
      if (nowMs >= untilMs) return undefined;
      const seconds = Math.ceil((untilMs - nowMs) / 1000);
      const message = `${registry} answered 429 before and is not asked for another ${seconds} s`;
      return new PinError('rate_limited', message, {
        host: registry,
        retryAfterMs: untilMs - nowMs,
        asked: false,
      });
    },
    close: (asker, error, nowMs) => {
      const key = keyOf(asker);
      const untilMs = nowMs + (error.retryAfterMs ?? DEFAULT_WAIT_MS);
      if (untilMs <= (closedUntil.get(key) ?? 0)) return;
      closedUntil.set(key, untilMs);
      observe(asker.registry, untilMs);
    },
  };
}

function keyOf({ registry, upstream, fingerprint }: Asker): string {
  return `${registry} ${upstream ?? ''} ${fingerprint}`;
}
