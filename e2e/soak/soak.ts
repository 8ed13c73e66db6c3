import { setTimeout as delay } from 'node:timers/promises';

import { createRandom } from '../simulation/random.ts';
import { auditEvents } from './audit.ts';
import { connectClient } from './cluster-api.ts';
import { judgeControllers } from './controllers.ts';
import { makeDeployments } from './deployment-maker.ts';
import { type Counted, countFailOpens, judgeFailOpens } from './fail-open.ts';
import { runFaults } from './fault-lane.ts';
import { type Figures, isBounded, lagOf, memoryOf } from './figures.ts';
import { Ledger } from './ledger.ts';
import { judgeLeftovers } from './leftovers.ts';
import type { MakerParts } from './maker.ts';
import { makePods } from './pod-maker.ts';
import { judgeLogs } from './replica-logs.ts';
import { watchForStarvation } from './starvation.ts';
import { moveTags } from './tag-lane.ts';
import { Timeline } from './timeline.ts';
import { MODES, type World } from './world.ts';

export interface SoakOptions {
  readonly seed: number;
  readonly seconds: number;
  /** What the oracle takes the replicas to be told. */
  readonly cacheTtlMs: number;
  readonly staleIfErrorMs: number;
  /** False: tags move, and nothing else happens. */
  readonly hasFaults: boolean;
}

interface SoakResult {
  readonly figures: Figures;
  /** All that must not be, for a person. */
  readonly told: readonly string[];
}

const POD_MAKERS_OF_A_MODE = 2;
const LOOK_EVERY_MS = 2000;

/** Makes Pods and Deployments while everything around tagpin fails by turns, and judges each of them. */
export async function soak(world: World, options: SoakOptions): Promise<SoakResult> {
  const { seed, seconds, cacheTtlMs, staleIfErrorMs } = options;
  const timeline = new Timeline();
  const ledger = new Ledger({ timeline, cacheTtlMs, staleIfErrorMs });
  const api = connectClient(world.kubeconfig, MODES.length * (POD_MAKERS_OF_A_MODE + 1) + 1);
  const startedAtMs = Date.now();
  const areFaultsOver = (): boolean => Date.now() > startedAtMs + seconds * 1000;
  let isOver = false;
  let first = await countFailOpens(api);
  const stopCounting = world.apiServer.onStart((atMs) => {
    first = { atMs, failOpens: 0 };
  });
  const makers = allMakers({ api, ledger, tags: world.tags, isOver: () => isOver }, seed);
  const starvation = watchForStarvation(timeline);
  const looking = lookAround(world, () => isOver);
  const lanes = options.hasFaults ? (['cluster', 'registry'] as const) : [];
  const [tags] = await Promise.all([
    moveTags(world.tags, createRandom(seed, 'tags'), areFaultsOver),
    ...lanes.map((lane) => {
      const random = createRandom(seed, lane);
      return runFaults({ lane, world, timeline, random, isOver: areFaultsOver });
    }),
  ]);
  isOver = true;
  await Promise.all([...makers, looking]);
  stopCounting();
  await starvation.stop();
  await judgeLeftovers(api, ledger);
  const last: Counted = await countFailOpens(api);
  api.close();
  const { directory, replicas } = world;
  await judgeControllers(auditEvents(directory, startedAtMs), world.tags, ledger);
  const events = auditEvents(directory, startedAtMs);
  const failOpens = await judgeFailOpens({ events, ledger, timeline, first, last });
  const memory = memoryOf(replicas.samples);
  if (!isBounded(memory)) {
    const text = `it grew to ${memory.mostMiB.toFixed(0)} MiB`;
    const span = { fromMs: startedAtMs, untilMs: Date.now() };
    ledger.find({ verdict: 'unexplained', text }, 'the memory of a replica', span);
  }
  const errorLines = judgeLogs({
    files: replicas.logs(),
    sinceMs: startedAtMs,
    timeline,
    ledger,
  });
  const figures: Figures = {
    seed,
    seconds,
    found: ledger.found,
    fates: ledger.fates(),
    faults: timeline.counts(),
    tags,
    starvedSeconds: timeline.secondsOf('machine starved'),
    failOpens,
    registryRequests: replicas.registryRequests(),
    errorLines,
    memory,
    lagP99Ms: lagOf(replicas.samples),
  };
  return { figures, told: ledger.told };
}

/** Of each mode, some who make Pods and one who makes Deployments. */
function allMakers(
  parts: Pick<MakerParts, 'api' | 'ledger' | 'tags' | 'isOver'>,
  seed: number,
): readonly Promise<void>[] {
  return MODES.flatMap((mode) => {
    const partsOf = (name: string): MakerParts => {
      const unique = `${name}-${Date.now().toString(36)}`;
      return { ...parts, mode, name: unique, random: createRandom(seed, `${mode} ${name}`) };
    };
    return [
      ...Array.from({ length: POD_MAKERS_OF_A_MODE }, (_, n) => makePods(partsOf(`p${n}`))),
      makeDeployments(partsOf('d')),
    ];
  });
}

async function lookAround({ replicas }: World, isOver: () => boolean): Promise<void> {
  while (!isOver()) {
    await replicas.look();
    await delay(LOOK_EVERY_MS);
  }
  await replicas.look();
}
