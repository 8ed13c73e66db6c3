import { readFile } from 'node:fs/promises';

import type * as GoogleAuthLibrary from 'google-auth-library';
import type {
  AuthClient,
  ExternalAccountClientOptions,
  JWTInput,
  OAuth2ClientOptions,
} from 'google-auth-library';

import { PinError } from '../../errors.ts';
import { isJsonObject, type JsonObject, listOf, objectIn, parseJson, textOf } from '../../json.ts';
import { cloudFailure } from './cloud-failure.ts';
import type { CloudParts } from './cloud-source.ts';
import type { GoogleIdentity } from './google-identity.ts';

export interface GoogleFileParts extends Pick<CloudParts, 'wallClock'> {
  /** A credential file of one of the kinds below. */
  readonly file: string;
  /** How Google is reached, in place of the library's own way. */
  readonly fetch?: typeof fetch;
}

type Library = typeof GoogleAuthLibrary;
type MakeClient = (library: Library, file: JsonObject, options: OAuth2ClientOptions) => AuthClient;

/** What Kubernetes' own plugin asks for; what the identity may read is up to IAM. */
const SCOPES = ['https://www.googleapis.com/auth/cloud-platform'];
/** For one request of the several that an exchange takes; all together have the source's 5 s. */
const REQUEST_TIMEOUT_MS = 4000;
/** A key signs tokens of this life by itself, where there is no exchange. */
const SELF_SIGNED_MS = 3_600_000;

/**
 * The identity of a credential file. The library remembers tokens, and is made to forget them: what
 * is good and for how long is known elsewhere. The file is read for each token, for it may change.
 */
export function createFileIdentity({ file, fetch, wallClock }: GoogleFileParts): GoogleIdentity {
  let importing: Promise<Library> | undefined;
  const library = (): Promise<Library> => (importing ??= import('google-auth-library'));
  const options: OAuth2ClientOptions = {
    transporterOptions: {
      redirect: 'error',
      timeout: REQUEST_TIMEOUT_MS,
      ...(fetch && { fetchImplementation: fetch }),
    },
  };
  let made: { readonly text: string; readonly renew: () => AuthClient } | undefined;
  const clientOf = async (text: string): Promise<AuthClient> => {
    // One client a file, not one a token: the library warns on the console of each that it makes.
    if (made?.text !== text)
      made = { text, renew: renewable(makeClient(await library(), text, options)) };
    return made.renew();
  };
  return {
    load: async () => {
      await library();
    },
    fetchToken: async () => {
      try {
        const client = await clientOf(await readText(file));
        const headers = await client.getRequestHeaders();
        const token = /^Bearer (\S+)$/.exec(headers.get('authorization') ?? '')?.[1];
        if (token === undefined) throw failure('an answer without a token');
        const expiresAtMs = client.credentials.expiry_date ?? wallClock() + SELF_SIGNED_MS;
        return { token, expiresAtMs, universe: client.universeDomain };
      } catch (caught) {
        throw cloudFailure(QUESTION, caught);
      }
    },
  };
}

const QUESTION = {
  asked: 'Google gives no access token for the credential file of GOOGLE_APPLICATION_CREDENTIALS',
  advice: 'see that the file is whole and its identity still valid',
};

function failure(why: string): PinError {
  const message = `${QUESTION.asked} (${why}): ${QUESTION.advice}`;
  return new PinError('credential_source_failed', message);
}

async function readText(file: string): Promise<string> {
  return readFile(file, 'utf8');
}

/** A client that holds an expired token, whatever it was told before. */
function renewable(client: AuthClient): () => AuthClient {
  const { refresh_token: refreshToken } = client.credentials;
  return () => {
    client.setCredentials({
      expiry_date: 1,
      ...(typeof refreshToken === 'string' && { refresh_token: refreshToken }),
    });
    return client;
  };
}

/** By the `type` of a file (https://cloud.google.com/docs/authentication/application-default-credentials). */
const KINDS: ReadonlyMap<string, MakeClient> = new Map([
  ['service_account', makeServiceAccount],
  ['authorized_user', makeUser],
  ['impersonated_service_account', makeImpersonated],
  ['external_account', makeExternalAccount],
]);

function makeClient(library: Library, text: string, options: OAuth2ClientOptions): AuthClient {
  const file = parseJson(text);
  if (!isJsonObject(file)) throw failure('it is no JSON object');
  return makeKind(library, file, options);
}

function makeKind(library: Library, file: JsonObject, options: OAuth2ClientOptions): AuthClient {
  const make = KINDS.get(textOf(file, 'type') ?? '');
  if (make !== undefined) return make(library, file, options);
  throw failure(`its "type" is none of ${[...KINDS.keys()].join(', ')}`);
}

function makeServiceAccount(
  { JWT }: Library,
  file: JsonObject,
  options: OAuth2ClientOptions,
): AuthClient {
  const client = new JWT({ ...options, scopes: SCOPES });
  client.fromJSON(inputOf(file));
  return client;
}

function makeUser(
  { UserRefreshClient }: Library,
  file: JsonObject,
  options: OAuth2ClientOptions,
): AuthClient {
  const client = new UserRefreshClient(options);
  client.fromJSON(inputOf(file));
  return client;
}

function makeImpersonated(
  library: Library,
  file: JsonObject,
  options: OAuth2ClientOptions,
): AuthClient {
  const source = objectIn(file, 'source_credentials');
  const url = textOf(file, 'service_account_impersonation_url') ?? '';
  const targetPrincipal = /\/([^/:]+):generateAccessToken$/.exec(url)?.[1];
  if (source === undefined) throw failure('it has no "source_credentials"');
  if (targetPrincipal === undefined) {
    throw failure('its "service_account_impersonation_url" names no service account');
  }
  return new library.Impersonated({
    ...options,
    sourceClient: makeKind(library, source, options),
    targetPrincipal,
    targetScopes: SCOPES,
    delegates: listOf(file, 'delegates').filter((one) => typeof one === 'string'),
  });
}

function makeExternalAccount(
  library: Library,
  file: JsonObject,
  options: OAuth2ClientOptions,
): AuthClient {
  const client = isExternalAccount(file)
    ? library.ExternalAccountClient.fromJSON({ ...file, ...options, scopes: SCOPES })
    : null;
  if (client === null) throw failure('it lacks what an "external_account" has');
  return client;
}

/** The library reads more of it, and says what is missing. */
function isExternalAccount(file: JsonObject): file is JsonObject & ExternalAccountClientOptions {
  return (
    textOf(file, 'audience') !== undefined &&
    textOf(file, 'subject_token_type') !== undefined &&
    objectIn(file, 'credential_source') !== undefined
  );
}

const INPUT_FIELDS = [
  'type',
  'client_email',
  'private_key',
  'private_key_id',
  'client_id',
  'client_secret',
  'refresh_token',
  'universe_domain',
] as const satisfies readonly (keyof JWTInput)[];

function inputOf(file: JsonObject): JWTInput {
  const input: JWTInput = {};
  for (const field of INPUT_FIELDS) {
    const value = textOf(file, field);
    if (value !== undefined) input[field] = value;
  }
  return input;
}
