import type { Access, Credential, CredentialSource } from '../../src/credentials/credential.ts';
import { createFingerprint } from '../../src/credentials/fingerprint.ts';
import { parseReference } from '../../src/image/reference.ts';
import {
  createRegistryClient,
  type Lookup,
  type RegistryClient,
} from '../../src/registry/client.ts';
import { createGuard, type Guard, type GuardOptions } from '../../src/registry/guard.ts';
import { createHosts, type FindEndpoints } from '../../src/registry/hosts.ts';
import type { FindAuthorities } from '../../src/registry/pools.ts';
import type { FindProxy } from '../../src/registry/proxies.ts';
import { createAuthorizer } from '../../src/registry/token.ts';
import { createTransport, type Transport } from '../../src/registry/transport.ts';

/** The real client with all that lies below it, as the program plugs it together. */
export interface RegistryStack extends AsyncDisposable {
  readonly client: RegistryClient;
  /** The registry of an image, without mirrors. */
  readonly endpointsOf: FindEndpoints;
  /** Asks that registry with a pod's credentials. */
  readonly lookup: (
    image: string,
    how: {
      readonly credentials: readonly Credential[];
      readonly lent?: readonly CredentialSource[];
      readonly signal: AbortSignal;
    },
  ) => Promise<Lookup>;
  readonly transport: Transport;
  /** Hosts whose header named another digest than their bytes have. */
  readonly mismatches: readonly string[];
  /** `HOST CODE` of each request that ended. */
  readonly observed: readonly string[];
}

export interface RegistryStackOptions extends Partial<GuardOptions> {
  /** In place of the guard that the other options make. */
  readonly guard?: Guard;
  /** The clock of `performance.now()`, in milliseconds. */
  readonly now?: () => number;
  readonly authoritiesOf?: FindAuthorities;
  readonly proxyOf?: FindProxy;
  readonly anonymousFallback?: boolean;
  readonly verifyByDigest?: readonly string[];
}

/** Loopback addresses are allowed, for the registries of tests have no others. */
export function createRegistryStack(options: RegistryStackOptions = {}): RegistryStack {
  const mismatches: string[] = [];
  const observed: string[] = [];
  const plainHttp = options.plainHttp ?? [];
  const now = options.now ?? ((): number => performance.now());
  const fingerprint = createFingerprint();
  const transport = createTransport({
    guard: options.guard ?? loopbackGuard(options),
    observe: ({ host, code }) => observed.push(`${host} ${code}`),
    userAgent: 'tagpin/test',
    ...(options.authoritiesOf && { authoritiesOf: options.authoritiesOf }),
    ...(options.proxyOf && { proxyOf: options.proxyOf }),
  });
  const client = createRegistryClient({
    transport,
    authorizer: createAuthorizer({ transport, fingerprint, now }),
    observeMismatch: (host) => mismatches.push(host),
    now,
    anonymousFallback: options.anonymousFallback ?? false,
    verifyByDigest: options.verifyByDigest ?? [],
  });
  const registryOf = createHosts(plainHttp);
  const endpointsOf: FindEndpoints = async (reference) => [registryOf(reference)];
  return {
    client,
    endpointsOf,
    lookup: async (image, { credentials, lent = [], signal }) => {
      const reference = parseReference(image);
      const own = credentials.map((credential, n) => ({ credential, origin: `secret ${n + 1}` }));
      const access: Access = { own, lent, fingerprint: fingerprint(credentials, lent) };
      return client.lookup(registryOf(reference), reference, { access, signal });
    },
    transport,
    mismatches,
    observed,
    [Symbol.asyncDispose]: () => transport.close(),
  };
}

/** The real guard, with loopback allowed. */
function loopbackGuard(options: Partial<GuardOptions> = {}): Guard {
  return createGuard({
    plainHttp: options.plainHttp ?? [],
    allowRegistry: options.allowRegistry ?? [],
    allowAddress: ['127.0.0.0/8', '::1/128', ...(options.allowAddress ?? [])],
  });
}

/** The real guard before a DNS that knows every name, and has 127.0.0.1 for each. */
export function guardWithNames(allowRegistry: readonly string[]): Guard {
  return {
    ...loopbackGuard({ allowRegistry }),
    lookupFor: () => (_hostname, options, callback) => {
      if (options.all === true) callback(null, [{ address: '127.0.0.1', family: 4 }]);
      else callback(null, '127.0.0.1', 4);
    },
  };
}
