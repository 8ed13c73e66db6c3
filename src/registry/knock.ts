import { LRUCache } from 'lru-cache';

import { PinError } from '../errors.ts';
import type { RegistryResponse } from './exchange.ts';
import { type ManifestQuestion, type RequestParts, sendFirstRequest } from './manifest-request.ts';

/**
 * Finds out, once, whether there is anybody at an endpoint, whatever it answers, by the request that
 * would be the first one anyway: its answer, or undefined where somebody is known to be there. Throws
 * PinError of a host that is not there, or must not be asked.
 */
export type Knock = (
  question: Omit<ManifestQuestion, 'credential'>,
) => Promise<RegistryResponse | undefined>;

/** Hosts are a tenant's choice: the least used is a stranger again. */
const MAX_KNOWN = 10_000;

export function createKnock(parts: RequestParts): Knock {
  const answered = new LRUCache<string, true>({ max: MAX_KNOWN });
  return async (question) => {
    const { origin } = question.endpoint;
    if (answered.has(origin)) return undefined;
    try {
      const response = await sendFirstRequest(parts, { ...question, credential: undefined });
      answered.set(origin, true);
      return response;
    } catch (caught) {
      if (!(caught instanceof PinError) || caught.code !== 'invalid_response') throw caught;
      // What is not understood came from somebody.
      answered.set(origin, true);
      return undefined;
    }
  };
}
