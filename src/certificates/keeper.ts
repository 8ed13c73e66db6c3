import { toPinError } from '../errors.ts';
import { describeError } from '../log.ts';
import type { Pace } from './decide.ts';
import { createReplica, type Lifetimes, type ReplicaParts } from './replica.ts';

/** What one replica keeps: its certificate, and its part of what all of them share. */
export interface CertificateKeeper {
  /** Looks for the first time, and then again and again; what goes wrong is logged, and tried again. */
  readonly start: () => Promise<void>;
  readonly isLoaded: () => boolean;
  readonly stop: () => void;
}

/** API servers learn of a change of their configuration within a second or two. */
const SETTLE_MS = 30_000;
const POLL_MS = 10_000;
const FIRST_POLL_MS = 1000;
/** Switched off, not applied yet, or of another name than `--webhook-configuration` says. */
const UNCALLED = 'no webhook configuration calls tagpin';

/** How fast all of it goes: for short lives faster, so that there is time for every step. */
export function paceOf({ leafMs, authorityMs }: Lifetimes): Pace & { readonly pollMs: number } {
  const settleMs = Math.min(SETTLE_MS, authorityMs / 10, leafMs / 6);
  return { leafLifetimeMs: leafMs, settleMs, pollMs: Math.min(POLL_MS, settleMs / 3) };
}

export function createCertificateKeeper(parts: ReplicaParts): CertificateKeeper {
  const { log, lifetimes } = parts;
  const pace = paceOf(lifetimes);
  const replica = createReplica(parts, pace);
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  let said: string | undefined;

  const poll = async (): Promise<void> => {
    let delayMs = pace.pollMs;
    try {
      const { entries } = await replica.round();
      const isCalled = entries.length > 0;
      if (!isCalled && said !== UNCALLED) log.warn({}, UNCALLED);
      said = isCalled ? undefined : UNCALLED;
      // Somebody is about to apply one, and calls come from then on.
      if (!isCalled) delayMs = Math.min(delayMs, FIRST_POLL_MS);
    } catch (caught) {
      const fields = describeError(toPinError(caught));
      const text = String(fields['error']);
      // The same every ten seconds is said once.
      if (text !== said) log.error(fields, 'certificates not kept');
      said = text;
    }
    if (!replica.isLoaded()) delayMs = Math.min(delayMs, FIRST_POLL_MS);
    if (stopped) return;
    timer = setTimeout(() => void poll(), delayMs);
    timer.unref();
  };

  return {
    start: poll,
    isLoaded: replica.isLoaded,
    stop: () => {
      stopped = true;
      clearTimeout(timer);
    },
  };
}
