import { emptyChain, type Link, put, renew, take, valuesOf } from './chain.ts';

/**
 * What is remembered of namespaces, so much in all. A namespace may have all of it while nobody else
 * needs the room: then whoever has most of those with more than an eighth forgets first, and where
 * none has so much, what was used longest ago is forgotten.
 */
export interface Shares<V> {
  readonly add: (namespace: string, value: V) => Held<V>;
  /** Counts it as used now; it must not be forgotten yet. */
  readonly use: (held: Held<V>) => void;
  /** What was used last, first. */
  readonly lastUsed: () => readonly V[];
  /** What would still be here, were there no shares. */
  readonly leftOut: () => readonly LeftOut[];
}

/** A value where it is remembered. */
export type Held<V> = Link<Entry<V>>;

/** How much of a namespace was forgotten for the sake of others. */
export interface LeftOut {
  readonly namespace: string;
  readonly count: number;
}

interface Lane {
  readonly namespace: string;
  size: number;
  leftOut: number;
}

interface Entry<V> {
  readonly lane: Lane;
  readonly value: V;
}

/** Eight namespaces could fill it, and then a ninth pushes out what is oldest of all. */
const SHARES = 8;

/** @param forgotten told of each value that is no longer here */
export function createShares<V>(max: number, forgotten: (value: V) => void = () => {}): Shares<V> {
  const share = Math.floor(max / SHARES);
  const lanes = new Map<string, Lane>();
  const all = emptyChain<Entry<V>>();
  let size = 0;
  /** Those with more than their share: seven at most, so that the fullest is found at once. */
  const full = new Set<Lane>();

  const laneOf = (namespace: string): Lane => {
    const known = lanes.get(namespace);
    if (known !== undefined) return known;
    const lane = { namespace, size: 0, leftOut: 0 };
    lanes.set(namespace, lane);
    return lane;
  };
  const makeRoom = (): void => {
    const { oldest } = all;
    const link = oldestOf(fullestOf(full), oldest);
    if (link === undefined) return;
    const { lane, value } = link.value;
    take(all, link);
    size -= 1;
    lane.size -= 1;
    // What is older than all that is left would be gone without shares, too.
    lane.leftOut = link === oldest ? 0 : lane.leftOut + 1;
    if (lane.size === share) full.delete(lane);
    if (lane.size === 0) lanes.delete(lane.namespace);
    forgotten(value);
  };
  return {
    add: (namespace, value) => {
      const lane = laneOf(namespace);
      const held = put(all, { lane, value });
      size += 1;
      lane.size += 1;
      if (lane.size > share) full.add(lane);
      if (size > max) makeRoom();
      return held;
    },
    use: (held) => renew(all, held),
    lastUsed: () => valuesOf(all).map(({ value }) => value),
    leftOut: () =>
      [...lanes.values()]
        .map(({ namespace, leftOut }) => ({ namespace, count: leftOut }))
        .filter(({ count }) => count > 0),
  };
}

function fullestOf(lanes: ReadonlySet<Lane>): Lane | undefined {
  let fullest: Lane | undefined;
  for (const lane of lanes) {
    if (fullest === undefined || lane.size > fullest.size) fullest = lane;
  }
  return fullest;
}

/** The oldest of a lane, or of all where it is undefined. */
function oldestOf<V>(lane: Lane | undefined, oldest: Held<V> | undefined): Held<V> | undefined {
  if (lane === undefined) return oldest;
  let link = oldest;
  while (link !== undefined && link.value.lane !== lane) link = link.younger;
  return link;
}
