import type { PinErrorCode } from '../../src/error-codes.ts';

/** What lets a fault last: its own time, drawn between the two, or what is done takes its time. */
interface Duration {
  readonly leastMs: number;
  readonly mostMs: number;
}

/** The registries of a soak: two real ones, and one that misbehaves by itself. */
export type RegistryName = 'open' | 'private' | 'moody';

/** Of faults that are made. */
export type Lane = 'cluster' | 'registry';

/** What can be wrong, and all that it excuses. What a row does not say must not happen. */
export interface FaultKind {
  /** Those of one lane come one after the other; `observed`: nobody makes it. */
  readonly lane: Lane | 'observed';
  /** One of these is struck; without it, the cluster. */
  readonly registries?: readonly RegistryName[];
  readonly duration: Duration;
  /** Why an image may not be pinned: of the registry that is struck, or of all. */
  readonly reasons: readonly PinErrorCode[];
  /** A call of the webhook may get no answer. */
  readonly failsOpen?: boolean;
  /** Where it lasts longer, certificates may not be renewed in time, and calls fail until they are. */
  readonly outlastsCertificatesMs?: number;
  /** The API server may not answer, or with an error of its own. */
  readonly failsRequests?: boolean;
  /** For how long after its end it is felt: remembered failures, breakers and gates that are still shut. */
  readonly graceMs: number;
}

const SECONDS: Duration = { leastMs: 1000, mostMs: 4000 };
/** Until what is done is done. */
const AT_ONCE: Duration = { leastMs: 0, mostMs: 0 };
const REAL: readonly RegistryName[] = ['open', 'private'];
/**
 * A breaker that opened several times within a fault waits longest: 4 s and a fifth (src/resolve/breaker.ts),
 * and who waited for it may be answered by its reason for another moment.
 */
const BREAKER_MS = 10_000;
/** How long a refusal is remembered (`briefly` of src/resolve/cache.ts). */
const BRIEFLY_MS = 6000;

const NOTHING = { duration: AT_ONCE, reasons: [], graceMs: 0 } as const;
const ON_THE_WAY = {
  lane: 'registry',
  registries: REAL,
  duration: SECONDS,
  reasons: ['unavailable', 'deadline_exceeded'],
  graceMs: BREAKER_MS,
} as const;
const MOODY = { lane: 'registry', registries: ['moody'], duration: SECONDS } as const;
const API: Pick<FaultKind, 'lane' | 'reasons' | 'failsRequests' | 'graceMs'> = {
  lane: 'cluster',
  reasons: ['secret_unreadable'],
  failsRequests: true,
  graceMs: 5000,
};

/** What can happen. */
export type FaultName =
  | 'registry slow'
  | 'registry resets'
  | 'registry silent'
  | 'registry sliced'
  | 'registry down'
  | 'registry limits (429)'
  | 'registry fails (500)'
  | 'registry answers nonsense'
  | 'registry tells no digest'
  | 'pull secret wrong'
  | 'account refused'
  | 'rights to Secrets taken'
  | 'replica killed'
  | 'replica rolled'
  | 'replica stopped'
  | 'connections cut'
  | 'certificate Secret deleted'
  | 'API server frozen'
  | 'API server killed'
  | 'etcd stopped'
  | 'machine starved';

/** What somebody makes. */
export type MadeFault = Exclude<FaultName, 'machine starved'>;

const FAULT_KINDS: Readonly<Record<FaultName, FaultKind>> = {
  'registry slow': ON_THE_WAY,
  'registry resets': ON_THE_WAY,
  'registry silent': ON_THE_WAY,
  'registry sliced': ON_THE_WAY,
  'registry down': ON_THE_WAY,
  'registry limits (429)': { ...MOODY, reasons: ['rate_limited'], graceMs: 4000 },
  'registry fails (500)': { ...MOODY, reasons: ['unavailable'], graceMs: 3000 },
  'registry answers nonsense': {
    ...MOODY,
    reasons: ['invalid_response', 'unsupported_manifest'],
    graceMs: BRIEFLY_MS,
  },
  // The tag's manifest is read and hashed then.
  'registry tells no digest': { ...MOODY, reasons: [], graceMs: 0 },
  'pull secret wrong': {
    lane: 'registry',
    registries: ['private'],
    duration: SECONDS,
    reasons: ['unauthorized'],
    graceMs: BRIEFLY_MS,
  },
  'account refused': {
    lane: 'registry',
    registries: ['private'],
    duration: SECONDS,
    reasons: ['unauthorized'],
    graceMs: BRIEFLY_MS,
  },
  'rights to Secrets taken': {
    lane: 'cluster',
    registries: ['private'],
    duration: SECONDS,
    reasons: ['forbidden_secret'],
    graceMs: 3000,
  },
  // The calls in flight die with it, and those that reach for it until its endpoint is gone.
  'replica killed': { ...NOTHING, lane: 'cluster', failsOpen: true, graceMs: 1000 },
  'replica rolled': { ...NOTHING, lane: 'cluster' },
  'replica stopped': {
    lane: 'cluster',
    duration: { leastMs: 1000, mostMs: 3000 },
    reasons: ['deadline_exceeded', 'unavailable'],
    graceMs: 5000,
  },
  'connections cut': { ...NOTHING, lane: 'cluster', failsOpen: true, graceMs: 1000 },
  'certificate Secret deleted': { ...NOTHING, lane: 'cluster' },
  'API server frozen': { ...API, duration: SECONDS },
  // A third of what a certificate lasts (e2e/soak/settings.ts), without what the keeper waits between two looks.
  'API server killed': { ...API, duration: AT_ONCE, outlastsCertificatesMs: 15_000 },
  'etcd stopped': { ...API, duration: { leastMs: 1000, mostMs: 2000 } },
  // Everybody misses deadlines, for longer than a review may take.
  'machine starved': {
    lane: 'observed',
    duration: AT_ONCE,
    reasons: ['secret_unreadable', 'deadline_exceeded', 'unavailable'],
    failsOpen: true,
    failsRequests: true,
    graceMs: 10_000,
  },
};

export function faultKind(name: FaultName): FaultKind {
  return FAULT_KINDS[name];
}

export function faultsOf(lane: Lane): readonly MadeFault[] {
  const names = Object.keys(FAULT_KINDS) as MadeFault[];
  return names.filter((name) => FAULT_KINDS[name].lane === lane);
}
