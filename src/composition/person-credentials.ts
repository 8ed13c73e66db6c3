import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { CommandLineSettings } from '../commands/command-line-settings.ts';
import type { GivenCredential } from '../commands/command-parts.ts';
import type { CredentialSource } from '../credentials/credential.ts';
import { createGivenSource } from '../credentials/sources/given-source.ts';
import { PinError } from '../errors.ts';
import { type ImageReference, normalizedName } from '../image/reference.ts';
import { NO_LOG } from './nobody.ts';
import { openDockerConfig } from './own-credentials.ts';

/** Variables of the process. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Where a person's credentials are kept. */
export interface CredentialFiles {
  /** Docker's configuration; undefined where there is none. */
  readonly dockerConfig: string | undefined;
  /** Where that was looked for. */
  readonly lookedFor: string;
  /** Files of podman, buildah and skopeo that are there, in their order. */
  readonly authFiles: readonly string[];
}

/**
 * As docker finds its own (docker/cli cli/config/config.go, Dir), and podman its (containers-auth.json(5),
 * go.podman.io/image pkg/docker/config). A file that is named by a setting must be there, and is the
 * only one.
 */
export function findCredentialFiles(
  { dockerConfig }: Pick<CommandLineSettings, 'dockerConfig'>,
  environment: Environment,
): CredentialFiles {
  if (dockerConfig !== undefined) return { dockerConfig, lookedFor: dockerConfig, authFiles: [] };
  const folder = environment['DOCKER_CONFIG'] || join(homedir(), '.docker');
  const lookedFor = join(folder, 'config.json');
  return {
    dockerConfig: existsSync(lookedFor) ? lookedFor : undefined,
    lookedFor,
    authFiles: authFilesOf(environment).filter((path) => existsSync(path)),
  };
}

function authFilesOf(environment: Environment): readonly string[] {
  const named = environment['REGISTRY_AUTH_FILE'];
  if (named) return [named];
  const runtime = environment['XDG_RUNTIME_DIR'];
  const config = environment['XDG_CONFIG_HOME'] || join(homedir(), '.config');
  return [...(runtime ? [runtime] : []), config].map((folder) =>
    join(folder, 'containers', 'auth.json'),
  );
}

/** What the command line was given, as a source that is tried before all others. */
export function givenSources(given: GivenCredential | undefined): readonly CredentialSource[] {
  if (given === undefined) return [];
  const { registry } = given;
  if ('token' in given) {
    const credential = { username: '', password: '', registryToken: given.token };
    return [createGivenSource(registry, { credential, origin: 'the token of --token-stdin' })];
  }
  const { username, password } = given;
  const origin = `the password of ${JSON.stringify(username)}`;
  return [createGivenSource(registry, { credential: { username, password }, origin })];
}

/** What may be missing where a registry refused; undefined where nothing is. */
export type FindHint = (error: PinError, reference: ImageReference) => string | undefined;

/**
 * Where a registry asked for a credential: which files were read, and whether they have an entry for
 * it. Throws PinError `invalid_config` of a file that cannot be read.
 */
export function hintsOf(
  { dockerConfig, lookedFor, authFiles }: CredentialFiles,
  given: GivenCredential | undefined,
): FindHint {
  const files = [...(dockerConfig === undefined ? [] : [dockerConfig]), ...authFiles];
  const configs = files.map((path) => ({ path, config: openDockerConfig(path, NO_LOG) }));
  return (error, reference) => {
    if (error.code !== 'unauthorized' || given !== undefined) return undefined;
    if (configs.length === 0) return `there is no docker config ${JSON.stringify(lookedFor)}`;
    const registry = reference.registry.toLowerCase();
    for (const { path, config } of configs) {
      const { offersFor, helperFor } = config();
      // The error names what was tried.
      if (offersFor(normalizedName(reference)).length > 0) return undefined;
      const helper = helperFor(registry);
      if (helper !== undefined) {
        return `docker config ${JSON.stringify(path)} leaves ${registry} to docker-credential-${helper}`;
      }
    }
    const named = files.map((path) => JSON.stringify(path)).join(' and ');
    return `docker config ${named} ${files.length === 1 ? 'has' : 'have'} no entry for ${registry}`;
  };
}

/** The error with the hint behind it. */
export function hinted(error: PinError, hint: string | undefined): PinError {
  if (hint === undefined) return error;
  const host = error.host === undefined ? {} : { host: error.host };
  return new PinError(error.code, `${error.message}; ${hint}`, { cause: error, ...host });
}
