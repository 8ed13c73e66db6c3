import type { Workload } from '../audit/use.ts';
import type { OwnerReference } from './owner-reference.ts';

/** Pods that run the same bytes in one place. */
interface RunningPods {
  pods: number;
  /** The first of them. */
  readonly names: string[];
}

/** One image in one place of one workload, and the Pods that have it. */
export interface Place {
  readonly workload: Workload;
  /** The controller of the Pods where it is of no kind that is built in. */
  readonly owner: OwnerReference | undefined;
  /** As a message names it: `container "web"`. */
  readonly label: string;
  /** As it stands in the spec. */
  readonly image: string;
  /** What the digest would stand in: the template, with its next change, or new Pods alone. */
  readonly next: 'rollout' | 'pod';
  /** How many live Pods have it. */
  pods: number;
  /** By the digest that their node told. */
  readonly running: Map<string, RunningPods>;
}

/** How many live Pods run bytes of which their node has told no digest. */
export function untoldOf({ pods, running }: Place): number {
  return [...running.values()].reduce((left, told) => left - told.pods, pods);
}

/** Of those of one digest; more names would make a report that nobody reads. */
const MAX_NAMES = 100;

/** Counts a Pod, with the digest that its node told of this place. */
export function addPod(place: Place, name: string, digest: string | undefined): void {
  place.pods += 1;
  if (digest === undefined) return;
  const known = place.running.get(digest) ?? { pods: 0, names: [] };
  known.pods += 1;
  if (known.names.length < MAX_NAMES) known.names.push(name);
  place.running.set(digest, known);
}
