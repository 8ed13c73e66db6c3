import type { Credential } from '../credentials/credential.ts';
import { PinError } from '../errors.ts';
import { isJsonObject, parseJson } from '../json.ts';
import type { Challenge } from './challenge.ts';
import type { Connection } from './connection.ts';
import type { EndpointIdentity } from './endpoint-key.ts';
import type { RegistryResponse } from './exchange.ts';
import { mayHaveCredentials, realmOf } from './realm.ts';
import { rateLimited } from './retry-after.ts';
import type { Sender } from './sender.ts';
import type { Transport } from './transport.ts';

/** For what an authorization is wanted: one repository, with one credential or none. */
export interface Scope {
  readonly endpoint: EndpointIdentity;
  /** The origin that sent us there by a redirect, where one did. */
  readonly redirectedBy?: string;
  readonly repository: string;
  readonly credential: Credential | undefined;
  readonly signal: AbortSignal;
  /** Whose answer led to the endpoint; nobody's where an image did. */
  readonly sender?: Sender | undefined;
}

/** What a token server is asked. */
export interface TokenQuestion {
  readonly registry: URL;
  readonly realm: URL;
  /** The parameters of the request, by either method. */
  readonly wanted: Readonly<Record<string, string>>;
  /** What the server is shown; none where it is a stranger to the registry. */
  readonly credential: Credential | undefined;
  /** There is a credential, and the server is not shown it. */
  readonly withheld: boolean;
  readonly connection: Connection | undefined;
  /** The registry, as the one that names the server. */
  readonly sender: Sender;
}

/** What a token server gave. */
export interface Token {
  readonly token: string;
  readonly lifeMs: number;
}

const MAX_TOKEN_BYTES = 128 * 1024;
/** Default and floor of a token's life (distribution's token specification), and a ceiling of ours. */
const MIN_LIFE_S = 60;
export const MAX_LIFE_S = 3600;
const CLIENT_ID = 'tagpin';
/** Docker's name for the user of a token in place of a password. */
const TOKEN_USER = '<token>';
/** What servers answer that know no OAuth2: the specification has clients ask by GET then. */
const KNOWS_NO_POST: ReadonlySet<number> = new Set([404, 405]);

/** The header of RFC 7617. */
export function basicHeader({ username, password }: Credential): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

/**
 * An entry of a docker config without user name and password is a credential to kubelet, and to
 * containerd it is none: registries were seen to refuse an empty one for what anybody may read.
 */
export function isEmpty({ username, password, identityToken }: Credential): boolean {
  return username === '' && password === '' && identityToken === undefined;
}

/** What a Bearer challenge asks a client to ask. Throws `unauthorized` where it names no server. */
export function tokenQuestion(scope: Scope, { params }: Challenge): TokenQuestion {
  const registry = new URL(scope.endpoint.origin);
  const realm = realmOf(registry, { params });
  const credential =
    scope.credential === undefined || isEmpty(scope.credential) ? undefined : scope.credential;
  const trusted = mayHaveCredentials(registry, realm);
  const service = params['service'];
  return {
    registry,
    realm,
    wanted: {
      ...(service !== undefined && { service }),
      scope: params['scope'] ?? `repository:${scope.repository}:pull`,
      client_id: CLIENT_ID,
    },
    credential: trusted ? credential : undefined,
    withheld: credential !== undefined && !trusted,
    connection: connectionTo(realm, registry, scope.endpoint.connection),
    sender: { url: registry, connection: scope.endpoint.connection, sender: scope.sender },
  };
}

/**
 * Whom the operator trusts to vouch for a registry may vouch for its token server, as containerd has
 * it; the client's certificate and whatever else is said of the registry stay with its origin.
 */
function connectionTo(
  realm: URL,
  registry: URL,
  connection: Connection | undefined,
): Connection | undefined {
  if (realm.origin === registry.origin) return connection;
  const { id = '', ca } = connection?.tls ?? {};
  return ca && { named: false, tls: { id: `authorities of ${id}`, ca } };
}

/**
 * Gets a token: by GET, which every server knows (distribution docs/content/spec/auth/token.md); for
 * an identity token by POST (oauth.md). Follows no redirect. Throws PinError.
 */
