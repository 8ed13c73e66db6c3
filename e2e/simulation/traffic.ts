import type { Agenda } from './agenda.ts';
import type { ApiServer } from './cluster.ts';
import { createImages, isInShare } from './images.ts';
import { createRandom, type Random } from './random.ts';
import type { Scenario } from './scenario.ts';
import { CronJob, Deployment, type Place, runOwnJob } from './workload.ts';

const MINUTE_MS = 60_000;
/** The cluster is there after this time; all workloads at once would be no steady state. */
const CREATION_MS = 5 * MINUTE_MS;
const CRON_JOB_SHARE = 0.3;

interface Inhabitants {
  readonly deployments: readonly Deployment[];
  readonly cronJobs: readonly CronJob[];
}

/** Enters into the agenda what happens in the cluster, until the scenario ends. */
export function startTraffic(scenario: Scenario, agenda: Agenda, api: ApiServer): void {
  const places = placesOf(scenario, agenda, api);
  const inhabitants = settle(scenario, agenda, places);
  changeWorkloads(scenario, agenda, inhabitants);
  runJobs(scenario, agenda, { places, inhabitants });
}

function placesOf(scenario: Scenario, agenda: Agenda, api: ApiServer): Place[] {
  return Array.from({ length: scenario.namespaces }, (_, n) => ({
    api,
    agenda,
    namespace: `team-${n}`,
    isPinned: isInShare(n, scenario.pinnedShare),
    hasPullSecret: scenario.accounts > 0,
  }));
}

function settle(scenario: Scenario, agenda: Agenda, places: readonly Place[]): Inhabitants {
  const images = createImages(scenario, createRandom(scenario.seed, 'workload images'));
  const kinds = createRandom(scenario.seed, 'kinds of workloads');
  const deployments: Deployment[] = [];
  const cronJobs: CronJob[] = [];
  for (let n = 0; n < scenario.workloads; n += 1) {
    const place = nthOf(places, n);
    const what = { name: `workload-${n}`, images: images.choose() };
    const workload =
      kinds.next() < CRON_JOB_SHARE
        ? new CronJob(place, what)
        : new Deployment(place, { ...what, replicas: scenario.replicasPerWorkload });
    if (workload instanceof CronJob) cronJobs.push(workload);
    else deployments.push(workload);
    agenda.at((n * CREATION_MS) / scenario.workloads, () => workload.create());
  }
  return { deployments, cronJobs };
}

/** What happens to Deployments. */
function changeWorkloads(scenario: Scenario, agenda: Agenda, { deployments }: Inhabitants): void {
  const { podsPerHour, mix, rolloutsPerHour, restartsPerHour, appliesPerHour } = scenario;
  const ofRollouts = (rolloutsPerHour + restartsPerHour) * scenario.replicasPerWorkload;
  const events: readonly (readonly [string, number, (one: Deployment) => unknown])[] = [
    // Of the replicas that start, some belong to rollouts.
    ['replicas', podsPerHour * mix.replicas - ofRollouts, (one) => one.replacePod()],
    ['rollouts', rolloutsPerHour, (one) => one.rollOut()],
    ['restarts', restartsPerHour, (one) => one.restart()],
    ['applies', appliesPerHour, (one) => one.apply()],
  ];
  for (const [name, perHour, act] of events) {
    const random = createRandom(scenario.seed, name);
    repeat(agenda, {
      perHour,
      random,
      untilMs: endOf(scenario),
      act: () => act(nthOf(deployments, random.below(deployments.length))),
    });
  }
}

function runJobs(
  scenario: Scenario,
  agenda: Agenda,
  { places, inhabitants }: { places: readonly Place[]; inhabitants: Inhabitants },
): void {
  const { seed, podsPerHour, mix } = scenario;
  const { cronJobs } = inhabitants;
  const cron = createRandom(seed, 'cron jobs');
  const untilMs = endOf(scenario);
  // Their controller makes them when a minute begins: many at once.
  const atNextMinute = (): void => {
    const one = nthOf(cronJobs, cron.below(cronJobs.length));
    agenda.at(Math.ceil(agenda.now() / MINUTE_MS) * MINUTE_MS, () => one.run());
  };
  repeat(agenda, {
    perHour: podsPerHour * mix.cronJobs,
    random: cron,
    untilMs,
    act: atNextMinute,
  });

  const own = createRandom(seed, 'own jobs');
  const images = createImages(scenario, createRandom(seed, 'job images'));
  let jobs = 0;
  const runOne = (): unknown => {
    jobs += 1;
    const place = nthOf(places, own.below(places.length));
    return runOwnJob(place, { name: `job-${jobs}`, images: images.choose() });
  };
  repeat(agenda, { perHour: podsPerHour * mix.ownJobs, random: own, untilMs, act: runOne });
}

interface Event {
  readonly perHour: number;
  readonly random: Random;
  readonly untilMs: number;
  readonly act: () => unknown;
}

function endOf({ warmUpMs, measuredMs }: Scenario): number {
  return warmUpMs + measuredMs;
}

/** Again and again, after a time that is another one each time. */
function repeat(agenda: Agenda, event: Event): void {
  const { perHour, random, untilMs } = event;
  if (perHour <= 0) return;
  const next = (afterMs: number): void => {
    const atMs = afterMs + random.waitMs(perHour);
    if (atMs >= untilMs) return;
    agenda.at(atMs, () => {
      next(atMs);
      return event.act();
    });
  };
  next(CREATION_MS);
}

function nthOf<T>(all: readonly T[], n: number): T {
  const one = all[n % all.length];
  if (one === undefined) throw new Error('The scenario has none of these');
  return one;
}
