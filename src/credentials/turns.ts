/** Waits for a free place, acts, and leaves the place to the next. */
export type Turns = <T>(act: () => Promise<T>) => Promise<T>;

/** Lets at most `atATime` acts go on at once; the others wait in the order in which they came. */
export function createTurns(atATime: number): Turns {
  const waiting: (() => void)[] = [];
  let free = atATime;
  return async (act) => {
    if (free > 0) free -= 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await act();
    } finally {
      const next = waiting.shift();
      if (next === undefined) free += 1;
      else next();
    }
  };
}
