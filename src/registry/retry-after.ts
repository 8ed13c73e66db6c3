import { PinError } from '../errors.ts';
import type { RegistryResponse } from './exchange.ts';

/** An hour: whoever asks for more is asked again then. */
const MAX_RETRY_AFTER_MS = 3_600_000;

/** RFC 9110 section 5.6.7, the one form that servers may send. */
const HTTP_DATE = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/;

/**
 * `Retry-After` in milliseconds from now, or undefined where it is absent or malformed. Strict,
 * because registries were seen to send `812.183µs`, and `Date.parse("0.5")` is a valid date.
 */
export function parseRetryAfterMs(
  value: string | undefined,
  nowMs: number = Date.now(),
): number | undefined {
  const text = value?.trim() ?? '';
  if (/^\d{1,9}$/.test(text)) return Math.min(Number(text) * 1000, MAX_RETRY_AFTER_MS);
  if (!HTTP_DATE.test(text)) return undefined;
  const waitMs = Date.parse(text) - nowMs;
  return Number.isNaN(waitMs) ? undefined : Math.min(Math.max(waitMs, 0), MAX_RETRY_AFTER_MS);
}

/**
 * What a 429 means, with the time for which it asks; `said` tells who answered it. It stands for the
 * origin that sent it, unless that speaks for another.
 */
export function rateLimited(
  said: string,
  response: RegistryResponse,
  { host, limitedBy = response.url.origin }: { readonly host: string; readonly limitedBy?: string },
): PinError {
  const retryAfterMs = parseRetryAfterMs(response.header('retry-after')[0]);
  return new PinError('rate_limited', said, {
    host,
    limitedBy,
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  });
}
