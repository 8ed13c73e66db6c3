import { readFileSync } from 'node:fs';
import { uptime } from 'node:os';

/** A point in time, as one process can tell it to the next. */
export interface Moment {
  /** Milliseconds since 1970. */
  readonly unixMs: number;
  /** Which run of the machine this is, and how long it has lasted; undefined where that is not told. */
  readonly boot: Boot | undefined;
}

interface Boot {
  readonly id: string;
  readonly uptimeMs: number;
}

/** Differs after each start of the machine (Linux, proc_sys_kernel(5)). */
const BOOT_ID_FILE = '/proc/sys/kernel/random/boot_id';

export function momentNow(): Moment {
  return { unixMs: Date.now(), boot: bootNow() };
}

function bootNow(): Boot | undefined {
  try {
    const id = readFileSync(BOOT_ID_FILE, 'utf8').trim();
    return { id, uptimeMs: Math.round(uptime() * 1000) };
  } catch {
    // Another system, or a sandbox: the clock alone is left.
    return undefined;
  }
}

/**
 * How long ago a moment was, at least: the longer of what the clock and the machine's uptime say, so
 * that a clock that went back makes nothing younger. Undefined where nothing tells: the clock is
 * behind the moment, and the machine was started since.
 */
export function elapsedMs(from: Moment, to: Moment): number | undefined {
  const byClockMs = to.unixMs - from.unixMs;
  const byUptimeMs = uptimeBetween(from.boot, to.boot);
  if (byUptimeMs !== undefined) return Math.max(byClockMs, byUptimeMs);
  return byClockMs >= 0 ? byClockMs : undefined;
}

/** A container may be shown an uptime of its own, which begins again with it. */
function uptimeBetween(from: Boot | undefined, to: Boot | undefined): number | undefined {
  if (from === undefined || to === undefined || from.id !== to.id) return undefined;
  const betweenMs = to.uptimeMs - from.uptimeMs;
  return betweenMs >= 0 ? betweenMs : undefined;
}
