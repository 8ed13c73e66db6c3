import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

import type { GivenCredential } from '../commands/command-parts.ts';
import type { CommandLineSettings, CredentialSettings, RegistrySettings } from '../config.ts';
import type { Registries, ResolvedImage } from '../contents/registries.ts';
import { createGivenSource } from '../credentials/sources/given-source.ts';
import { PinError, toPinError } from '../errors.ts';
import { type ImageReference, normalizedName, parseReference } from '../image/reference.ts';
import type { Logger } from '../log.ts';
import { LOOPBACK } from '../registry/addresses.ts';
import { createLoopbackHttp } from '../registry/loopback-http.ts';
import { createCache } from '../resolve/cache.ts';
import type { Resolution } from '../resolve/resolver.ts';
import type { RegistryMetrics } from '../server/registry-metrics.ts';
import { composeEngine, type Engine } from './engine.ts';
import { NO_CLUSTER } from './no-cluster.ts';
import { openDockerConfig } from './own-credentials.ts';

/** What the command line is told by its process. */
export interface CommandLineProcess {
  readonly version: string;
  /** For the programs that it starts, the files that it names and its proxies. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly credential: GivenCredential | undefined;
}

const now = (): number => performance.now();

/** A run has many images, and one registry after the other may be slow: whoever has no more time interrupts. */
const PATIENCE_MS = 600_000;
/** One run asks for each tag once. */
const CACHE = { ttlMs: PATIENCE_MS, staleIfErrorMs: 0, random: Math.random };
/** A person shares with nobody: as many as a registry is asked at a time. */
const AT_A_TIME = 16;
/** Nobody's pull secrets. */
const PERSON = { namespace: 'command line', pullSecrets: [], serviceAccount: undefined };
/** A minute for a manifest or a page of tags, and for the beginning of a blob. */
const READING = { identity: PERSON, timeMs: 60_000 };

/**
 * The registries of a person, who chose the hosts: private addresses are asked, loopback as well and
 * without TLS, with the credentials of docker's configuration. Metadata services never are. Throws
 * PinError `invalid_config`.
 */
export function composeCommandLine(
  settings: CommandLineSettings,
  { version, environment, credential }: CommandLineProcess,
): Registries {
  const dockerConfig = dockerConfigOf(settings, environment);
  const engine = composeEngine(settingsOf(settings, dockerConfig.path), {
    cache: createCache(CACHE),
    reader: NO_CLUSTER,
    metrics: NO_METRICS,
    userAgent: `tagpin/${version}`,
    log: NO_LOG,
    environment,
    now,
    perNamespace: AT_A_TIME,
    speaksHttp: createLoopbackHttp(settings.registryCa.map((item) => item.replace(/=.*$/, ''))),
    givenCredentials:
      credential === undefined ? [] : [createGivenSource(credential.registry, credential)],
  });
  return registriesOf(engine, hintsOf(dockerConfig, credential));
}

/** The engine as commands ask it: every refusal says what may be missing. */
function registriesOf(engine: Engine, hintFor: FindHint): Registries {
  const { reader } = engine;
  const hintedOf = (caught: unknown, reference: ImageReference): PinError => {
    const error = toPinError(caught);
    return hinted(error, hintFor(error, reference));
  };
  const asked = async <T>(image: string, act: (at: ImageReference) => Promise<T>): Promise<T> => {
    const reference = parseReference(image);
    try {
      return await act(reference);
    } catch (caught) {
      throw hintedOf(caught, reference);
    }
  };
  return {
    resolve: (image) => asked(image, (reference) => resolve(engine, reference)),
    manifest: (image) => asked(image, (reference) => reader.manifest(reference, READING)),
    blob: (image, digest) => asked(image, (reference) => reader.blob(reference, digest, READING)),
    tags: async function* tags(repository) {
      const reference = parseReference(repository);
      try {
        for await (const { tags, manifests } of reader.tags(reference, READING)) {
          yield { tags, manifests };
        }
      } catch (caught) {
        throw hintedOf(caught, reference);
      }
    },
  };
}

async function resolve(engine: Engine, reference: ImageReference): Promise<ResolvedImage> {
  if (reference.digest !== undefined) return engine.reader.manifest(reference, READING);
  const found = await ask(engine, reference);
  if (found instanceof PinError) throw found;
  return { digest: found.digest, mediaType: found.mediaType };
}

async function ask(
  { resolver }: Engine,
  reference: ImageReference,
): Promise<Resolution | PinError> {
  const deadlineAtMs = now() + PATIENCE_MS;
  return resolver.resolve(reference, { identity: PERSON, deadlineAtMs, notBeforeMs: undefined });
}

function settingsOf(
  settings: CommandLineSettings,
  dockerConfig: string | undefined,
): RegistrySettings & CredentialSettings {
  return {
    ...settings,
    allowRegistry: ['*:*'],
    allowRegistryFile: undefined,
    allowAddress: [...LOOPBACK, ...settings.allowAddress],
    verifyByDigest: [],
    shortNames: 'docker.io',
    dockerConfig,
    imageCredentialProviderConfig: undefined,
    imageCredentialProviderBinDir: undefined,
    cloudCredentials: [],
    ownCredentialsNamespaces: ['*'],
    ownCredentialsImages: ['*'],
    anonymousFallback: false,
  };
}

/** Docker's configuration: what is read, and where it was looked for. */
interface DockerConfig {
  /** Undefined where there is none. */
  readonly path: string | undefined;
  readonly lookedFor: string;
}

/** As docker finds it (docker/cli cli/config/config.go, Dir); a file that is named must be there. */
export function dockerConfigOf(
  { dockerConfig }: Pick<CommandLineSettings, 'dockerConfig'>,
  environment: CommandLineProcess['environment'],
): DockerConfig {
  if (dockerConfig !== undefined) return { path: dockerConfig, lookedFor: dockerConfig };
  const folder = environment['DOCKER_CONFIG'] || join(homedir(), '.docker');
  const lookedFor = join(folder, 'config.json');
  return { path: existsSync(lookedFor) ? lookedFor : undefined, lookedFor };
}

type FindHint = (error: PinError, reference: ImageReference) => string | undefined;

/** Where a registry asked for a credential, and there was none: which file has no entry for it. */
function hintsOf({ path, lookedFor }: DockerConfig, given: GivenCredential | undefined): FindHint {
  const config = openDockerConfig(path, NO_LOG);
  return (error, reference) => {
    if (error.code !== 'unauthorized' || given !== undefined) return undefined;
    const file = JSON.stringify(lookedFor);
    if (config === undefined) return `there is no docker config ${file}`;
    const { offersFor, helperFor } = config();
    const registry = reference.registry.toLowerCase();
    const isKnown =
      offersFor(normalizedName(reference)).length > 0 || helperFor(registry) !== undefined;
    return isKnown ? undefined : `docker config ${file} has no entry for ${registry}`;
  };
}

function hinted(error: PinError, hint: string | undefined): PinError {
  if (hint === undefined) return error;
  const host = error.host === undefined ? {} : { host: error.host };
  return new PinError(error.code, `${error.message}; ${hint}`, { cause: error, ...host });
}

function toNobody(): void {}

/** What a registry refuses is told in the error itself. */
const NO_LOG: Logger = { info: toNobody, warn: toNobody, error: toNobody };

/** Nobody counts. */
export const NO_METRICS: RegistryMetrics = {
  registryRequest: toNobody,
  digestMismatch: toNobody,
  registryGated: toNobody,
  registrySilent: toNobody,
  cacheResult: toNobody,
  credentialLookup: toNobody,
};
