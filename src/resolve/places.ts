import { LRUCache } from 'lru-cache';

/** One who wants to ask a registry. */
interface Wish {
  readonly registry: string;
  /** On whose behalf; may grow while it waits. */
  readonly namespaces: () => readonly string[];
}

/**
 * Places for look-ups that are on their way to registries. Where there are too few, the next one
 * goes to the namespace that holds the fewest, and to whoever came first among equals.
 */
export interface Places {
  readonly hold: <T>(wish: Wish, act: () => Promise<T>) => Promise<T>;
  readonly hasAnswered: (registry: string) => void;
  /** Whether it has ever answered. */
  readonly knows: (registry: string) => boolean;
  readonly stateOf: (registry: string) => PlacesState;
}

/** Of one registry, in lower case: how many look-ups may be on their way, are, and wait for a place. */
interface PlacesState {
  readonly limit: number;
  readonly inFlight: number;
  readonly waiting: number;
}

interface Lane {
  readonly inAll: number;
  readonly perRegistry: number;
  held: number;
  readonly heldBy: Map<string, number>;
}

interface Turn extends Wish {
  readonly come: (place: Place) => void;
}

interface Place {
  readonly lane: Lane;
  readonly registry: string;
  readonly namespace: string;
}

const PER_REGISTRY = 16;
const IN_ALL = 64;
/**
 * Hosts that never answered have places of their own: names can be invented, and what is behind
 * them may keep a place for as long as a look-up lasts. A namespace has four of them (`limits.ts`),
 * so that it takes eight namespaces to hold all, and then a ninth has the next that is free.
 */
const FOR_STRANGERS = 32;
/** As many as the breaker wants failures: the first of a dead host find it out for all. */
const PER_STRANGER = 5;
/** Names are chosen by tenants: the least used is a stranger again. */
const MAX_KNOWN = 10_000;

export function createPlaces(): Places {
  const answered = new LRUCache<string, true>({ max: MAX_KNOWN });
  const known = laneOf(IN_ALL, PER_REGISTRY);
  const strangers = laneOf(FOR_STRANGERS, PER_STRANGER);
  const heldAt = new Map<string, number>();
  const waiting = new Set<Turn>();

  const roomFor = ({ registry }: Wish): Lane | undefined => {
    const lane = answered.get(registry) === true ? known : strangers;
    const free = lane.held < lane.inAll && (heldAt.get(registry) ?? 0) < lane.perRegistry;
    return free ? lane : undefined;
  };
  const take = (wish: Wish, lane: Lane): Place => {
    const { registry } = wish;
    const { namespace } = leastServed(lane, wish.namespaces());
    lane.held += 1;
    add(lane.heldBy, namespace, 1);
    add(heldAt, registry, 1);
    return { lane, registry, namespace };
  };
  const callNext = (): void => {
    for (;;) {
      const next = nextOf(waiting, roomFor);
      if (next === undefined) return;
      waiting.delete(next.turn);
      next.turn.come(take(next.turn, next.lane));
    }
  };
  const giveBack = ({ lane, registry, namespace }: Place): void => {
    lane.held -= 1;
    add(lane.heldBy, namespace, -1);
    add(heldAt, registry, -1);
    callNext();
  };
  return {
    hold: async (wish, act) => {
      const lane = roomFor(wish);
      // Whoever waits has no room: nobody is passed over.
      const place =
        lane === undefined
          ? await new Promise<Place>((come) => void waiting.add({ ...wish, come }))
          : take(wish, lane);
      try {
        return await act();
      } finally {
        giveBack(place);
      }
    },
    hasAnswered: (registry) => {
      if (answered.get(registry) === true) return;
      answered.set(registry, true);
      callNext();
    },
    knows: (registry) => answered.get(registry) === true,
    stateOf: (registry) => ({
      limit: (answered.has(registry) ? known : strangers).perRegistry,
      inFlight: heldAt.get(registry) ?? 0,
      waiting: [...waiting].filter((turn) => turn.registry === registry).length,
    }),
  };
}

function laneOf(inAll: number, perRegistry: number): Lane {
  return { inAll, perRegistry, held: 0, heldBy: new Map() };
}

/** The turn with room whose namespace holds the fewest places; a namespace without any cannot be beaten. */
function nextOf(
  waiting: ReadonlySet<Turn>,
  roomFor: (wish: Wish) => Lane | undefined,
): { readonly turn: Turn; readonly lane: Lane } | undefined {
  let best: { readonly turn: Turn; readonly lane: Lane } | undefined;
  let fewest = Number.POSITIVE_INFINITY;
  for (const turn of waiting) {
    const lane = roomFor(turn);
    if (lane === undefined) continue;
    const { holds } = leastServed(lane, turn.namespaces());
    if (holds < fewest) {
      best = { turn, lane };
      fewest = holds;
    }
    if (fewest === 0) break;
  }
  return best;
}

/** Who waits together for one look-up has it with the first of them. */
function leastServed(
  { heldBy }: Lane,
  namespaces: readonly string[],
): { readonly namespace: string; readonly holds: number } {
  let least = { namespace: '', holds: Number.POSITIVE_INFINITY };
  for (const namespace of namespaces) {
    const holds = heldBy.get(namespace) ?? 0;
    if (holds < least.holds) least = { namespace, holds };
  }
  return least;
}

function add(counts: Map<string, number>, key: string, by: number): void {
  const sum = (counts.get(key) ?? 0) + by;
  if (sum === 0) counts.delete(key);
  else counts.set(key, sum);
}
