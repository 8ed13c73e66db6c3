import { LRUCache } from 'lru-cache';
import pLimit, { type LimitFunction } from 'p-limit';

/** How many look-ups run at the same time: per namespace, per registry and in total. */
export interface Limits {
  /** Takes a place of the namespace; held while its look-up waits for the others. */
  readonly inNamespace: <T>(namespace: string, act: () => Promise<T>) => Promise<T>;
  /** Takes a place of the registry, then one of all. */
  readonly inRegistry: <T>(registry: string, act: () => Promise<T>) => Promise<T>;
  /** This registry has answered: it gets places of its own. */
  readonly hasAnswered: (registry: string) => void;
}

const PER_NAMESPACE = 8;
const PER_REGISTRY = 16;
const IN_TOTAL = 64;
/**
 * Shared by all hosts that never answered, so that invented names cannot take every place; and more
 * than a namespace has, or one alone could keep a registry from ever answering.
 */
const FOR_STRANGERS = 16;
/** Names are chosen by tenants: the least used limiter is forgotten, and starts again empty. */
const MAX_NAMES = 10_000;

export function createLimits(): Limits {
  const total = pLimit(IN_TOTAL);
  const strangers = pLimit(FOR_STRANGERS);
  const registries = new LRUCache<string, LimitFunction>({ max: MAX_NAMES });
  const namespaces = new LRUCache<string, LimitFunction>({ max: MAX_NAMES });
  return {
    inNamespace: (namespace, act) => {
      const limit = namespaces.get(namespace) ?? pLimit(PER_NAMESPACE);
      namespaces.set(namespace, limit);
      return limit(act);
    },
    // The order matters: whoever waits for a registry must hold none of the places of all.
    inRegistry: (registry, act) => (registries.get(registry) ?? strangers)(async () => total(act)),
    hasAnswered: (registry) => {
      if (!registries.has(registry)) registries.set(registry, pLimit(PER_REGISTRY));
    },
  };
}
