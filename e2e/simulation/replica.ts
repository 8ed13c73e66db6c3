import { createHandler } from '../../src/admission/handler.ts';
import type { AdmissionResponse } from '../../src/admission/response.ts';
import { decodeReview } from '../../src/admission/review.ts';
import { createFingerprint } from '../../src/credentials/fingerprint.ts';
import type { Secret } from '../../src/credentials/keyring.ts';
import { createLender } from '../../src/credentials/lender.ts';
import { createPullSecrets } from '../../src/credentials/pull-secrets.ts';
import { createContention } from '../../src/pods/contention.ts';
import { createSiblings } from '../../src/pods/siblings.ts';
import { createRegistryClient } from '../../src/registry/client.ts';
import type { RegistryRequest, RegistryResponse } from '../../src/registry/exchange.ts';
import { createHosts } from '../../src/registry/hosts.ts';
import { createAuthorizer } from '../../src/registry/token.ts';
import type { Transport } from '../../src/registry/transport.ts';
import { createBreaker } from '../../src/resolve/breaker.ts';
import { createCache } from '../../src/resolve/cache.ts';
import { createFlights } from '../../src/resolve/flights.ts';
import { createGate } from '../../src/resolve/gate.ts';
import { createLimits } from '../../src/resolve/limits.ts';
import { createResolver, type Resolver } from '../../src/resolve/resolver.ts';
import { createRoute } from '../../src/resolve/route.ts';
import type { SharedDigests } from '../../src/resolve/shared-digests.ts';
import type { Agenda } from './agenda.ts';
import type { CountingRegistry } from './registry.ts';
import type { Scenario } from './scenario.ts';

/** What a replica has around it. */
export interface ReplicaParts {
  readonly agenda: Agenda;
  readonly registry: CountingRegistry;
  readonly readSecret: (namespace: string) => Promise<Secret>;
  readonly listPods: (namespace: string, selector: string) => Promise<readonly unknown[]>;
  /** The same for all replicas, or they could share nothing. */
  readonly fingerprintKey: Buffer;
  readonly sharedDigests: SharedDigests | undefined;
  /** Told how the cache answered a look-up, and what became of each image. */
  readonly observe: (what: 'cache' | 'image', result: string) => void;
}

/** One process of tagpin: all that decides is the program's own, from the review to the request. */
export interface Replica {
  readonly admit: (review: unknown) => AdmissionResponse | Promise<AdmissionResponse>;
  readonly resolver: Resolver;
  /** Entries of its cache. */
  readonly entries: () => number;
}

type Setting = Pick<Scenario, 'cacheTtlMs' | 'siblings' | 'registryLatencyMs'>;

const STALE_IF_ERROR_MS = 3_600_000;
/** What the API server waits by `timeoutSeconds: 10`, less the webhook's margin. */
const REVIEW_MS = 9000;
/** Nothing here is to depend on the jitter of failures, of which there are none. */
const HALF = (): number => 0.5;

export function createReplica(setting: Setting, parts: ReplicaParts): Replica {
  const { agenda, observe } = parts;
  const { now } = agenda;
  const cache = createCache({
    ttlMs: setting.cacheTtlMs,
    staleIfErrorMs: STALE_IF_ERROR_MS,
    random: HALF,
  });
  const fingerprint = createFingerprint(parts.fingerprintKey);
  const pullSecrets = createPullSecrets({
    reader: {
      readSecret: (namespace) => parts.readSecret(namespace),
      readPullSecretNames: async () => [],
    },
    lender: createLender({ sources: [], namespaces: [], images: [] }),
    fingerprint,
    now,
    observe: () => {},
  });
  const transport = transportTo(setting, parts);
  const authorizer = createAuthorizer({ transport, fingerprint, now });
  const client = createRegistryClient({
    transport,
    authorizer,
    now,
    observeMismatch: () => {},
    anonymousFallback: false,
    verifyByDigest: [],
  });
  const registryOf = createHosts([]);
  const route = createRoute({
    client,
    endpointsOf: async (reference) => [registryOf(reference)],
    gate: createGate(() => {}),
    breaker: createBreaker({ now, random: HALF, observe: () => {} }),
    now,
  });
  const flights = createFlights({
    route,
    cache,
    limits: createLimits(),
    now,
    sharedDigests: parts.sharedDigests,
  });
  const resolver = createResolver({
    pullSecrets,
    flights,
    cache,
    now,
    observe: (result) => observe('cache', result),
  });
  return { admit: createAdmit(setting, parts, resolver), resolver, entries: cache.size };
}

function createAdmit(
  { siblings }: Setting,
  { agenda, listPods, observe }: ReplicaParts,
  { resolve, peek }: Resolver,
): Replica['admit'] {
  const { now } = agenda;
  const log = { info: (): void => {}, warn: (): void => {}, error: (): void => {} };
  const handle = createHandler({
    resolve,
    peek,
    refusesShortNames: false,
    observe: ({ images }) => images.forEach(({ outcome }) => observe('image', outcome)),
    now,
    decision: { isSkipped: () => false, allowSkipInEnforce: false },
    referenceForm: 'digest',
    untouched: { isForeignOwner: () => false },
    extraKinds: new Map(),
    refreshPolicy: 'restart',
    siblings:
      siblings === 'off'
        ? undefined
        : createSiblings({
            listPods: siblings === 'cluster' ? listPods : undefined,
            log,
            observe: () => {},
            now,
          }),
    isContended: createContention(now),
  });
  return (review) => {
    const startedAtMs = now();
    const deadlineAtMs = startedAtMs + REVIEW_MS;
    const times = { startedAtMs, deadlineAtMs };
    return handle({ review: decodeReview(review), mode: 'pin', mayLookUp: true, ...times });
  };
}

/** The way to the registry: so many milliseconds, and no network. */
function transportTo(
  { registryLatencyMs }: Setting,
  { agenda, registry }: ReplicaParts,
): Transport {
  const send = async ({ method, url, headers }: RegistryRequest): Promise<RegistryResponse> => {
    const { authorization } = headers;
    const told = registry.answer({ method, url, authorization });
    await agenda.wait(registryLatencyMs);
    const { status, body } = told;
    const header = (name: string): string[] => {
      const value = told.headers[name.toLowerCase()];
      return value === undefined ? [] : [value];
    };
    return { status, header, body: Buffer.from(body), url };
  };
  return { send, open: send, close: async () => {} };
}
