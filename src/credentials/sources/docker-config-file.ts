import { PinError } from '../../errors.ts';
import { type JsonObject, textOf } from '../../json.ts';
import type { Credential, Offer } from '../credential.ts';
import {
  authsOf,
  fieldValues,
  lastString,
  objectOf,
  parseObject,
  type RegistryEntry,
  toCredential,
} from '../docker-config.ts';
import { createKeyedOffers, isHub } from '../keyed-offers.ts';
import { parseLocation } from '../location.ts';

/** A docker `config.json` of the operator. */
export interface DockerConfigFile {
  /** What stands in its `auths`, for an image in any spelling, in kubelet's order; the Hub's for it alone. */
  readonly offersFor: (image: string) => Offer[];
  /** The credential helper that docker would ask about a registry: the NAME of `docker-credential-NAME`. */
  readonly helperFor: (registry: string) => string | undefined;
  /** `HOST[:PORT]` that it names; a glob names none. */
  readonly hosts: readonly string[];
}

/** Under this name `docker login` stores the credentials of the Hub. */
export const HUB_SERVER = 'https://index.docker.io/v1/';
const HUB_NAMES = [HUB_SERVER, 'index.docker.io', 'docker.io'];
/** No path, and no option. */
const HELPER_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;

/**
 * Reads `auths`, with identity tokens, `credHelpers` and `credsStore` (docker/cli
 * cli/config/configfile/file.go). `registrytoken` is not used.
 *
 * @param origin what is read, for messages: `docker config "/etc/tagpin/config.json"`
 * @throws PinError `invalid_config`, without any of the content
 */
export function parseDockerConfigFile(text: string, origin: string): DockerConfigFile {
  try {
    const config = parseObject(text, origin);
    const entries = authsOf(config, origin, toOwnCredential);
    const helpers = helpersOf(config, origin);
    return {
      offersFor: createKeyedOffers(
        entries
          // Docker leaves an empty entry for what it gave to a store.
          .filter(({ credential }) => !isEmpty(credential))
          .map(({ key, credential }) => ({ key, offer: { credential, origin } })),
        isHub,
      ),
      helperFor: helperFinder(
        helpers,
        helperName(lastString(config, 'credsStore', origin), origin),
      ),
      hosts: hostsOf(entries, helpers),
    };
  } catch (caught) {
    if (!(caught instanceof PinError)) throw caught;
    throw new PinError('invalid_config', caught.message);
  }
}

function toOwnCredential(entry: JsonObject, origin: string): Credential {
  const credential = toCredential(entry, origin);
  const identityToken = lastString(entry, 'identitytoken', origin);
  return identityToken === '' ? credential : { ...credential, identityToken };
}

function isEmpty({ username, password, identityToken }: Credential): boolean {
  return username === '' && password === '' && identityToken === undefined;
}

function helpersOf(config: JsonObject, origin: string): ReadonlyMap<string, string> {
  const named = fieldValues(config, 'credHelpers').map((value) => objectOf(value, origin));
  return new Map(
    named.flatMap((helpers) =>
      Object.keys(helpers).map((registry) => {
        const name = textOf(helpers, registry);
        if (name === undefined) throw badHelper(origin, `the helper of ${registry}`);
        return [registry, helperName(name, origin)] as const;
      }),
    ),
  );
}

function helperName(name: string, origin: string): string {
  if (name === '' || HELPER_NAME.test(name)) return name;
  throw badHelper(origin, JSON.stringify(name));
}

function badHelper(origin: string, what: string): PinError {
  const message = `Cannot read ${origin}: ${what} is not the name of a credential helper`;
  return new PinError('invalid_config', message);
}

/** The helper of a registry by its exact name, else the store, which docker asks about any; an empty name is none. */
function helperFinder(
  helpers: ReadonlyMap<string, string>,
  store: string,
): DockerConfigFile['helperFor'] {
  return (registry) => {
    const names = registry === 'docker.io' ? HUB_NAMES : [registry];
    const name = names.map((one) => helpers.get(one)).find((found) => found !== undefined);
    return (name ?? store) || undefined;
  };
}

function hostsOf(
  entries: readonly RegistryEntry[],
  helpers: ReadonlyMap<string, string>,
): readonly string[] {
  const keys = [...entries.map(({ key }) => key), ...helpers.keys()];
  const hosts = keys.map((key) => parseLocation(key.replace(/^https?:\/\//, ''))?.host ?? '');
  return [...new Set(hosts)].filter((host) => host !== '' && !host.includes('*'));
}
