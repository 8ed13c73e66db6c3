import { Counter, Histogram, type Registry } from 'prom-client';

/** A metric with labels, of which every set of values is small and closed. */
interface Described {
  readonly name: string;
  readonly help: string;
  readonly labelNames: readonly string[];
  readonly register: Registry;
}

/*
 * prom-client finds a series by making an object of the labels and hashing it, several times a
 * review: that cost a tenth of a warm one. Here a review pays for a key in a map, and prom-client is
 * told when somebody reads the metrics.
 */

/** A counter; each call counts one under the given label values, in the order of the names. */
export function createTally(described: Described): (...values: string[]) => void {
  const pending = new Map<string, { readonly values: readonly string[]; count: number }>();
  const counter: Counter = new Counter({
    ...promOptions(described),
    collect: () => {
      for (const { values, count } of pending.values()) counter.labels(...values).inc(count);
      pending.clear();
    },
  });
  return (...values) => {
    const key = keyOf(values);
    const seen = pending.get(key);
    if (seen === undefined) pending.set(key, { values, count: 1 });
    else seen.count += 1;
  };
}

/** Of label values, none of which holds a space. Array.prototype.join() takes four times as long. */
function keyOf(values: readonly string[]): string {
  let key = '';
  for (const value of values) key += ` ${value}`;
  return key;
}

/** So many durations wait at most for a reader. */
const MAX_WAITING = 1000;

/** A histogram of durations; each call adds one, in seconds. */
export function createDurations(
  described: Described & { readonly buckets: number[] },
): (seconds: number, ...values: string[]) => void {
  const pending = new Map<string, { readonly values: readonly string[]; seconds: number[] }>();
  const histogram: Histogram = new Histogram({
    ...promOptions(described),
    buckets: described.buckets,
    collect: () => {
      for (const waiting of pending.values()) tell(waiting);
    },
  });
  const tell = (waiting: { readonly values: readonly string[]; seconds: number[] }): void => {
    const series = histogram.labels(...waiting.values);
    for (const seconds of waiting.seconds) series.observe(seconds);
    waiting.seconds = [];
  };
  return (seconds, ...values) => {
    const key = keyOf(values);
    const waiting = pending.get(key) ?? { values, seconds: [] };
    if (waiting.seconds.push(seconds) === 1) pending.set(key, waiting);
    if (waiting.seconds.length >= MAX_WAITING) tell(waiting);
  };
}

function promOptions({ name, help, labelNames, register }: Described) {
  return { name, help, labelNames: [...labelNames], registers: [register] };
}
