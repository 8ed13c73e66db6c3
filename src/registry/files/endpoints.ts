import type { ImageReference } from '../../image/reference.ts';
import type { Connection, TlsSettings } from '../connection.ts';
import type { Endpoint, FindEndpoints, FindRegistry } from '../hosts.ts';
import { wireHost } from '../hosts.ts';
import type { HostsDirectory, LoadedHost } from './hosts-directory.ts';
import type { RuledPlace } from './registries-conf.ts';
import type { RegistriesConf } from './registries-files.ts';

export interface EndpointsParts {
  readonly registryOf: FindRegistry;
  /** Containerd's files, or those of containers/image: a node has one of them. */
  readonly files: HostsDirectory | RegistriesConf | undefined;
}

/** Where a tag is asked for: by the operator's files if they say something of it, else its registry. */
export function createEndpoints({ registryOf, files }: EndpointsParts): FindEndpoints {
  if (files === undefined) return async (reference) => [registryOf(reference)];
  if ('hostsOf' in files) return async (reference) => byHosts(files, registryOf(reference));
  return async (reference) => byRules(files, registryOf, reference);
}

function byHosts(files: HostsDirectory, upstream: Endpoint): readonly Endpoint[] {
  const found = files.hostsOf(upstream.registry);
  if (found === undefined) return [upstream];
  return found.hosts
    .filter(({ resolves }) => resolves)
    .flatMap((host) => {
      const place = host.server === undefined ? upstream : serverOf(host, upstream);
      const named = host.server !== undefined || found.isNamed;
      return withFallback({ ...place, headers: host.headers }, how(host, named), host.saysTls);
    });
}

/** A host of a file: the registry itself where it has the registry's own name and port. */
function serverOf({ server }: LoadedHost, upstream: Endpoint): Endpoint {
  if (server === undefined) return upstream;
  const url = new URL(server.url);
  url.hostname = wireHost(url.hostname);
  const { origin, host } = url;
  const place = { ...upstream, origin, root: server.root };
  if (host === new URL(upstream.origin).host) return place;
  return { ...place, registry: host, isRegistry: false, upstream: upstream.registry };
}

function how(
  { tls, connectTimeoutMs }: Pick<LoadedHost, 'tls' | 'connectTimeoutMs'>,
  named: boolean,
): Connection | undefined {
  if (!named && tls === undefined && connectTimeoutMs === undefined) return undefined;
  return {
    named,
    ...(tls && { tls }),
    ...(connectTimeoutMs !== undefined && { connectTimeoutMs }),
  };
}

/**
 * Containerd asks a host of plain http that has settings of TLS by https first, unless port 80 is
 * written (core/remotes/docker/config/hosts.go); here that makes no difference.
 */
function withFallback(
  endpoint: Endpoint,
  connection: Connection | undefined,
  saysTls: boolean,
): readonly Endpoint[] {
  const place = connection === undefined ? endpoint : { ...endpoint, connection };
  if (!endpoint.origin.startsWith('http:') || !saysTls) return [place];
  const secure = endpoint.origin.replace(/^http:/, 'https:');
  return [
    { ...place, origin: secure },
    { ...place, isFallback: true },
  ];
}

function byRules(
  files: RegistriesConf,
  registryOf: FindRegistry,
  reference: ImageReference,
): readonly Endpoint[] {
  const upstream = registryOf(reference);
  const places = files.placesOf(reference);
  if (places === undefined) return [upstream];
  return places.flatMap((place) => ruledPlace(place, registryOf(place.reference), upstream));
}

/** What `insecure = true` means: any certificate will do. */
const ANY_CERTIFICATE: TlsSettings = { id: 'any certificate', skipVerify: true };

/** An insecure place is asked by https, and by http where it does not speak that. */
function ruledPlace(place: RuledPlace, found: Endpoint, upstream: Endpoint): readonly Endpoint[] {
  const { insecure, isNamed: named } = place;
  const { host } = new URL(found.origin);
  const isRegistry = host === new URL(upstream.origin).host;
  const endpoint: Endpoint = {
    ...found,
    isRegistry,
    registry: isRegistry ? upstream.registry : found.registry,
    ...(named && { connection: { named } }),
  };
  if (!insecure || found.origin.startsWith('http:')) return [endpoint];
  const origin = found.origin.replace(/^https:/, 'http:');
  return [
    { ...endpoint, connection: { named, tls: ANY_CERTIFICATE } },
    { ...endpoint, origin, isFallback: true },
  ];
}
