import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';

import { type Figures, simulate } from './simulation.ts';
import type { Run } from './sweeps.ts';

/** A run with what came of it. */
export type Result = Pick<Run, 'sweep' | 'series' | 'value'> & { readonly figures: Figures };

/** Makes all runs, as many at a time as there are processors; the results in the order of the runs. */
export async function runAll(
  runs: readonly Run[],
  observe: (ended: Result) => void,
): Promise<Result[]> {
  const results: Result[] = [];
  const left = [...runs.entries()];
  const work = async (): Promise<void> => {
    const worker = new Worker(import.meta.filename);
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      const [index, run] = next;
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
      worker.postMessage(run.scenario);
      // oxlint-disable-next-line no-await-in-loop -- one run after the other
      const [figures] = (await once(worker, 'message')) as [Figures];
      const result = { sweep: run.sweep, series: run.series, value: run.value, figures };
      results[index] = result;
      observe(result);
    }
    await worker.terminate();
  };
  await Promise.all(Array.from({ length: availableParallelism() }, work));
  return results;
}

if (!isMainThread) {
  parentPort?.on('message', (scenario: Run['scenario']) => {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
    void simulate(scenario).then((figures) => parentPort?.postMessage(figures));
  });
}
