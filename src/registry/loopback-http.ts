import { isIP } from 'node:net';

import { createRanges, LOOPBACK } from './addresses.ts';
import { hostsOf } from './host-globs.ts';

/**
 * Tells the URLs whose host is this machine by its name alone, and speaks http as far as anybody
 * said: `localhost` and what is below it (RFC 6761 section 6.3), and loopback addresses. Port 443 is
 * that of https, and so is a host for which authorities are named.
 *
 * @param secured `HOST[:PORT]` of registries that speak https
 */
export function createLoopbackHttp(secured: readonly string[]): (url: URL) => boolean {
  const isLoopback = createRanges(LOOPBACK);
  const isSecured = hostsOf(secured, 80);
  return (url) => {
    const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
    const isHere = isIP(host) === 0 ? /^(?:.+\.)?localhost$/.test(host) : isLoopback(host);
    return isHere && url.port !== '443' && !isSecured(url);
  };
}
