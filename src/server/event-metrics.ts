import type { Registry } from 'prom-client';

import { createTally } from './tally.ts';

/** What is told of the Events that are written into namespaces. */
export interface EventMetrics {
  readonly event: (result: 'written' | 'failed' | 'dropped') => void;
}

export function createEventMetrics(register: Registry): EventMetrics {
  return {
    event: createTally({
      name: 'tagpin_events_total',
      help: 'Events about images that kept their tags; what was told lately is dropped.',
      labelNames: ['result'],
      register,
    }),
  };
}
