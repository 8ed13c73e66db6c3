import { setImmediate } from 'node:timers/promises';

/** Lets the event loop turn until `holds`; what never holds ends with the time of the test. */
export async function until(holds: () => boolean): Promise<void> {
  // oxlint-disable-next-line no-await-in-loop -- each turn may be the one
  while (!holds()) await setImmediate();
}
