import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { createRandom } from './simulation/random.ts';
import { textOfFigures } from './soak/figures.ts';
import { SETTINGS, soakSettings } from './soak/settings.ts';
import { soak } from './soak/soak.ts';
import { startWorld, type World } from './soak/world.ts';
import { stopAll } from './support/child-process.ts';
import { readEnvironment } from './support/environment.ts';

const SEED = 1;
/** Each fault of the cluster comes about once in this time. */
const SECONDS = 40;
/** Tags move by chance: so often is one looked for that was asked for before and after. */
const ATTEMPTS = 10;
/** Of tags that move, and nothing else. */
const SECONDS_OF_A_PLANTED_FAULT = 6;

/** A control plane of its own, for it is killed. */
const directory = join(readEnvironment().directory, 'soak');
let world: World;

beforeAll(async () => {
  await mkdir(directory);
  const random = createRandom(SEED, 'world');
  world = await startWorld({ directory, random, settings: soakSettings() });
});
afterAll(async () => {
  await world.stop();
  await stopAll(directory);
});

describe('while everything around tagpin fails by turns', () => {
  it('no Pod has a digest that is wrong, none is lost, and each without one has its explanation', async () => {
    const options = { seed: SEED, seconds: SECONDS, hasFaults: true, ...SETTINGS };
    const { figures, told } = await soak(world, options);
    process.stderr.write(`e2e: ${textOfFigures(figures)}\n`);
    expect(told).toEqual([]);
    expect(figures.found).toEqual({ wrong: 0, lost: 0, unexplained: 0 });
    for (const mode of ['pin', 'enforce', 'warn']) {
      expect(figures.fates[`${mode}, Pod: as it should be`]).toBeGreaterThan(0);
      expect(figures.fates[`${mode}, Deployment: as it should be`]).toBeGreaterThan(0);
    }
    expect(Object.keys(figures.faults).length).toBeGreaterThan(5);
    expect(figures.tags.moved).toBeGreaterThan(0);
  });

  it('a replica that keeps digests longer than it is told would be found', async () => {
    await world.replicas.restartWith(soakSettings(3_600_000));
    const told: string[] = [];
    // Tags must move, and be asked for before and after.
    const isFound = (): boolean => told.some((one) => one.startsWith('wrong'));
    for (let seed = SEED; !isFound() && seed < SEED + ATTEMPTS; seed += 1) {
      const options = { seed, seconds: SECONDS_OF_A_PLANTED_FAULT, hasFaults: false, ...SETTINGS };
      told.push(...(await soak(world, options)).told);
    }
    expect(told.join('\n')).toContain('not what the tag had');
  });
});
