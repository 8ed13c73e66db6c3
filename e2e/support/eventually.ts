import { setTimeout as delay } from 'node:timers/promises';

/**
 * Repeats an attempt until it no longer throws, and gives its value: the one way in which these
 * tests wait for a control loop.
 *
 * @throws what the last attempt threw, once `timeoutMs` have passed
 */
export async function eventually<T>(
  attempt: () => T | Promise<T>,
  timeoutMs: number = 120_000,
): Promise<T> {
  const giveUpAtMs = performance.now() + timeoutMs;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (performance.now() > giveUpAtMs) throw error;
    }
    await delay(100);
  }
}
