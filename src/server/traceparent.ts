import type { IncomingHttpHeaders } from 'node:http';

/**
 * Version, trace, parent and flags; what later versions put behind them is left out (W3C Trace
 * Context section 3.2). Whoever reaches the port may send anything.
 */
const TRACEPARENT =
  /^(?!ff)([\da-f]{2})-(?!0{32})[\da-f]{32}-(?!0{16})[\da-f]{16}-[\da-f]{2}(?=$|-)/;
const VERSION_0_CHARS = 55;

/** The `traceparent` of a call, by which its log line and the API server's trace are joined. */
export function traceparentOf({ traceparent }: IncomingHttpHeaders): string | undefined {
  if (typeof traceparent !== 'string') return undefined;
  const [told, version] = TRACEPARENT.exec(traceparent) ?? [];
  return version === '00' && traceparent.length > VERSION_0_CHARS ? undefined : told;
}
