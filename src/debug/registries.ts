/** What a registry says that whoever asked may still ask. */
export interface Quota {
  readonly remaining: number;
  readonly limit: number | undefined;
  readonly windowS: number | undefined;
}

/** How many look-ups of a registry are on their way, and may be. */
export interface LookUpPlaces {
  readonly limit: number;
  readonly inFlight: number;
  readonly waiting: number;
}

/** A registry or token server, as it was met with. */
export interface RegistryState {
  readonly registry: string;
  /** `limited`: it answered 429; `silent`: it did not answer several times; both are left alone. */
  readonly health: 'answers' | 'failing' | 'limited' | 'silent';
  /** For how long it is left alone. */
  readonly leftAloneMs: number;
  readonly requests: number;
  /** Of them without any answer. */
  readonly unanswered: number;
  /** Of the last request: an HTTP status, or an error code. */
  readonly lastCode: string;
  /** In milliseconds since 1970. */
  readonly lastRequestMs: number | undefined;
  readonly quota: Quota | undefined;
  readonly places: LookUpPlaces;
}

/** What is told of registries. */
interface RegistryObserver {
  readonly registryRequest: (request: {
    readonly host: string;
    readonly code: string;
    readonly quota?: Quota | undefined;
  }) => void;
  readonly registryGated: (registry: string, untilMs: number) => void;
  readonly registrySilent: (registry: string, untilMs: number) => void;
}

export interface Registries extends RegistryObserver {
  /** By name. */
  readonly states: (placesOf: (registry: string) => LookUpPlaces) => readonly RegistryState[];
}

export interface RegistriesParts {
  /** The name of a host in references. */
  readonly nameOf: (host: string) => string;
  /** The clock of `performance.now()`, in milliseconds. */
  readonly now: () => number;
  /** The time of the day, in milliseconds since 1970. */
  readonly clock: () => number;
}

interface Met {
  requests: number;
  unanswered: number;
  lastCode: string;
  lastRequestMs: number | undefined;
  quota: Quota | undefined;
  limitedUntilMs: number;
  silentUntilMs: number;
}

/**
 * Hosts are named by tenants: invented ones must not push out those that answer, nor those of a domain
 * with a wildcard, which all answer, those that are in use.
 */
const MAX_ANSWERING = 50;
const MAX_OTHERS = 50;

export function createRegistries({ nameOf, now, clock }: RegistriesParts): Registries {
  const answering = new Map<string, Met>();
  const others = new Map<string, Met>();
  const met = (host: string): Met => {
    const name = nameOf(host);
    const known = answering.get(name) ?? others.get(name);
    if (known !== undefined) return known;
    const fresh: Met = { ...NEVER };
    makeRoom(others, MAX_OTHERS);
    others.set(name, fresh);
    return fresh;
  };
  return {
    registryRequest: ({ host, code, quota }) => {
      const one = met(host);
      one.requests += 1;
      one.lastCode = code;
      one.lastRequestMs = clock();
      one.quota = quota ?? one.quota;
      if (!isAnswer(code)) {
        one.unanswered += 1;
        return;
      }
      const name = nameOf(host);
      if (!others.delete(name)) return;
      makeRoom(answering, MAX_ANSWERING);
      answering.set(name, one);
    },
    registryGated: (registry, untilMs) => {
      met(registry).limitedUntilMs = untilMs;
    },
    registrySilent: (registry, untilMs) => {
      met(registry).silentUntilMs = untilMs;
    },
    states: (placesOf) =>
      [...answering.entries(), ...others.entries()]
        .map(([registry, one]) =>
          stateOf(registry, one, { nowMs: now(), places: placesOf(registry) }),
        )
        .toSorted((one, other) => (one.registry < other.registry ? -1 : 1)),
  };
}

const NEVER: Met = {
  requests: 0,
  unanswered: 0,
  lastCode: '',
  lastRequestMs: undefined,
  quota: undefined,
  limitedUntilMs: 0,
  silentUntilMs: 0,
};

/** Forgets whom it asked least, and of those the one that came last, where one more has no room. */
function makeRoom(all: Map<string, Met>, max: number): void {
  if (all.size < max) return;
  let least: string | undefined;
  let fewest = Number.POSITIVE_INFINITY;
  for (const [name, { requests }] of all) {
    if (requests > fewest) continue;
    least = name;
    fewest = requests;
  }
  if (least !== undefined) all.delete(least);
}

function isAnswer(code: string): boolean {
  return /^\d/.test(code);
}

function stateOf(
  registry: string,
  { limitedUntilMs, silentUntilMs, ...told }: Met,
  { nowMs, places }: { readonly nowMs: number; readonly places: LookUpPlaces },
): RegistryState {
  const leftAloneMs = Math.max(0, Math.ceil(Math.max(limitedUntilMs, silentUntilMs) - nowMs));
  const isFailing = told.lastCode !== '' && !isAnswer(told.lastCode);
  const asked = isFailing ? 'failing' : 'answers';
  const alone = limitedUntilMs > silentUntilMs ? 'limited' : 'silent';
  return { registry, health: leftAloneMs > 0 ? alone : asked, leftAloneMs, ...told, places };
}
