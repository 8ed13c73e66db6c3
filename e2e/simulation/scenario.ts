/** A cluster, what happens in it, and how tagpin is set up there. */
export interface Scenario {
  readonly seed: number;
  readonly nodes: number;
  readonly namespaces: number;
  /** Deployments and CronJobs together. */
  readonly workloads: number;
  readonly replicasPerWorkload: number;
  /** How many different images workloads and Jobs choose from, by Zipf's law. */
  readonly tags: number;
  readonly imagesPerPod: number;
  readonly podsPerHour: number;
  /** Of the Pods that start: replicas that are replaced, runs of CronJobs, and Jobs that somebody makes. */
  readonly mix: { readonly replicas: number; readonly cronJobs: number; readonly ownJobs: number };
  /** How many Deployments get another tag in an hour, and how many are restarted with the same one. */
  readonly rolloutsPerHour: number;
  readonly restartsPerHour: number;
  /** How often somebody applies a Deployment again that did not change. */
  readonly appliesPerHour: number;
  /** Of the namespaces: in which templates are pinned; the others have `tagpin.dev/level: pods`. */
  readonly pinnedShare: number;
  /** Of the images: those on Docker Hub; the others are on the company's registry. */
  readonly hubShare: number;
  readonly hub: string;
  readonly ownRegistry: string;
  /** How many accounts of the company's registry there are in the pull secrets; 0: no Pod has one. */
  readonly accounts: number;
  readonly registryLatencyMs: number;
  readonly tokenLifeS: number;
  /** Of tagpin. */
  readonly replicas: number;
  readonly cacheTtlMs: number;
  readonly siblings: 'cluster' | 'memory' | 'off';
  readonly sharedCache: boolean;
  /** Nothing is counted before the warm-up is over. */
  readonly warmUpMs: number;
  readonly measuredMs: number;
}

const MINUTE_MS = 60_000;

/** Half of the images are replaced within a week (Sysdig 2019), so a workload is with this chance in an hour. */
const ROLLOUTS_PER_WORKLOAD_HOUR = Math.LN2 / (7 * 24);
/** Alibaba's microservices of 2022: 28,000 on 40,000 nodes, in 470,000 containers. */
const WORKLOADS_PER_NODE = 28_000 / 40_000;
const CONTAINERS_PER_WORKLOAD = Math.round(470_000 / 28_000);
/** Between 0.8 (Sysdig 2019) and 5 (Alibaba 2018). */
const PODS_PER_NODE_HOUR = 2;
const NODES_PER_NAMESPACE = 10;

/** A cluster of so many nodes, as published traces have them; see docs/scaling.md for each figure. */
export function clusterOf(nodes: number): Scenario {
  const workloads = Math.round(nodes * WORKLOADS_PER_NODE);
  return {
    seed: 1,
    nodes,
    namespaces: Math.ceil(nodes / NODES_PER_NAMESPACE),
    workloads,
    replicasPerWorkload: CONTAINERS_PER_WORKLOAD,
    tags: nodes,
    imagesPerPod: 2,
    podsPerHour: nodes * PODS_PER_NODE_HOUR,
    mix: { replicas: 0.45, cronJobs: 0.3, ownJobs: 0.25 },
    rolloutsPerHour: workloads * ROLLOUTS_PER_WORKLOAD_HOUR,
    restartsPerHour: workloads * ROLLOUTS_PER_WORKLOAD_HOUR,
    appliesPerHour: workloads / 24,
    pinnedShare: 1,
    hubShare: 0.4,
    hub: 'docker.io',
    ownRegistry: 'registry.corp.example',
    accounts: 1,
    registryLatencyMs: 50,
    tokenLifeS: 300,
    replicas: 2,
    cacheTtlMs: MINUTE_MS,
    siblings: 'cluster',
    sharedCache: false,
    ...timesOf(nodes * PODS_PER_NODE_HOUR, MINUTE_MS),
  };
}

/** Enough Pods to count, and no more. */
const MEASURED_PODS = 500;
const MIN_MEASURED_MS = 10 * MINUTE_MS;
const MAX_MEASURED_MS = 4 * 60 * MINUTE_MS;
/** The cluster is being made in the first five of them. */
const MIN_WARM_UP_MS = 10 * MINUTE_MS;

/** How long a cluster is watched: until what is fresh in a cache was put there while it was. */
function timesOf(
  podsPerHour: number,
  cacheTtlMs: number,
): Pick<Scenario, 'warmUpMs' | 'measuredMs'> {
  const wantedMs = (MEASURED_PODS / podsPerHour) * 60 * MINUTE_MS;
  const measuredMs = Math.min(MAX_MEASURED_MS, Math.max(MIN_MEASURED_MS, wantedMs));
  return {
    warmUpMs: Math.max(MIN_WARM_UP_MS, cacheTtlMs),
    measuredMs: Math.max(measuredMs, cacheTtlMs),
  };
}

/** A scenario with something else in it. */
export function varied(scenario: Scenario, changes: Partial<Scenario>): Scenario {
  const all = { ...scenario, ...changes };
  return { ...all, ...timesOf(all.podsPerHour, all.cacheTtlMs) };
}
