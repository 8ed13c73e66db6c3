import { AsyncLocalStorage } from 'node:async_hooks';

import type { Authorizer } from '../registry/token.ts';
import type { Journey, Route } from './route.ts';

/** Tells look-ups how long they waited for tokens. */
export interface Stopwatch {
  readonly route: (route: Route) => Route;
  readonly authorizer: (authorizer: Authorizer) => Authorizer;
}

/** @param now the clock of `performance.now()`, in milliseconds */
export function createStopwatch(now: () => number): Stopwatch {
  // Authorizers are shared, and several of one look-up's credentials may need a token each.
  const running = new AsyncLocalStorage<Journey['times']>();
  return {
    route: (route) => ({
      ...route,
      lookup: (journey) => running.run(journey.times, () => route.lookup(journey)),
    }),
    authorizer: (authorizer) => ({
      ...authorizer,
      answer: async (...asked) => {
        const times = running.getStore();
        const startedAtMs = now();
        try {
          return await authorizer.answer(...asked);
        } finally {
          if (times !== undefined) times.tokenMs += now() - startedAtMs;
        }
      },
    }),
  };
}
