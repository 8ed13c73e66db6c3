const UNIT_MS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

const DURATION = /^[+-]?(?:0|(?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+)$/u;
const PART = /(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)/gu;

/** `12h`, `1.5h`, `-5m30s`, `0` in milliseconds, as Go's `time.ParseDuration`; undefined for no duration. */
export function parseGoDurationMs(text: string): number | undefined {
  if (!DURATION.test(text)) return undefined;
  let sumMs = 0;
  for (const [, count, unit] of text.matchAll(PART)) {
    sumMs += Number(count) * (UNIT_MS[unit ?? ''] ?? 0);
  }
  return text.startsWith('-') && sumMs !== 0 ? -sumMs : sumMs;
}
