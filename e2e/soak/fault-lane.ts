import { setTimeout as delay } from 'node:timers/promises';

import type { Random } from '../simulation/random.ts';
import { faultKind, faultsOf, type Lane, type MadeFault, type RegistryName } from './fault-kind.ts';
import { INJECTIONS, mend } from './injections.ts';
import type { Timeline } from './timeline.ts';
import type { World } from './world.ts';

/** Of quiet between two faults. */
const LEAST_PAUSE_MS = 500;
const MOST_PAUSE_MS = 3000;

export interface FaultLaneParts {
  readonly lane: Lane;
  readonly world: World;
  readonly timeline: Timeline;
  readonly random: Random;
  /** No fault begins after that. */
  readonly isOver: () => boolean;
}

/** One fault after the other; each kind of the lane once before any comes again. */
export async function runFaults({
  lane,
  world,
  timeline,
  random,
  isOver,
}: FaultLaneParts): Promise<void> {
  let bag: MadeFault[] = [];
  while (!isOver()) {
    await delay(between(random, LEAST_PAUSE_MS, MOST_PAUSE_MS));
    if (isOver()) return;
    if (bag.length === 0) bag = shuffled(faultsOf(lane), random);
    const name = bag.pop();
    if (name === undefined) return;
    const { duration, registries = [] } = faultKind(name);
    const registry: RegistryName | undefined = registries[random.below(registries.length)];
    const strike = {
      registry,
      ms: between(random, duration.leastMs, duration.mostMs),
      nth: random.below(60),
    };
    const end = timeline.begin(name, registry, Date.now());
    await INJECTIONS[name](world, strike);
    end(Date.now());
    await mend(world, name);
  }
}

function between(random: Random, least: number, most: number): number {
  return least + random.next() * (most - least);
}

function shuffled<T>(items: readonly T[], random: Random): T[] {
  const left = [...items];
  return items.flatMap(() => left.splice(random.below(left.length), 1));
}
