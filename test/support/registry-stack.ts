import type { Access, Credential, CredentialSource } from '../../src/credentials/credential.ts';
import { createFingerprint } from '../../src/credentials/fingerprint.ts';
import { type ImageReference, parseReference } from '../../src/image/reference.ts';
import {
  createRegistryClient,
  type Lookup,
  type RegistryClient,
} from '../../src/registry/client.ts';
import { createGuard, type Guard, type GuardOptions } from '../../src/registry/guard.ts';
import { createHosts, type Endpoint, type FindEndpoints } from '../../src/registry/hosts.ts';
import type { FindAuthorities } from '../../src/registry/pools.ts';
import type { FindProxy } from '../../src/registry/proxies.ts';
import type { Quota } from '../../src/registry/quota.ts';
import { createRegistryReader, type RegistryReader } from '../../src/registry/reader.ts';
import { createAuthorizer } from '../../src/registry/token.ts';
import { createTransport, type Transport } from '../../src/registry/transport.ts';

/** With what something is read. */
interface ReadHow {
  readonly credentials: readonly Credential[];
  readonly signal: AbortSignal;
}

/** The first arguments of everything that a reader does. */
interface ReadPlace {
  readonly endpoint: Endpoint;
  readonly reference: ImageReference;
  readonly how: { readonly access: Access; readonly signal: AbortSignal };
}

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
  readonly reader: RegistryReader;
  /** Where a reference is read, without mirrors, and with a pod's credentials. */
  readonly placeOf: (image: string, how?: Partial<ReadHow>) => ReadPlace;
  readonly transport: Transport;
  /** Hosts whose header named another digest than their bytes have. */
  readonly mismatches: readonly string[];
  /** `HOST CODE` of each request that ended. */
  readonly observed: readonly string[];
  /** What answers told of them. */
  readonly quotas: readonly Quota[];
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
  readonly asksReasons?: boolean;
}

/** Long enough for a machine that has much to do. */
const READ_MS = 60_000;

/** Loopback addresses are allowed, for the registries of tests have no others. */
export function createRegistryStack(options: RegistryStackOptions = {}): RegistryStack {
  const mismatches: string[] = [];
  const observed: string[] = [];
  const quotas: Quota[] = [];
  const plainHttp = options.plainHttp ?? [];
  const now = options.now ?? ((): number => performance.now());
  const fingerprint = createFingerprint();
  const transport = createTransport({
    guard: options.guard ?? loopbackGuard(options),
    observe: ({ host, code, quota }) => {
      observed.push(`${host} ${code}`);
      if (quota !== undefined) quotas.push(quota);
    },
    userAgent: 'tagpin/test',
    ...(options.authoritiesOf && { authoritiesOf: options.authoritiesOf }),
    ...(options.proxyOf && { proxyOf: options.proxyOf }),
  });
  const asking = {
    transport,
    authorizer: createAuthorizer({ transport, fingerprint, now }),
    observeMismatch: (host: string) => mismatches.push(host),
    anonymousFallback: options.anonymousFallback ?? false,
    asksReasons: options.asksReasons ?? false,
  };
  const client = createRegistryClient({
    ...asking,
    now,
    verifyByDigest: options.verifyByDigest ?? [],
  });
  const registryOf = createHosts(plainHttp);
  const endpointsOf: FindEndpoints = async (reference) => [registryOf(reference)];
  const accessOf = (
    credentials: readonly Credential[],
    lent: readonly CredentialSource[] = [],
  ): Access => ({
    own: credentials.map((credential, n) => ({ credential, origin: `secret ${n + 1}` })),
    lent,
    fingerprint: fingerprint(credentials, lent),
  });
  return {
    client,
    endpointsOf,
    lookup: async (image, { credentials, lent = [], signal }) => {
      const reference = parseReference(image);
      const how = { access: accessOf(credentials, lent), signal };
      return client.lookup(registryOf(reference), reference, how);
    },
    reader: createRegistryReader(asking),
    placeOf: (image, { credentials = [], signal = AbortSignal.timeout(READ_MS) } = {}) => {
      const reference = parseReference(image);
      const how = { access: accessOf(credentials), signal };
      return { endpoint: registryOf(reference), reference, how };
    },
    transport,
    mismatches,
    observed,
    quotas,
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
