import { type Chain, emptyChain, type Link, put, renew, take, valuesOf } from './chain.ts';

/**
 * What is remembered of namespaces, so much in all. A namespace may have all of it while nobody else
 * needs the room: then whoever has most of those with more than an eighth forgets first, and where
 * none has so much, what was used longest ago is forgotten.
 */
export interface Shares<K, V> {
  /** Undefined where it is not there; what is, counts as used now. */
  readonly use: (namespace: string, key: K) => V | undefined;
  readonly add: (of: { readonly namespace: string; readonly key: K }, value: V) => void;
  /** What was used last, first. */
  readonly lastUsed: () => readonly V[];
  /** What would still be here, were there no shares. */
  readonly leftOut: () => readonly LeftOut[];
}

/** How much of a namespace was forgotten for the sake of others. */
export interface LeftOut {
  readonly namespace: string;
  readonly count: number;
}

interface Lane<K, V> {
  readonly namespace: string;
  readonly entries: Map<K, Link<Entry<K, V>>>;
  readonly keys: Chain<K>;
  leftOut: number;
}

interface Entry<K, V> {
  readonly lane: Lane<K, V>;
  readonly inLane: Link<K>;
  readonly value: V;
}

/** Eight namespaces could fill it, and then a ninth pushes out what is oldest of all. */
const SHARES = 8;

export function createShares<K, V>(max: number): Shares<K, V> {
  const share = Math.floor(max / SHARES);
  const lanes = new Map<string, Lane<K, V>>();
  const all = emptyChain<Entry<K, V>>();
  let size = 0;
  /** Those with more than their share: seven at most, so that the fullest is found at once. */
  const full = new Set<Lane<K, V>>();

  const laneOf = (namespace: string): Lane<K, V> => {
    const known = lanes.get(namespace);
    if (known !== undefined) return known;
    const lane = { namespace, entries: new Map(), keys: emptyChain<K>(), leftOut: 0 };
    lanes.set(namespace, lane);
    return lane;
  };
  const makeRoom = (): void => {
    const oldest = all.oldest?.value.lane;
    const lane = fullestOf(full) ?? oldest;
    if (lane === undefined) return;
    forgetOldest(lane, all);
    size -= 1;
    // What is older than all that is left would be gone without shares, too.
    lane.leftOut = lane === oldest ? 0 : lane.leftOut + 1;
    if (lane.entries.size <= share) full.delete(lane);
    if (lane.entries.size === 0) lanes.delete(lane.namespace);
  };
  return {
    use: (namespace, key) => {
      const link = lanes.get(namespace)?.entries.get(key);
      if (link === undefined) return undefined;
      const { lane, inLane, value } = link.value;
      renew(lane.keys, inLane);
      renew(all, link);
      return value;
    },
    add: ({ namespace, key }, value) => {
      const lane = laneOf(namespace);
      lane.entries.set(key, put(all, { lane, inLane: put(lane.keys, key), value }));
      size += 1;
      if (lane.entries.size > share) full.add(lane);
      if (size > max) makeRoom();
    },
    lastUsed: () => valuesOf(all).map(({ value }) => value),
    leftOut: () =>
      [...lanes.values()]
        .map(({ namespace, leftOut }) => ({ namespace, count: leftOut }))
        .filter(({ count }) => count > 0),
  };
}

function forgetOldest<K, V>({ entries, keys }: Lane<K, V>, all: Chain<Entry<K, V>>): void {
  const first = keys.oldest;
  const link = first === undefined ? undefined : entries.get(first.value);
  if (first === undefined || link === undefined) return;
  entries.delete(first.value);
  take(keys, first);
  take(all, link);
}

function fullestOf<K, V>(lanes: ReadonlySet<Lane<K, V>>): Lane<K, V> | undefined {
  let fullest: Lane<K, V> | undefined;
  for (const lane of lanes) {
    if (fullest === undefined || lane.entries.size > fullest.entries.size) fullest = lane;
  }
  return fullest;
}
