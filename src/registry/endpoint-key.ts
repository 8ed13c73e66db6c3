import type { Endpoint } from './hosts.ts';

/** What of a place decides the answers that it gives. */
export type EndpointIdentity = Pick<Endpoint, 'origin' | 'root' | 'upstream' | 'connection'>;

/**
 * Names a place in what is remembered of it. One server may be a registry that anybody can name, and
 * a mirror of the operator's: what it gave to whoever showed the operator's certificate is for nobody
 * who shows none.
 */
export function endpointKey({ origin, root, upstream, connection }: EndpointIdentity): string {
  const how = connection && [connection.named, connection.tls?.id];
  // JSON keeps apart what concatenation would not.
  return JSON.stringify([origin, root, upstream, how]);
}
