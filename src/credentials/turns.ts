/** One who wants to act. */
interface Wish {
  /** The fewer of the places it holds, the sooner it has the next: a namespace. */
  readonly whose: string;
  /** Asked while it waits: why it has no use for a turn any more. */
  readonly givenUp?: () => Error | undefined;
}

/**
 * Waits for a free place, acts, and leaves the place to the next. Rejects with what `givenUp` tells,
 * and then never acts.
 */
export type Turns = <T>(wish: Wish, act: () => Promise<T>) => Promise<T>;

export interface TurnsLimits {
  /** How many acts may go on at once. */
  readonly inAll: number;
  /** Of them for one. */
  readonly each: number;
}

interface Waiting extends Wish {
  readonly start: () => void;
  readonly end: (reason: Error) => void;
}

/**
 * A free place goes to the one who holds the fewest, and to whoever came first among equals. What is
 * kept by a name is kept while it holds a place or waits for one.
 */
export function createTurns({ inAll, each }: TurnsLimits): Turns {
  const heldBy = new Map<string, number>();
  const waiting = new Set<Waiting>();
  let held = 0;

  const holds = (whose: string): number => heldBy.get(whose) ?? 0;
  const isFree = (whose: string): boolean => held < inAll && holds(whose) < each;
  const take = (whose: string): void => {
    held += 1;
    heldBy.set(whose, holds(whose) + 1);
  };
  const giveBack = (whose: string): void => {
    held -= 1;
    if (holds(whose) === 1) heldBy.delete(whose);
    else heldBy.set(whose, holds(whose) - 1);
  };
  const dismiss = (): void => {
    for (const one of waiting) {
      const reason = one.givenUp?.();
      if (reason === undefined) continue;
      waiting.delete(one);
      one.end(reason);
    }
  };
  const callNext = (): void => {
    dismiss();
    let next: Waiting | undefined;
    for (const one of waiting) {
      if (!isFree(one.whose)) continue;
      if (next === undefined || holds(one.whose) < holds(next.whose)) next = one;
    }
    if (next === undefined) return;
    waiting.delete(next);
    take(next.whose);
    next.start();
  };

  return async (wish, act) => {
    if (isFree(wish.whose)) take(wish.whose);
    else {
      // Here as well, so that those who have gone do not pile up behind an act that hangs.
      dismiss();
      await new Promise<void>((start, end) => void waiting.add({ ...wish, start, end }));
    }
    try {
      return await act();
    } finally {
      giveBack(wish.whose);
      callNext();
    }
  };
}