export async function requestToken(
  transport: Transport,
  question: TokenQuestion,
  signal: AbortSignal,
): Promise<Token> {
  const response = await answerOf(transport, question, signal).catch((caught: unknown) => {
    throw silenceOf(caught, question);
  });
  if (response.status === 200) return readToken(response.body, question);
  throw refusalOf(response, question);
}

/** A server that does not answer is told apart from the registry: nobody has named it but that. */
function silenceOf(caught: unknown, { realm, registry }: TokenQuestion): unknown {
  if (!(caught instanceof PinError) || realm.origin === registry.origin) return caught;
  const { code, message, cause, host, silence, asked } = caught;
  if (silence?.origin !== realm.origin) return caught;
  return new PinError(code, `the token server ${message}`, {
    cause,
    silence,
    asked,
    ...(host !== undefined && { host }),
    ...(code !== 'tls_failed' && { advice: `see whether it answers: ${registry.host} names it` }),
  });
}

async function answerOf(
  transport: Transport,
  question: TokenQuestion,
  signal: AbortSignal,
): Promise<RegistryResponse> {
  const { realm: url, credential, wanted, connection, sender } = question;
  const limits = { maxBodyBytes: MAX_TOKEN_BYTES, followRedirects: false };
  const common = { ...limits, signal, connection, sender, purpose: 'token' as const };
  const get = (shown: Credential | undefined): Promise<RegistryResponse> => {
    const headers = shown === undefined ? {} : { authorization: basicHeader(shown) };
    return transport.send({ ...common, method: 'GET', url: withQuery(url, wanted), headers });
  };
  if (credential?.identityToken === undefined) return get(credential);
  const { identityToken, username } = credential;
  const grant = { grant_type: 'refresh_token', refresh_token: identityToken };
  const form = new URLSearchParams({ ...wanted, ...grant });
  const posted = await transport.send({ ...common, method: 'POST', url, headers: {}, form });
  if (!KNOWS_NO_POST.has(posted.status)) return posted;
  return get({ username: username || TOKEN_USER, password: identityToken });
}

function withQuery(realm: URL, wanted: Readonly<Record<string, string>>): URL {
  const url = new URL(realm);
  for (const [name, value] of Object.entries(wanted)) url.searchParams.set(name, value);
  return url;
}

function refusalOf(response: RegistryResponse, question: TokenQuestion): PinError {
  const { realm, registry, withheld } = question;
  const { hostname: host } = registry;
  const { status } = response;
  const said = `the token server ${realm.host} answered ${status}`;
  // It counts what is pulled from its registry, if it is of the same hands.
  const speaks = mayHaveCredentials(registry, realm);
  const limitedBy = speaks ? registry.origin : realm.origin;
  if (status === 429) return rateLimited(said, response, { host, limitedBy });
  if (status >= 500) return new PinError('unavailable', said, { host });
  const reason = withheld ? `; the credential is not sent to ${realm.host}, another domain` : '';
  return new PinError('unauthorized', `${said}${reason}`, { host });
}

/**
 * `issued_at` is not read: it is the clock of another machine, and a token that ends early is
 * renewed when it is refused. A new refresh token is not read either: the operator's stays.
 */
function readToken(body: Buffer, { realm, registry }: TokenQuestion): Token {
  const answer = parseJson(body.toString('utf8'));
  const token = isJsonObject(answer) ? answer['token'] || answer['access_token'] : undefined;
  // A header may hold visible characters only; anything else is no token.
  if (!isJsonObject(answer) || typeof token !== 'string' || !/^[\x21-\x7e]+$/.test(token)) {
    const message = `the token server ${realm.host} answered 200 without a token`;
    throw new PinError('invalid_response', message, { host: registry.hostname });
  }
  const lifeS = typeof answer['expires_in'] === 'number' ? answer['expires_in'] : MIN_LIFE_S;
  const clamped = Math.min(Math.max(lifeS, MIN_LIFE_S), MAX_LIFE_S);
  return { token, lifeMs: clamped * 1000 };
}
