import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import { PinError } from '../../src/errors.ts';
import { parseReference } from '../../src/image/reference.ts';
import type { Resolver } from '../../src/resolve/resolver.ts';
import { Agenda } from './agenda.ts';
import { createCountingRegistry } from './registry.ts';
import { createReplica } from './replica.ts';
import { BASE } from './sweeps.ts';

/** What a replica keeps on its heap for the tags that it has looked up. */
export interface MemoryPoint {
  readonly tags: number;
  readonly heapMB: number;
}

const WARM_UP_TAGS = 1000;
const STEP_TAGS = 3000;
const STEPS = 3;
const REPOSITORIES = 1000;

/** Measured, not computed: a replica looks up so many tags, and what is garbage is collected. */
export async function measureMemory(): Promise<MemoryPoint[]> {
  const lookUp = createLooking();
  // The code is compiled, and what there is once is there.
  await lookUp(0, WARM_UP_TAGS);
  const emptyBytes = collectedBytes();
  const points: MemoryPoint[] = [];
  for (let step = 1; step <= STEPS; step += 1) {
    const tags = step * STEP_TAGS;
    // oxlint-disable-next-line no-await-in-loop -- one step after the other
    await lookUp(WARM_UP_TAGS + tags - STEP_TAGS, WARM_UP_TAGS + tags);
    points.push({ tags, heapMB: Math.round((collectedBytes() - emptyBytes) / 1e5) / 10 });
  }
  return points;
}

function createLooking(): (from: number, to: number) => Promise<void> {
  const agenda = new Agenda();
  const { resolver } = createReplica(BASE, {
    agenda,
    registry: createCountingRegistry(BASE.tokenLifeS),
    fingerprintKey: Buffer.alloc(32),
    sharedDigests: undefined,
    readSecret: () => Promise.reject(new Error('No Pod has a pull secret here')),
    listPods: async () => [],
    observe: () => {},
  });
  const identity = { namespace: 'team', pullSecrets: [], serviceAccount: undefined };
  return async (from, to) => {
    for (let n = from; n < to; n += 1) {
      const reference = parseReference(`${BASE.ownRegistry}/team/app-${n % REPOSITORIES}:1.0.${n}`);
      const deadlineAtMs = agenda.now() + 1000;
      const question = { identity, deadlineAtMs, notBeforeMs: undefined };
      let found: ReturnType<Resolver['resolve']> | undefined;
      agenda.at(agenda.now(), () => {
        found = resolver.resolve(reference, question);
        return found;
      });
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await agenda.run(deadlineAtMs);
      // oxlint-disable-next-line no-await-in-loop -- see above
      if ((await found) instanceof PinError)
        throw new Error(`${reference.repository} has no digest`);
    }
  };
}

function collectedBytes(): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  return process.memoryUsage().heapUsed;
}
