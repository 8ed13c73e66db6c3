/** Numbers by chance that are the same in every run of one seed. */
export interface Random {
  /** At least 0, and below 1. */
  readonly next: () => number;
  /** A whole number, at least 0, and below `count`. */
  readonly below: (count: number) => number;
  /** The time to the next of events that come by chance, `perHour` of them on average. Milliseconds. */
  readonly waitMs: (perHour: number) => number;
}

const HOUR_MS = 3_600_000;

/**
 * A stream of its own for each name, so that one more question to one of them moves no other.
 * The generator is mulberry32, the seed of a name FNV-1a: no cryptography is wanted here.
 */
export function createRandom(seed: number, name: string): Random {
  let state = 0x811c9dc5 ^ seed;
  for (const char of name) state = Math.imul(state ^ char.charCodeAt(0), 0x01000193);
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return {
    next,
    below: (count) => Math.floor(next() * count),
    waitMs: (perHour) => (-Math.log(1 - next()) * HOUR_MS) / perHour,
  };
}

/** Ranks from 0, below `count`: the second is asked for half as often as the first, the third a third (Zipf's law). */
export function createPopularity(count: number, random: Random): () => number {
  const sums = new Float64Array(count);
  let sum = 0;
  for (let rank = 0; rank < count; rank += 1) {
    sum += 1 / (rank + 1);
    sums[rank] = sum;
  }
  return () => {
    const wanted = random.next() * sum;
    let [low, high] = [0, count - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((sums[middle] ?? 0) > wanted) high = middle;
      else low = middle + 1;
    }
    return low;
  };
}
