import type { Result } from './crew.ts';
import type { MemoryPoint } from './memory.ts';

/** All that the program found: what tables and plots are made of. */
export interface AllFigures {
  readonly results: readonly Result[];
  readonly memory: readonly MemoryPoint[];
}

/** The results of one line of a sweep, in the order of its values. */
export function lineOf({ results }: AllFigures, sweep: string, series: string): Result[] {
  return results
    .filter((one) => one.sweep === sweep && one.series === series)
    .toSorted((one, other) => one.value - other.value);
}
