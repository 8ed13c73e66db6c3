/** The API server's default for `timeoutSeconds`, where a caller names none. */
const DEFAULT_TIMEOUT_MS = 10_000;
/** The API server kills every call after 30 s. */
const MAX_TIMEOUT_MS = 30_000;
/** The API server rounds what is left of its own deadline up to a whole second. */
const ROUNDING_MS = 1000;
/** For the way back. */
const MARGIN_MS = 500;
/** Less than this is no time to ask a registry in, but a warm answer still makes it. */
const MIN_BUDGET_MS = 100;

/** In the query of the API server's call, the only parameter that it sends. */
const TIMEOUT = /[?&]timeout=(\d{1,4})s(?:&|$)/;

/** How long the review of this URL may take: its `timeout` (`10s`) without rounding and margin. */
export function budgetMs(url: string): number {
  const seconds = TIMEOUT.exec(url)?.[1];
  const askedMs = seconds === undefined ? DEFAULT_TIMEOUT_MS : Number(seconds) * 1000;
  const budget = Math.min(askedMs, MAX_TIMEOUT_MS) - ROUNDING_MS - MARGIN_MS;
  return Math.max(budget, MIN_BUDGET_MS);
}
