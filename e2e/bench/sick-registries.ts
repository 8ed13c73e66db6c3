import { startTagRegistry, type TagRegistryOptions } from './tag-registry.ts';
import { startTarpit } from './tarpit.ts';

/** Registries with which something is wrong. */
export interface SickRegistries {
  readonly hosts: readonly string[];
  readonly close: () => void;
}

/** Where those are that speak http. */
export const SICK_ADDRESS = '127.0.0.2';

/** Longer than anybody finds usual, and shorter than a review waits. */
const SLOW_MS = 2000;
/** So long a flapping one is well, and then as long it says nothing. */
const FLAP_MS = 500;
const WELL_MS = 20;

/**
 * All kinds, each under names that nobody knows yet, or the breaker would remember them; `net` is
 * another number at each start.
 */
export const SICK_REGISTRIES: Readonly<Record<string, (net: number) => Promise<SickRegistries>>> = {
  'a dead registry': (net) => startTarpit(1, net),
  'a thousand invented hosts': (net) => startTarpit(1000, net),
  'a slow registry': () => startOne({ delayMs: () => SLOW_MS }),
  'a registry that answers 429': () => startOne({ status: () => 429 }),
  'a flapping registry': () =>
    startOne({
      delayMs: () =>
        Math.floor(performance.now() / FLAP_MS) % 2 === 0 ? WELL_MS : Number.POSITIVE_INFINITY,
    }),
};

async function startOne(options: TagRegistryOptions): Promise<SickRegistries> {
  const { host, close } = await startTagRegistry({ ...options, address: SICK_ADDRESS });
  return { hosts: [host], close };
}
