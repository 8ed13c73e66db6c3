import { AsyncLocalStorage } from 'node:async_hooks';

import { createPullSecrets, type PullSecretsParts } from '../credentials/pull-secrets.ts';
import type { SecretReader } from '../credentials/read-secrets.ts';
import type { Recorder } from '../explain/recorder.ts';
import { createRegistryClient, type RegistryClientParts } from '../registry/client.ts';
import type { ObserveTry } from '../registry/offers.ts';
import type { EndedRequest, TransportOptions } from '../registry/transport.ts';
import { createFlights, type FlightsParts } from '../resolve/flights.ts';
import { createResolver, type Resolver, type ResolverParts } from '../resolve/resolver.ts';
import { createRoute, type RouteParts } from '../resolve/route.ts';
import { type Trace, tracedPullSecrets, tracedRoute } from '../resolve/traced.ts';

/** Who is told every step of a look-up. */
export interface Listener extends Trace {
  readonly trying: ObserveTry;
  readonly requested: (request: EndedRequest) => void;
  readonly cacheResult: ResolverParts['observe'];
  /** Of the cluster, which tells what is read. */
  readonly reader: SecretReader;
}

/** A recorder as the listener of one look-up, and of what it reads of the cluster. */
export function listenerOf(recorder: Recorder, reader: SecretReader): Listener {
  return { ...recorder, reader: recorder.reader(reader) };
}

/** The parts of an engine that all look-ups share. */
interface EngineCore {
  readonly asking: RegistryClientParts;
  readonly routeParts: RouteParts;
  readonly looking: Omit<FlightsParts, 'route'>;
  readonly secrets: Pick<PullSecretsParts, 'lender' | 'fingerprint' | 'observe'>;
}

export interface ToldResolvers {
  /** What observes requests, and the listener of the look-up that they are made for, where it has one. */
  readonly observing: (observe: TransportOptions['observe']) => TransportOptions['observe'];
  readonly resolver: (listener: Listener, core: EngineCore) => Resolver;
}

/**
 * Resolvers around the parts of an engine that is at work, each with a listener. Pull secrets are read
 * anew, so that their reading is told; look-ups are not shared with others, whose steps nobody tells.
 */
export function createToldResolvers(): ToldResolvers {
  // Connections are shared, and with them whoever observes requests.
  const listening = new AsyncLocalStorage<Listener>();
  return {
    observing: (observe) => (request) => {
      observe(request);
      listening.getStore()?.requested(request);
    },
    resolver: (listener, { asking, routeParts, looking, secrets }) => {
      const { cache, now } = looking;
      const observeTry = listener.trying;
      const client = createRegistryClient({ ...asking, observeTry, asksReasons: true });
      const heard: RouteParts['client'] = {
        lookup: (...asked) => listening.run(listener, () => client.lookup(...asked)),
      };
      const route = createRoute(tracedRoute({ ...routeParts, client: heard }, listener));
      const pullSecrets = createPullSecrets({ ...secrets, reader: listener.reader, now });
      return createResolver({
        pullSecrets: tracedPullSecrets(pullSecrets, listener),
        flights: createFlights({ ...looking, route }),
        cache,
        now,
        observe: listener.cacheResult,
      });
    },
  };
}
