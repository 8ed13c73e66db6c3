import { Gauge, type Registry } from 'prom-client';

import { createTally } from './tally.ts';

/** What is told of the cache that replicas share. */
export interface SharedCacheMetrics {
  readonly sharedCacheRequest: (operation: string, result: string) => void;
  readonly sharedCacheGated: (isLeftAlone: boolean) => void;
}

export function createSharedCacheMetrics(register: Registry): SharedCacheMetrics {
  const gated = new Gauge({
    name: 'tagpin_shared_cache_gated',
    help: '1 while the shared cache does not answer, and is left alone.',
    registers: [register],
  });
  return {
    sharedCacheRequest: createTally({
      name: 'tagpin_shared_cache_requests_total',
      help: 'Digests read from the shared cache and written to it, by how it answered.',
      labelNames: ['operation', 'result'],
      register,
    }),
    sharedCacheGated: (isLeftAlone) => gated.set(isLeftAlone ? 1 : 0),
  };
}
