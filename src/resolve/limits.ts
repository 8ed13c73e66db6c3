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
/** Of them for one such host, so that one that hangs leaves the other images of a Pod two. */
const PER_STRANGER = 2;
const MAX_STRANGERS = 100;
/** Names are chosen by tenants: the least used limiter is forgotten, and starts again empty. */
const MAX_NAMESPACES = 10_000;

interface NamespaceLimits {
  readonly all: LimitFunction;
  readonly strangers: LimitFunction;
  /** By the host that never answered. */
  readonly byStranger: LRUCache<string, LimitFunction>;
}

/** @param perNamespace how many look-ups of one namespace run at the same time */
export function createLimits(perNamespace: number = PER_NAMESPACE): Limits {
  const { knows, ...places } = createPlaces();
  const namespaces = new LRUCache<string, NamespaceLimits>({ max: MAX_NAMESPACES });
  return {
    ...places,
    inNamespace: ({ namespace, registry }, act) => {
      const limits = namespaces.get(namespace) ?? namespaceLimits(perNamespace);
      namespaces.set(namespace, limits);
      return knows(registry) ? limits.all(act) : asStranger(limits, registry, act);
    },
  };
}

function namespaceLimits(perNamespace: number): NamespaceLimits {
  return {
    all: pLimit(perNamespace),
    strangers: pLimit(FOR_STRANGERS),
    byStranger: new LRUCache({ max: MAX_STRANGERS }),
  };
}

/** Whoever waits for a host holds none of the namespace's places. */
function asStranger<T>(
  { all, strangers, byStranger }: NamespaceLimits,
  registry: string,
  act: () => Promise<T>,
): Promise<T> {
  const one = byStranger.get(registry) ?? pLimit(PER_STRANGER);
  byStranger.set(registry, one);
  return one(async () => strangers(async () => all(act)));
}
