import { createPopularity, type Random } from './random.ts';
import type { Scenario } from './scenario.ts';

/** The images that workloads and Jobs name. */
export interface Images {
  /** References of one Pod, each with a tag. */
  readonly choose: () => string[];
}

/** The fraction of the multiples of the golden ratio: spreads a share evenly over a row of numbers. */
const GOLDEN = (Math.sqrt(5) - 1) / 2;

/** Whether the n-th of many belongs to a share of them. */
export function isInShare(n: number, share: number): boolean {
  return ((n + 1) * GOLDEN) % 1 < share;
}

/** Popular ones often, as Zipf's law says; the same ones stand on Docker Hub in every run. */
export function createImages(scenario: Scenario, random: Random): Images {
  const { tags, imagesPerPod, hubShare, hub, ownRegistry } = scenario;
  const rank = createPopularity(tags, random);
  const nameOf = (image: number): string =>
    `${isInShare(image, hubShare) ? hub : ownRegistry}/team/app-${image}:1.0`;
  return { choose: () => Array.from({ length: imagesPerPod }, () => nameOf(rank())) };
}
