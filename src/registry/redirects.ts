import { PinError } from '../errors.ts';
import type { RegistryRequest, RegistryResponse } from './exchange.ts';
import type { Guard } from './guard.ts';
import { strangerBefore } from './sender.ts';

/** A request at one place of its way. */
export interface Hop extends RegistryRequest {
  /** Who led there without the right to. */
  readonly stranger: URL | undefined;
}

const MAX_REDIRECTS = 5;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/**
 * Redirects by hand: every hop is guarded, and another origin sees no Authorization. A form is sent
 * nowhere else. Throws PinError, also of a way that is too long.
 */
export async function followRedirects<R extends RegistryResponse>(
  guard: Guard,
  request: RegistryRequest,
  send: (hop: Hop) => Promise<R>,
): Promise<R> {
  const follows = request.followRedirects && request.form === undefined;
  let here = request;
  for (let hop = 0; hop <= MAX_REDIRECTS; hop += 1) {
    const { url, connection } = here;
    const stranger = strangerBefore(guard, here);
    guard.checkUrl(url, { byFile: connection?.named, stranger });
    // oxlint-disable-next-line no-await-in-loop -- each hop is known only from the one before
    const response = await send({ ...here, stranger });
    const next = follows ? locationOf(response) : undefined;
    if (next === undefined) return response;
    here = requestAt(here, next);
  }
  const { host, hostname } = request.url;
  const message = `${host} redirects more than ${MAX_REDIRECTS} times`;
  throw new PinError('invalid_response', message, { host: hostname });
}

/**
 * Where an answer leads on to; undefined where it does not. Throws PinError: `invalid_response` where
 * that is no address, `blocked_address` where it leaves TLS.
 */
function locationOf(response: RegistryResponse): URL | undefined {
  const [location] = response.header('location');
  if (!REDIRECTS.has(response.status) || location === undefined) return undefined;
  const from = response.url;
  const url = URL.parse(location, from.href);
  if (url === null) {
    throw new PinError('invalid_response', `${from.host} redirects to no address`, {
      host: from.hostname,
    });
  }
  refuseDowngrade(from, url);
  return url;
}

/** What was asked over TLS is not answered without, not even by a host that may speak http. */
function refuseDowngrade(from: URL, to: URL): void {
  if (from.protocol !== 'https:' || to.protocol !== 'http:') return;
  const message = `${from.host} redirects from https to http, which is not followed`;
  throw new PinError('blocked_address', message, { host: from.hostname });
}

/** The same request at another URL; to another origin goes what any stranger may see. */
function requestAt(request: RegistryRequest, url: URL): RegistryRequest {
  const { url: from, connection, sender } = request;
  if (url.origin === from.origin) return { ...request, url };
  const { accept } = request.headers;
  return {
    ...request,
    url,
    headers: { ...(accept && { accept }) },
    connection: undefined,
    sender: { url: from, connection, sender },
  };
}
