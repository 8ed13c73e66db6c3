import { Worker } from 'node:worker_threads';

import type { Span } from './tag-history.ts';
import type { Timeline } from './timeline.ts';

type Probe = Span & { readonly times: number };

/** What programs that need half a second must bear is not what tagpin is looked at for. */
const MOST_TIMES = 8;

/**
 * Notes on the timeline when the machine has so much else to do that a program waits eight times as
 * long as it computes: API servers, replicas and makers then miss deadlines by themselves.
 */
export function watchForStarvation(timeline: Timeline): { readonly stop: () => Promise<void> } {
  const worker = new Worker(new URL('./starvation-probe.ts', import.meta.url));
  let end: ((nowMs: number) => void) | undefined;
  worker.on('message', ({ fromMs, untilMs, times }: Probe) => {
    if (times > MOST_TIMES) {
      end ??= timeline.begin('machine starved', undefined, fromMs);
    } else {
      end?.(untilMs);
      end = undefined;
    }
  });
  return {
    stop: async () => {
      await worker.terminate();
      end?.(Date.now());
    },
  };
}
