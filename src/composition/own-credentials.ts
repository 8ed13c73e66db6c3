import { readFileSync } from 'node:fs';
import type { CredentialSource } from '../credentials/credential.ts';
import type { LenderOptions } from '../credentials/lender.ts';
import {
  type DockerConfigFile,
  parseDockerConfigFile,
} from '../credentials/sources/docker-config-file.ts';
import { createDockerConfigSource } from '../credentials/sources/docker-config-source.ts';
import { type Program, runProgram } from '../credentials/sources/program.ts';
import { readProviders } from '../credentials/sources/provider-files.ts';
import { createProviderSource } from '../credentials/sources/provider-source.ts';
import type { SourceParts } from '../credentials/sources/remembered-source.ts';
import { PinError } from '../errors.ts';
import { describeError, type Logger } from '../log.ts';
import { createReloaded } from '../reloaded.ts';
import type { CredentialSettings } from '../settings/credential-settings.ts';
import { composeCloudCredentials } from './cloud-credentials.ts';

export interface OwnCredentialsParts extends SourceParts {
  readonly log: Logger;
  /** What helpers and plugins are started with. */
  readonly environment: Program['environment'];
  /** Tried before all others. */
  readonly given: readonly CredentialSource[];
  /** Files like docker's configuration, which are tried behind it. */
  readonly authFiles: readonly string[];
}

/** The operator's own credentials. */
export interface OwnCredentials {
  /** All of them, and who may use them. */
  readonly lending: LenderOptions;
  /** `HOST[:PORT]` of registries that the operator named with them. */
  readonly hosts: readonly string[];
  /** Imports the libraries of the clouds: right after listening, never inside of a review. */
  readonly load: () => Promise<void>;
}

/**
 * Makes the sources that the settings name, in the order in which they are tried: a part of the
 * composition root. Throws PinError `invalid_config`.
 */
export function composeOwnCredentials(
  settings: CredentialSettings,
  parts: OwnCredentialsParts,
): OwnCredentials {
  const { dockerConfig } = settings;
  const files = [...(dockerConfig === undefined ? [] : [dockerConfig]), ...parts.authFiles];
  const configs = files.map((path) => openDockerConfig(path, parts.log));
  const clouds = composeCloudCredentials(settings.cloudCredentials, {
    ...parts,
    wallClock: () => Date.now(),
  });
  const sources = [
    ...parts.given,
    ...configs.map((config) => createDockerConfigSource({ ...parts, run: runProgram, config })),
    ...providerSources(settings, parts),
    ...clouds,
  ];
  return {
    lending: lendingOf(settings, sources),
    hosts: configs.flatMap((config) => config().hosts),
    load: async () => {
      await Promise.all(clouds.map((cloud) => cloud.load()));
    },
  };
}

/**
 * Reads the file now, so that a mistake ends the start, and again whenever it has changed. Throws
 * PinError `invalid_config`.
 */
export function openDockerConfig(path: string, log: Logger): () => DockerConfigFile {
  const config = createReloaded({
    read: (see) => {
      see(path);
      return parseDockerConfigFile(readText(path), `docker config ${JSON.stringify(path)}`);
    },
    observeFailure: (error) =>
      log.warn(describeError(error), 'docker config cannot be read: the last one serves on'),
  });
  config();
  return config;
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new PinError('invalid_config', `Cannot read ${JSON.stringify(path)}`, { cause });
  }
}

function providerSources(
  {
    imageCredentialProviderConfig: config,
    imageCredentialProviderBinDir: binDir,
  }: CredentialSettings,
  parts: OwnCredentialsParts,
): readonly CredentialSource[] {
  if (config === undefined && binDir === undefined) return [];
  if (config === undefined || binDir === undefined) {
    const message =
      '--image-credential-provider-config and --image-credential-provider-bin-dir need each other';
    throw new PinError('invalid_config', message);
  }
  const providers = readProviders({ config, binDir });
  return [createProviderSource({ ...parts, run: runProgram, binDir, providers })];
}

/**
 * One list restricts to what it names, and the other then holds for all. Without either, nobody
 * said that tenants may use the operator's credentials.
 */
function lendingOf(
  { ownCredentialsNamespaces, ownCredentialsImages }: CredentialSettings,
  sources: readonly CredentialSource[],
): LenderOptions {
  const isSaid = ownCredentialsNamespaces.length > 0 || ownCredentialsImages.length > 0;
  if (sources.length > 0 && !isSaid) {
    const message =
      "tagpin has credentials of its own, and nobody may use them: name with --own-credentials-namespaces or --own-credentials-images whom they are for, or '*'";
    throw new PinError('invalid_config', message);
  }
  return {
    sources,
    namespaces: orAll(ownCredentialsNamespaces),
    images: orAll(ownCredentialsImages),
  };
}

function orAll(globs: readonly string[]): readonly string[] {
  return globs.length === 0 ? ['*'] : globs;
}
