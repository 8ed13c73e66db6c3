import { LRUCache } from 'lru-cache';

import { PinError } from '../errors.ts';
import type { Endpoint } from './hosts.ts';
import type { Transport } from './transport.ts';

/**
 * Finds out, once, whether there is anybody at an endpoint, whatever it answers. Throws PinError of a
 * host that is not there, or must not be asked.
 */
export type Knock = (endpoint: Endpoint, signal: AbortSignal) => Promise<void>;

/** Hosts are a tenant's choice: the least used is a stranger again. */
const MAX_KNOWN = 10_000;

export function createKnock(transport: Transport): Knock {
  const answered = new LRUCache<string, true>({ max: MAX_KNOWN });
  return async (endpoint, signal) => {
    const { origin, root, headers, connection } = endpoint;
    if (answered.has(origin)) return;
    try {
      await transport.send({
        method: 'HEAD',
        // Of the OCI distribution specification, "Determining Support" (end-1).
        url: new URL(`${root}/`, origin),
        connection,
        headers: { ...headers },
        signal,
        maxBodyBytes: 0,
        followRedirects: false,
      });
    } catch (caught) {
      // What is not understood came from somebody.
      if (!(caught instanceof PinError) || caught.code !== 'invalid_response') throw caught;
    }
    answered.set(origin, true);
  };
}
