import { LRUCache } from 'lru-cache';

import type { Lookup } from '../registry/client.ts';

/** Makes what is kept for long as small as it can be. */
export interface Compactor {
  /** The same text in one piece, which keeps nothing alive that it was cut or put together from. */
  readonly flat: <T extends string>(text: T) => T;
  /** The same look-up; the texts that many of them have in common are there once. */
  readonly compact: (lookup: Lookup) => Lookup;
}

/** Hosts and media types are chosen by strangers: of those in use there are far fewer. */
const MAX_SHARED = 1000;

/**
 * V8 copies no part of a text, and joins texts by reference: the host of an image would keep the
 * whole image alive, and a cache's key the texts that it was made of. That doubles a cache's size.
 */
export function createCompactor(): Compactor {
  const shared = new LRUCache<string, string>({ max: MAX_SHARED });
  const share = (text: string): string => {
    const known = shared.get(text);
    if (known !== undefined) return known;
    const one = flat(text);
    shared.set(one, one);
    return one;
  };
  return {
    flat,
    compact: ({ digest, mediaType, source, host, attempts }) => ({
      digest: flat(digest),
      mediaType: mediaType === undefined ? undefined : share(mediaType),
      source,
      host: share(host),
      attempts,
    }),
  };
}

function flat<T extends string>(text: T): T {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the same characters
  return Buffer.from(text).toString() as T;
}
