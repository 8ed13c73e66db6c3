import { clusterOf, type Scenario, varied } from './scenario.ts';

/** One line of a plot: how tagpin is set up. */
interface Series {
  readonly name: string;
  /** Which of the plots' styles it has, in all of them. */
  readonly look: number;
  readonly changes: Partial<Scenario>;
}

/** One thing that is varied, and everything else as in the base. */
export interface Sweep {
  readonly name: string;
  /** What stands at the axis. */
  readonly label: string;
  readonly unit?: 'share' | 'duration';
  readonly values: readonly number[];
  readonly at: (value: number) => Partial<Scenario>;
  readonly series: readonly Series[];
}

export const BASE: Scenario = clusterOf(200);

const TEMPLATES: Series = { name: 'templates pinned', look: 0, changes: {} };
const PODS: Series = { name: 'Pods only', look: 2, changes: { pinnedShare: 0 } };
const ALONE: Series = {
  name: 'Pods only, no siblings',
  look: 4,
  changes: { pinnedShare: 0, siblings: 'off' },
};

function sharing({ name, look, changes }: Series): Series {
  return {
    name: `${name}, shared cache`,
    look: look + 1,
    changes: { ...changes, sharedCache: true },
  };
}

const FOUR: readonly Series[] = [TEMPLATES, sharing(TEMPLATES), PODS, sharing(PODS)];
const THREE: readonly Series[] = [TEMPLATES, PODS, sharing(PODS)];
const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;

export const SWEEPS: readonly Sweep[] = [
  {
    name: 'replicas',
    label: 'replicas of tagpin',
    values: [1, 2, 5, 20],
    at: (replicas) => ({ replicas }),
    series: [...FOUR, ALONE],
  },
  {
    name: 'tags',
    label: 'different tags in use',
    values: [20, 200, 1000, 5000],
    at: (tags) => ({ tags }),
    series: THREE,
  },
  {
    name: 'pods',
    label: 'Pods that start in an hour',
    values: [100, 400, 1500, 4000],
    at: (podsPerHour) => ({ podsPerHour }),
    series: THREE,
  },
  {
    name: 'ttl',
    label: '--cache-ttl, with ten replicas',
    unit: 'duration',
    values: [10 * SECOND_MS, MINUTE_MS, 10 * MINUTE_MS, 60 * MINUTE_MS],
    at: (cacheTtlMs) => ({ cacheTtlMs, replicas: 10 }),
    series: FOUR,
  },
  {
    name: 'pinned',
    label: 'namespaces in which templates are pinned',
    unit: 'share',
    values: [0, 0.5, 0.9, 1],
    at: (pinnedShare) => ({ pinnedShare }),
    series: [
      { name: 'with siblings', look: 2, changes: {} },
      { name: 'without siblings', look: 4, changes: { siblings: 'off' } },
    ],
  },
  {
    name: 'own-jobs',
    label: 'Pods whose Job somebody makes anew',
    unit: 'share',
    values: [0, 0.1, 0.25, 0.5],
    at: (ownJobs) => ({
      mix: { ownJobs, cronJobs: (1 - ownJobs) * 0.4, replicas: (1 - ownJobs) * 0.6 },
    }),
    series: [TEMPLATES, PODS],
  },
  {
    name: 'nodes',
    label: 'nodes',
    values: [50, 200, 1000, 5000],
    at: clusterOf,
    series: [TEMPLATES, PODS],
  },
  {
    name: 'accounts',
    label: "accounts at the company's registry",
    values: [1, 5, 20],
    at: (accounts) => ({ accounts }),
    series: [PODS],
  },
];

/** One run of the simulation. */
export interface Run {
  readonly sweep: string;
  readonly series: string;
  readonly value: number;
  readonly scenario: Scenario;
}

function runsOf({ name, values, series, at }: Sweep): Run[] {
  return series.flatMap((one) =>
    values.map((value) => ({
      sweep: name,
      series: one.name,
      value,
      scenario: varied(BASE, { ...at(value), ...one.changes }),
    })),
  );
}

/** Every run, the longest first: whoever works beside others then ends with them. */
export function allRuns(): Run[] {
  const runs = SWEEPS.flatMap(runsOf);
  const podsOf = ({ scenario }: Run): number => scenario.podsPerHour * scenario.measuredMs;
  return runs.toSorted((one, other) => podsOf(other) - podsOf(one));
}
