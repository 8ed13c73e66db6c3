import type { CredentialSource } from '../credentials/credential.ts';
import { createFingerprint, type Fingerprint } from '../credentials/fingerprint.ts';
import { createLender } from '../credentials/lender.ts';
import { createPullSecrets } from '../credentials/pull-secrets.ts';
import type { SecretReader } from '../credentials/read-secrets.ts';
import { createRegistryClient } from '../registry/client.ts';
import { createPing, type Ping } from '../registry/ping.ts';
import { createRegistryReader } from '../registry/reader.ts';
import { createAuthorizer } from '../registry/token.ts';
import { createBreaker } from '../resolve/breaker.ts';
import type { DigestCache } from '../resolve/cache.ts';
import { createFlights } from '../resolve/flights.ts';
import { createGate } from '../resolve/gate.ts';
import { createImageReader, type ImageReader } from '../resolve/image-reader.ts';
import { createLimits, type Limits } from '../resolve/limits.ts';
import type { Patience } from '../resolve/patience.ts';
import { createResolver, type Resolver } from '../resolve/resolver.ts';
import { createRoute, type RouteParts } from '../resolve/route.ts';
import type { SharedDigests } from '../resolve/shared-digests.ts';
import { createStopwatch } from '../resolve/stopwatch.ts';
import type { RegistryMetrics } from '../server/registry-metrics.ts';
import type { CredentialSettings } from '../settings/credential-settings.ts';
import type { RegistrySettings } from '../settings/registry-settings.ts';
import { composeOwnCredentials } from './own-credentials.ts';
import { type AccessParts, composeEndpoints, composeTransport } from './registry-access.ts';
import { createToldResolvers, type Listener } from './told-resolver.ts';

/** What the engine is plugged into. */
export interface EngineParts extends AccessParts {
  readonly cache: DigestCache;
  /** Where the keys of the cache must be those of other processes, too. */
  readonly fingerprint?: Fingerprint | undefined;
  /** What replicas share, where they do. */
  readonly sharedDigests?: SharedDigests | undefined;
  readonly reader: SecretReader;
  readonly metrics: RegistryMetrics;
  /** The clock of `performance.now()`, in milliseconds. */
  readonly now: () => number;
  /** How many look-ups of one namespace run at the same time, where it is alone. */
  readonly perNamespace?: number;
  /** Credentials that are tried before those of the settings. */
  readonly givenCredentials?: readonly CredentialSource[];
  /** Files like docker's configuration, which are tried behind it. */
  readonly authFiles?: readonly string[];
  /** How long is waited where a registry wants to be left alone; not at all where it is left out. */
  readonly patience?: Patience;
  /** Ask again by GET where a HEAD was refused: its answer may name the reason. */
  readonly asksReasons?: boolean;
}

export interface Engine {
  readonly resolver: Resolver;
  /**
   * A resolver that tells one listener how it looks up, for somebody who asks why. What it knows and
   * keeps to is this engine's own: cache, tokens, gates, limits, connections.
   */
  readonly toldTo: (listener: Listener) => Resolver;
  /** How many look-ups of a registry, in lower case, are on their way. */
  readonly placesOf: Limits['stateOf'];
  /** What else is read of registries, with the same credentials and guards. */
  readonly reader: ImageReader;
  /** Whether registries answer at all. */
  readonly ping: Ping;
  /** Imports what takes long: right after listening, never inside of a review. */
  readonly load: () => Promise<void>;
  readonly close: () => Promise<void>;
}

/**
 * What answers "which digest has this tag?", with the cache and the guards before the registries.
 * A part of the composition root: wiring, and nothing else.
 */
export function composeEngine(
  settings: RegistrySettings & CredentialSettings,
  parts: EngineParts,
): Engine {
  const { cache, reader, metrics, log, environment, now } = parts;
  const fingerprint = parts.fingerprint ?? createFingerprint();
  const observe = metrics.credentialLookup;
  const { lending, hosts, load } = composeOwnCredentials(settings, {
    now,
    observe,
    log,
    environment,
    given: parts.givenCredentials ?? [],
    authFiles: parts.authFiles ?? [],
  });
  const lender = createLender(lending);
  const pullSecrets = createPullSecrets({ reader, lender, fingerprint, now, observe });
  const told = createToldResolvers();
  const stopwatch = createStopwatch(now);
  const transport = composeTransport(settings, parts, {
    hosts,
    observe: told.observing(metrics.registryRequest),
  });
  const { anonymousFallback, verifyByDigest } = settings;
  const asking = {
    transport,
    authorizer: stopwatch.authorizer(createAuthorizer({ transport, fingerprint, now })),
    observeMismatch: metrics.digestMismatch,
    anonymousFallback,
    asksReasons: parts.asksReasons ?? false,
    now,
    verifyByDigest,
  };
  const routeParts = composeRouteParts(settings, parts, createRegistryClient(asking));
  const route = createRoute(routeParts);
  const readers = createRegistryReader(asking);
  const limits = createLimits(parts.perNamespace);
  const { patience, sharedDigests } = parts;
  const looking = { cache, limits, sharedDigests, now };
  const flights = createFlights({ ...looking, route: stopwatch.route(route) });
  return {
    resolver: createResolver({ pullSecrets, flights, cache, now, observe: metrics.cacheResult }),
    toldTo: (listener) =>
      told.resolver(listener, {
        asking,
        routeParts,
        looking,
        secrets: { lender, fingerprint, observe },
      }),
    placesOf: limits.stateOf,
    reader: createImageReader({ reader: readers, route, limits, pullSecrets, patience, now }),
    ping: createPing(transport, routeParts.endpointsOf),
    load,
    close: transport.close,
  };
}

function composeRouteParts(
  settings: RegistrySettings,
  parts: EngineParts,
  client: RouteParts['client'],
): RouteParts {
  const { metrics, now } = parts;
  return {
    client,
    endpointsOf: composeEndpoints(settings, parts),
    gate: createGate(metrics.registryGated),
    breaker: createBreaker({ now, random: Math.random, observe: metrics.registrySilent }),
    now,
  };
}
