import { PinError } from '../errors.ts';
import type { RegistryRequest, RegistryResponse } from './transport.ts';

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/**
 * Where an answer leads on to; undefined where it does not. Throws PinError: `invalid_response` where
 * that is no address, `blocked_address` where it leaves TLS.
 */
export function locationOf(response: RegistryResponse): URL | undefined {
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
export function requestAt(request: RegistryRequest, url: URL): RegistryRequest {
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
