import { trendOf } from '../bench/trend.ts';
import type { Finding } from './image-oracle.ts';
import type { Sample } from './replicas.ts';
import type { TagChanges } from './tag-lane.ts';

/** What came of a soak. */
export interface Figures {
  readonly seed: number;
  readonly seconds: number;
  readonly found: Readonly<Record<Finding['verdict'], number>>;
  /** Pods and Deployments by mode, kind and fate. */
  readonly fates: Readonly<Record<string, number>>;
  readonly faults: Readonly<Record<string, number>>;
  readonly tags: TagChanges;
  /** For how long the machine had no processor for this, so that next to everything has an explanation. */
  readonly starvedSeconds: number;
  /** Calls of the webhook that got no answer, by the audit log. */
  readonly failOpens: number;
  readonly registryRequests: number;
  /** Lines of level error in the logs of the replicas. */
  readonly errorLines: number;
  readonly memory: Memory;
  /** Of the replicas, as they were looked at. */
  readonly lagP99Ms: { readonly median: number; readonly most: number };
}

interface Memory {
  readonly mostMiB: number;
  /** Of the replica that lived longest; undefined where that was not long. */
  readonly trendMiBPerMinute: { readonly slope: number; readonly uncertainty: number } | undefined;
}

const MIB = 1024 * 1024;
const MINUTE_MS = 60_000;
/** A process takes memory until it has seen everything once. */
const WARM_UP_SHARE = 0.3;
/** Below that the engine of V8 is still making room for itself. */
const LEAST_TREND_MINUTES = 2;
/** Of one replica, of this load: an engine of V8 that has room takes it. */
const MOST_MIB = 400;

export function memoryOf(samples: readonly Sample[]): Memory {
  const byPid = Map.groupBy(samples, ({ pid }) => pid);
  const longest = [...byPid.values()].toSorted((a, b) => b.length - a.length)[0] ?? [];
  const settled = longest.slice(Math.floor(longest.length * WARM_UP_SHARE));
  const points = settled.map(({ atMs, rssBytes }) => [atMs / MINUTE_MS, rssBytes / MIB] as const);
  const minutes = (points.at(-1)?.[0] ?? 0) - (points[0]?.[0] ?? 0);
  return {
    mostMiB: Math.max(0, ...samples.map(({ rssBytes }) => rssBytes)) / MIB,
    trendMiBPerMinute: minutes < LEAST_TREND_MINUTES ? undefined : trendOf(points),
  };
}

export function isBounded({ mostMiB }: Memory): boolean {
  return mostMiB < MOST_MIB;
}

export function lagOf(samples: readonly Sample[]): Figures['lagP99Ms'] {
  const sorted = samples.map(({ lagMs }) => lagMs).toSorted((a, b) => a - b);
  return { median: sorted[Math.floor(sorted.length / 2)] ?? 0, most: sorted.at(-1) ?? 0 };
}

/** For a person. */
export function textOfFigures(figures: Figures): string {
  const { found, memory, lagP99Ms, tags } = figures;
  const trend = memory.trendMiBPerMinute;
  const slope =
    trend === undefined
      ? 'too short for a trend'
      : `${trend.slope.toFixed(1)} ± ${trend.uncertainty.toFixed(1)} MiB a minute`;
  return [
    `seed ${figures.seed}, ${figures.seconds} s: ${found.wrong} wrong, ${found.lost} lost, ${found.unexplained} unexplained`,
    ...table('What was made', figures.fates),
    ...table('Faults', figures.faults),
    `  tags moved ${tags.moved}, taken away ${tags.takenAway}`,
    ...(figures.starvedSeconds === 0
      ? []
      : [
          `The machine was busy otherwise for ${figures.starvedSeconds} s: that explains nearly everything`,
        ]),
    `Calls without an answer: ${figures.failOpens}`,
    `Requests to registries: ${figures.registryRequests}`,
    `Lines of level error in the logs: ${figures.errorLines}`,
    `Memory of a replica: at most ${memory.mostMiB.toFixed(0)} MiB; ${slope}`,
    `Delay of the event loop, p99: median ${lagP99Ms.median.toFixed(0)} ms, most ${lagP99Ms.most.toFixed(0)} ms`,
  ].join('\n');
}

function table(title: string, counts: Readonly<Record<string, number>>): readonly string[] {
  const rows = Object.entries(counts).map(
    ([name, count]) => `  ${String(count).padStart(7)}  ${name}`,
  );
  return [`${title}:`, ...rows];
}
