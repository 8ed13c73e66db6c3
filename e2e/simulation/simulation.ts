import { Agenda } from './agenda.ts';
import { ApiServer, type SendReview } from './cluster.ts';
import { createRandom } from './random.ts';
import { type CountingRegistry, createCountingRegistry } from './registry.ts';
import { createReplica, type Replica } from './replica.ts';
import type { Scenario } from './scenario.ts';
import { createSharedMemory } from './shared-memory.ts';
import { startTraffic } from './traffic.ts';
import { PULL_SECRET } from './workload.ts';

/** What was seen while a scenario was measured. Rates are by the hour, over all replicas. */
export interface Figures {
  readonly reviews: number;
  /** Look-ups that the cache was asked for, and how many of them it or a look-up under way answered. */
  readonly lookUps: number;
  readonly hitShare: number;
  /** Manifests that registries gave: by HEAD. */
  readonly manifests: number;
  /** Of them, Docker Hub's. */
  readonly hubManifests: number;
  /** All that registries and their token servers were sent. */
  readonly requests: number;
  /** Lists of Pods that the API server gave, and Secrets that it was read. */
  readonly lists: number;
  readonly secretReads: number;
  /** Images of the reviews, by what became of them. */
  readonly images: Readonly<Record<string, number>>;
  /** Cache entries of the fullest replica at the end. */
  readonly entries: number;
}

/** Who listens to every review: the replica that it goes to, and what comes back, or a promise of it. */
export type Witness = (replica: number, review: unknown, answer: unknown) => void;

const HOUR_MS = 3_600_000;

/** Plays a scenario, and counts what happens after its warm-up. */
export async function simulate(scenario: Scenario, witness?: Witness): Promise<Figures> {
  const agenda = new Agenda();
  const registry = createCountingRegistry(scenario.tokenLifeS);
  const tally = new Map<string, number>();
  const count = (name: string): void => void tally.set(name, (tally.get(name) ?? 0) + 1);
  const replicas: Replica[] = [];
  const api = new ApiServer(routed(scenario, replicas, witness));
  const sharedDigests = scenario.sharedCache ? createSharedMemory(scenario, agenda) : undefined;
  for (let n = 0; n < scenario.replicas; n += 1) {
    replicas.push(
      createReplica(scenario, {
        agenda,
        registry,
        fingerprintKey: Buffer.alloc(32, scenario.seed),
        sharedDigests,
        readSecret: async (namespace) => {
          count('secret');
          await agenda.wait(API_SERVER_MS);
          return pullSecretOf(scenario, namespace);
        },
        listPods: async (_namespace, selector) => {
          await agenda.wait(API_SERVER_MS);
          return api.podsOf(selector);
        },
        observe: (what, result) => count(`${what} ${result}`),
      }),
    );
  }
  startTraffic(scenario, agenda, api);
  await agenda.run(scenario.warmUpMs);
  registry.forget();
  tally.clear();
  const before = { reviews: api.reviews, lists: api.lists };
  await agenda.run(scenario.warmUpMs + scenario.measuredMs);
  const figures = figuresOf(scenario, { registry, tally, api, before, replicas });
  // What is under way arrives, or its timers would keep this process.
  await agenda.run(Number.POSITIVE_INFINITY);
  return figures;
}

/** An answer of the API server, in milliseconds. */
const API_SERVER_MS = 5;

/** Each review goes to any replica: what is worst for their caches. */
function routed(
  { seed, replicas: count }: Scenario,
  replicas: readonly Replica[],
  witness: Witness | undefined,
): SendReview {
  const random = createRandom(seed, 'routes');
  return (review) => {
    const n = random.below(count);
    const replica = replicas[n];
    if (replica === undefined) throw new Error('The scenario has no replica of tagpin');
    const answer = replica.admit(review);
    witness?.(n, review, answer);
    return answer;
  };
}

function pullSecretOf({ accounts, ownRegistry }: Scenario, namespace: string) {
  const account = Number(namespace.replace(/\D/g, '')) % accounts;
  const config = { auths: { [ownRegistry]: { username: `robot-${account}`, password: 'x' } } };
  return {
    metadata: { name: PULL_SECRET, namespace },
    type: 'kubernetes.io/dockerconfigjson',
    data: { '.dockerconfigjson': Buffer.from(JSON.stringify(config)).toString('base64') },
  };
}

interface Seen {
  readonly registry: CountingRegistry;
  readonly tally: ReadonlyMap<string, number>;
  readonly api: Pick<ApiServer, 'reviews' | 'lists'>;
  /** What the API server had counted when the warm-up was over. */
  readonly before: Pick<ApiServer, 'reviews' | 'lists'>;
  readonly replicas: readonly Replica[];
}

function figuresOf(scenario: Scenario, seen: Seen): Figures {
  const { tally, api, before } = seen;
  const hourly = (value: number): number => Math.round((value * HOUR_MS) / scenario.measuredMs);
  const of = (name: string): number => tally.get(name) ?? 0;
  const counts = [...seen.registry.counts];
  const all = counts.map(([, one]) => one);
  const hub = counts.filter(([host]) => host.endsWith(scenario.hub)).map(([, one]) => one);
  const answered = of('cache hit') + of('cache shared');
  const lookUps = answered + of('cache miss');
  const images = [...tally]
    .filter(([name]) => name.startsWith('image '))
    .map(([name, value]) => [name.slice('image '.length), hourly(value)] as const);
  return {
    reviews: hourly(api.reviews - before.reviews),
    images: Object.fromEntries(images.toSorted(([one], [other]) => (one < other ? -1 : 1))),
    lookUps: hourly(lookUps),
    hitShare: lookUps === 0 ? 1 : Math.round((answered / lookUps) * 1000) / 1000,
    manifests: hourly(sum(all, ({ manifests }) => manifests)),
    hubManifests: hourly(sum(hub, ({ manifests }) => manifests)),
    requests: hourly(sum(all, (one) => one.manifests + one.challenges + one.tokens)),
    lists: hourly(api.lists - before.lists),
    secretReads: hourly(of('secret')),
    entries: Math.max(...seen.replicas.map((replica) => replica.entries())),
  };
}

function sum<T>(all: readonly T[], valueOf: (one: T) => number): number {
  return all.reduce((total, one) => total + valueOf(one), 0);
}
