import { PinError } from '../errors.ts';
import type { Logger } from '../log.ts';
import { createAllowFile } from '../registry/files/allow-file.ts';
import { createEndpoints } from '../registry/files/endpoints.ts';
import { createHostsDirectory } from '../registry/files/hosts-directory.ts';
import { createRegistriesConf } from '../registry/files/registries-files.ts';
import { createAuthorities } from '../registry/files/registry-authorities.ts';
import { createGuard, type GuardOptions } from '../registry/guard.ts';
import { createHosts, type FindEndpoints } from '../registry/hosts.ts';
import { nameSlotsOf } from '../registry/name-lookups.ts';
import { createProxies } from '../registry/proxies.ts';
import { createTransport, type Transport, type TransportOptions } from '../registry/transport.ts';
import type { RegistrySettings } from '../settings/registry-settings.ts';

/** What says, beside the settings, how registries are reached. */
export interface AccessParts {
  readonly userAgent: string;
  readonly log: Logger;
  /** Of the process, for the programs that it starts and the files that it names. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Registries that may go without TLS, beside those of the settings. */
  readonly speaksHttp?: (url: URL) => boolean;
}

/** What sends requests, to those alone that the settings allow. */
export function composeTransport(
  settings: RegistrySettings,
  { speaksHttp, environment, log, userAgent }: AccessParts,
  { hosts, observe }: Pick<TransportOptions, 'observe'> & { readonly hosts: readonly string[] },
): Transport {
  const guard = createGuard({
    ...settings,
    ...allowedBy(settings, hosts, log),
    ...(speaksHttp !== undefined && { speaksHttp }),
    nameSlots: nameSlotsOf(environment),
  });
  return createTransport({
    guard,
    authoritiesOf: createAuthorities(settings.registryCa, log),
    proxyOf: createProxies(environment),
    observe,
    userAgent,
  });
}

/** Who is named: by flags, with credentials of the operator's, and in a file. */
function allowedBy(
  { allowRegistry, allowRegistryFile: file }: RegistrySettings,
  hosts: readonly string[],
  log: Logger,
): Pick<GuardOptions, 'allowRegistry' | 'moreRegistries'> {
  return {
    allowRegistry: [...allowRegistry, ...hosts],
    ...(file !== undefined && { moreRegistries: createAllowFile(file, log) }),
  };
}

/** Where images are asked for, mirrors among it. */
export function composeEndpoints(
  { plainHttp, hostsDir, registriesConf }: RegistrySettings,
  { speaksHttp, log }: Pick<AccessParts, 'speaksHttp' | 'log'>,
): FindEndpoints {
  const registryOf = createHosts(plainHttp, speaksHttp);
  if (hostsDir === undefined) {
    const files =
      registriesConf === undefined ? undefined : createRegistriesConf(registriesConf, log);
    return createEndpoints({ registryOf, files });
  }
  if (registriesConf === undefined) {
    return createEndpoints({ registryOf, files: createHostsDirectory(hostsDir, log) });
  }
  const message = 'Cannot use --hosts-dir and --registries-conf together: a node has one of them';
  throw new PinError('invalid_config', message);
}
