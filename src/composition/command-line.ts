import type { CommandLineSettings } from '../commands/command-line-settings.ts';
import type { GivenCredential } from '../commands/command-parts.ts';
import type { Registries, ResolvedImage } from '../contents/registries.ts';
import type { PinErrorCode } from '../error-codes.ts';
import { PinError, toPinError } from '../errors.ts';
import { type ImageReference, parseReference } from '../image/reference.ts';
import { LOOPBACK } from '../registry/addresses.ts';
import { createLoopbackHttp } from '../registry/loopback-http.ts';
import { createCache } from '../resolve/cache.ts';
import { createPatience, type Patience } from '../resolve/patience.ts';
import type { CredentialSettings } from '../settings/credential-settings.ts';
import type { RegistrySettings } from '../settings/registry-settings.ts';
import { composeEngine, type Engine } from './engine.ts';
import { NO_CLUSTER } from './no-cluster.ts';
import { NO_LOG, NO_METRICS } from './nobody.ts';
import {
  type CredentialFiles,
  type Environment,
  type FindHint,
  findCredentialFiles,
  givenSources,
  hinted,
  hintsOf,
} from './person-credentials.ts';

/** What the command line is told by its process. */
export interface CommandLineProcess {
  readonly version: string;
  /** For the programs that it starts, the files that it names and its proxies. */
  readonly environment: Environment;
  readonly credential: GivenCredential | undefined;
  /** Told what is waited for; undefined where no person sees it. */
  readonly tell: ((line: string) => void) | undefined;
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
  { version, environment, credential, tell }: CommandLineProcess,
): Registries {
  const files = findCredentialFiles(settings, environment);
  const patience = createPatience({
    now,
    sleep: (ms) => new Promise((wake) => setTimeout(wake, ms)),
    observe: ({ message }, waitMs) =>
      tell?.(`tagpin: ${message}; asked again in ${Math.round(waitMs / 1000)} s\n`),
  });
  const engine = composeEngine(settingsOf(settings, files), {
    cache: createCache(CACHE),
    reader: NO_CLUSTER,
    metrics: NO_METRICS,
    userAgent: `tagpin/${version}`,
    log: NO_LOG,
    environment,
    now,
    perNamespace: AT_A_TIME,
    speaksHttp: createLoopbackHttp(settings.registryCa.map((item) => item.replace(/=.*$/, ''))),
    givenCredentials: givenSources(credential),
    authFiles: files.authFiles,
    asksReasons: true,
    patience,
  });
  const hintFor = hintsOf(files, credential);
  return registriesOf(engine, { patience, hintFor, given: credential });
}

/** How long a person waits, and what is told when that was for nothing. */
interface Manners {
  readonly patience: Patience;
  readonly hintFor: FindHint;
  readonly given: GivenCredential | undefined;
}

/** The engine as commands ask it: every refusal says what may be missing. */
function registriesOf(engine: Engine, manners: Manners): Registries {
  const { hintFor, given } = manners;
  const { reader } = engine;
  const hintedOf = (caught: unknown, reference: ImageReference, isList = false): PinError => {
    const error = toPinError(caught);
    const advice = adviceOn(error.code, { reference, isList, given });
    return advice === undefined ? hinted(error, hintFor(error, reference)) : advised(error, advice);
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
    resolve: (image) => asked(image, (reference) => resolve(engine, reference, manners)),
    manifest: (image) => asked(image, (reference) => reader.manifest(reference, READING)),
    blob: (image, digest) => asked(image, (reference) => reader.blob(reference, digest, READING)),
    tags: async function* listTags(repository) {
      const reference = parseReference(repository);
      try {
        for await (const { tags, manifests } of reader.tags(reference, READING)) {
          yield { tags, manifests };
        }
      } catch (caught) {
        throw hintedOf(caught, reference, true);
      }
    },
  };
}

/** What was asked, and with what. */
interface Question extends Pick<Manners, 'given'> {
  readonly reference: ImageReference;
  /** The tags of a repository were asked for. */
  readonly isList: boolean;
}

/** What helps, where more is known of that than the code of the error tells. */
function adviceOn(code: PinErrorCode, { reference, isList, given }: Question): string | undefined {
  if (code === 'unauthorized' && given !== undefined) {
    return 'token' in given ? 'correct the token' : 'correct the user name or the password';
  }
  if (code !== 'not_found') return undefined;
  if (isList) return 'correct the name of the repository';
  // People take image IDs, and digests of layers, for those of images.
  if (reference.digest !== undefined) {
    return 'correct the digest; that of a config or a layer is told by "tagpin inspect"';
  }
  if (reference.tag !== undefined) return undefined;
  return 'no tag was named, and so latest was asked for: name another, or push that';
}

function advised(error: PinError, advice: string): PinError {
  const host = error.host === undefined ? {} : { host: error.host };
  return new PinError(error.code, error.message, { cause: error, advice, ...host });
}

async function resolve(
  { resolver, reader }: Engine,
  reference: ImageReference,
  { patience }: Manners,
): Promise<ResolvedImage> {
  if (reference.digest !== undefined) {
    const { digest, mediaType } = await reader.manifest(reference, READING);
    return { digest, mediaType };
  }
  return patience(async (notBeforeMs) => {
    const question = { identity: PERSON, deadlineAtMs: now() + PATIENCE_MS, notBeforeMs };
    const found = await resolver.resolve(reference, question);
    if (found instanceof PinError) throw found;
    return { digest: found.digest, mediaType: found.mediaType };
  });
}

function settingsOf(
  { credentials, ...settings }: CommandLineSettings,
  { dockerConfig }: Pick<CredentialFiles, 'dockerConfig'>,
): RegistrySettings & CredentialSettings {
  requirePlugins(credentials.includes('exec'), settings);
  return {
    ...settings,
    allowRegistry: ['*:*'],
    allowRegistryFile: undefined,
    allowAddress: [...LOOPBACK, ...settings.allowAddress],
    verifyByDigest: [],
    shortNames: 'docker.io',
    dockerConfig,
    cloudCredentials: credentials.filter((source) => source !== 'exec'),
    ownCredentialsNamespaces: ['*'],
    ownCredentialsImages: ['*'],
    anonymousFallback: false,
  };
}

/** Plugins are programs: they are run on request, and then must be there. */
function requirePlugins(
  isAsked: boolean,
  settings: Pick<
    CommandLineSettings,
    'imageCredentialProviderConfig' | 'imageCredentialProviderBinDir'
  >,
): void {
  const { imageCredentialProviderConfig: config, imageCredentialProviderBinDir: binDir } = settings;
  const named = [config, binDir].filter((path) => path !== undefined);
  if (named.length === (isAsked ? 2 : 0)) return;
  const message =
    '--credentials exec, --image-credential-provider-config and --image-credential-provider-bin-dir need each other';
  throw new PinError('invalid_config', message);
}
