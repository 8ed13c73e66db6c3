const LATE = Symbol('late');

/**
 * Waits for something, no longer than so many milliseconds. What is too late goes on, and nobody
 * hears of it.
 *
 * @param late gives what is taken in its place, or throws
 */
export async function within<T>(limitMs: number, pending: Promise<T>, late: () => T): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<typeof LATE>((resolve) => {
    timer = setTimeout(() => resolve(LATE), Math.max(0, limitMs));
  });
  try {
    const first = await Promise.race([pending, limit]);
    return first === LATE ? late() : first;
  } finally {
    clearTimeout(timer);
  }
}
