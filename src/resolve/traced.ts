import type { Access } from '../credentials/credential.ts';
import type { PodKeyring, PullSecrets } from '../credentials/pull-secrets.ts';
import { PinError, toPinError } from '../errors.ts';
import type { Lookup } from '../registry/client.ts';
import type { Endpoint } from '../registry/hosts.ts';
import type { RouteParts } from './route.ts';

/** Told how a look-up goes, for a person who asks why. The webhook has none, and pays for none. */
export interface Trace {
  /** What may be offered to the registry, in its order, now that the pull secrets are known. */
  readonly access: (access: Access) => void;
  /** Where the image may be asked for, in this order. */
  readonly places: (endpoints: readonly Endpoint[]) => void;
  /** A place is not asked now, because of what it answered before, or because it did not. */
  readonly leftAlone: (registry: string, why: PinError) => void;
  /** Nothing keeps this place from being asked: that begins now. */
  readonly asking: (endpoint: Endpoint) => void;
  readonly answered: (endpoint: Endpoint, answer: Lookup | PinError) => void;
}

/** The same pull secrets, whose keyrings tell what they offer. */
export function tracedPullSecrets(pullSecrets: PullSecrets, trace: Trace): PullSecrets {
  return {
    keyringOf: (owner, untilMs) => {
      const found = pullSecrets.keyringOf(owner, untilMs);
      return found instanceof Promise
        ? found.then((keyring) => tracedKeyring(keyring, trace))
        : tracedKeyring(found, trace);
    },
    known: pullSecrets.known,
    reread: async (owner, untilMs) =>
      tracedKeyring(await pullSecrets.reread(owner, untilMs), trace),
  };
}

function tracedKeyring(keyring: PodKeyring | PinError, trace: Trace): PodKeyring | PinError {
  if (keyring instanceof PinError) return keyring;
  return {
    ...keyring,
    accessTo: (reference) => {
      const access = keyring.accessTo(reference);
      trace.access(access);
      return access;
    },
  };
}

/** The same parts of a route, which tell where it leads. */
export function tracedRoute(parts: RouteParts, trace: Trace): RouteParts {
  const { client, endpointsOf, gate, breaker } = parts;
  const told = (registry: string, why: PinError | undefined): PinError | undefined => {
    if (why !== undefined) trace.leftAlone(registry, why);
    return why;
  };
  return {
    ...parts,
    endpointsOf: async (reference) => {
      const endpoints = await endpointsOf(reference);
      trace.places(endpoints);
      return endpoints;
    },
    gate: {
      ...gate,
      closedFor: (asker, nowMs) => told(asker.registry, gate.closedFor(asker, nowMs)),
    },
    breaker: {
      ...breaker,
      closedFor: (question) => told(question.endpoint.registry, breaker.closedFor(question)),
    },
    client: {
      ...client,
      lookup: async (endpoint, reference, how) => {
        trace.asking(endpoint);
        try {
          const answer = await client.lookup(endpoint, reference, how);
          trace.answered(endpoint, answer);
          return answer;
        } catch (caught) {
          trace.answered(endpoint, toPinError(caught));
          throw caught;
        }
      },
    },
  };
}
