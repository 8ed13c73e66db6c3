import { setTimeout as delay } from 'node:timers/promises';
import { parentPort } from 'node:worker_threads';

/** In a thread of its own: how much slower than alone this machine computes, again and again. */
const WORK_MS = 30;
const EVERY_MS = 1000;

/** How often longer than it computed it took to compute for so long. */
function slowdown(): number {
  const startedAtMs = performance.now();
  const before = process.threadCpuUsage();
  for (;;) {
    const { user, system } = process.threadCpuUsage(before);
    const usedMs = (user + system) / 1000;
    if (usedMs >= WORK_MS) return (performance.now() - startedAtMs) / usedMs;
  }
}

for (;;) {
  const fromMs = Date.now();
  const times = slowdown();
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
  parentPort?.postMessage({ fromMs, untilMs: Date.now(), times });
  await delay(EVERY_MS);
}
