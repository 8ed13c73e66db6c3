import { LRUCache } from 'lru-cache';
import pLimit, { type LimitFunction } from 'p-limit';

import { createPlaces, type Places } from './places.ts';

/** How many look-ups run at the same time: per namespace, per registry and in total. */
export interface Limits extends Omit<Places, 'knows'> {
  /** Takes a place of the namespace; held while its look-up waits for the others. */
  readonly inNamespace: <T>(
    who: { readonly namespace: string; readonly registry: string },
    act: () => Promise<T>,
  ) => Promise<T>;
}

const PER_NAMESPACE = 8;
/** Of them for hosts that never answered, so that the others always find one. */
const FOR_STRANGERS = 4;
/** Names are chosen by tenants: the least used limiter is forgotten, and starts again empty. */
const MAX_NAMESPACES = 10_000;

interface NamespaceLimits {
  readonly all: LimitFunction;
  readonly strangers: LimitFunction;
}

export function createLimits(): Limits {
  const { hold, hasAnswered, knows } = createPlaces();
  const namespaces = new LRUCache<string, NamespaceLimits>({ max: MAX_NAMESPACES });
  return {
    hold,
    hasAnswered,
    inNamespace: ({ namespace, registry }, act) => {
      const { all, strangers } = namespaces.get(namespace) ?? {
        all: pLimit(PER_NAMESPACE),
        strangers: pLimit(FOR_STRANGERS),
      };
      namespaces.set(namespace, { all, strangers });
      return knows(registry) ? all(act) : strangers(async () => all(act));
    },
  };
}
