import { LRUCache } from 'lru-cache';
import { getDomain } from 'tldts';
import type { Credential } from '../credentials/credential.ts';
import type { Fingerprint } from '../credentials/fingerprint.ts';
import { PinError } from '../errors.ts';
import { isJsonObject } from '../json.ts';
import type { Challenge } from './challenge.ts';
import type { Endpoint } from './hosts.ts';
import { rateLimited } from './retry-after.ts';
import type { RegistryResponse, Transport } from './transport.ts';

/** For what an authorization is wanted: one repository, with one credential or none. */
export interface Scope {
  readonly endpoint: Pick<Endpoint, 'origin' | 'connection'>;
  readonly repository: string;
  readonly credential: Credential | undefined;
  readonly signal: AbortSignal;
}

/** Finds the `Authorization` header for a request, by a challenge or from memory. */
export interface Authorizer {
  /** What was accepted last time, if it is still good. */
  readonly remembered: (scope: Scope) => string | undefined;
  readonly forget: (scope: Scope) => void;
  /** Answers the challenges of a 401. Throws `unauthorized` where none can be answered. */
  readonly answer: (scope: Scope, challenges: readonly Challenge[]) => Promise<string>;
}

export interface AuthorizerOptions {
  readonly transport: Transport;
  readonly fingerprint: Fingerprint;
  /** The clock of `performance.now()`, in milliseconds. */
  readonly now: () => number;
}

const MAX_TOKEN_BYTES = 128 * 1024;
/** Default and floor of a token's life (distribution's token specification), and a ceiling of ours. */
const MIN_LIFE_S = 60;
const MAX_LIFE_S = 3600;
/** A token is renewed this long before it ends, so that it does not end on the way. */
const RENEW_EARLY_MS = 5000;
/**
 * All that is remembered, in characters. Whose registry it is writes the token, up to 128 KiB of it,
 * and there is one for each of its repositories.
 */
const MAX_REMEMBERED_CHARS = 8 * 1024 * 1024;
const CLIENT_ID = 'tagpin';

export function createAuthorizer(options: AuthorizerOptions): Authorizer {
  const remembered = new LRUCache<string, string>({
    maxSize: MAX_REMEMBERED_CHARS,
    sizeCalculation: (header, key) => header.length + key.length,
    ttl: MAX_LIFE_S * 1000,
    ttlResolution: 0,
    perf: { now: options.now },
  });
  const keyOf = ({ endpoint, repository, credential }: Scope): string => {
    const owner = options.fingerprint(credential === undefined ? [] : [credential]);
    return `${endpoint.origin} ${repository} ${owner}`;
  };
  return {
    remembered: (scope) => remembered.get(keyOf(scope)),
    forget: (scope) => void remembered.delete(keyOf(scope)),
    answer: async (scope, challenges) => {
      const bearer = challenges.find(({ scheme }) => scheme === 'bearer');
      const basic = challenges.find(({ scheme }) => scheme === 'basic');
      if (bearer !== undefined) {
        const { token, lifeMs } = await exchange(options.transport, scope, bearer);
        const header = `Bearer ${token}`;
        remembered.set(keyOf(scope), header, { ttl: lifeMs - RENEW_EARLY_MS });
        return header;
      }
      if (basic !== undefined && scope.credential !== undefined) {
        const header = basicHeader(scope.credential);
        remembered.set(keyOf(scope), header);
        return header;
      }
      throw unanswerable(scope, challenges);
    },
  };
}

function unanswerable(scope: Scope, challenges: readonly Challenge[]): PinError {
  const { host, hostname } = new URL(scope.endpoint.origin);
  const schemes = challenges.map(({ scheme }) => scheme).join(', ') || 'no scheme';
  const what =
    scope.credential === undefined && challenges.some(({ scheme }) => scheme === 'basic')
      ? 'asks for a user name and password'
      : `answered 401 and asks for ${schemes}`;
  return new PinError('unauthorized', `${host} ${what}`, { host: hostname });
}

function basicHeader({ username, password }: Credential): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

/** Gets a token from the realm of a challenge (distribution docs/content/spec/auth/token.md). */
async function exchange(
  transport: Transport,
  scope: Scope,
  challenge: Challenge,
): Promise<{ readonly token: string; readonly lifeMs: number }> {
  const registry = new URL(scope.endpoint.origin);
  const realm = realmOf(registry, challenge);
  realm.searchParams.set('client_id', CLIENT_ID);
  const service = challenge.params['service'];
  if (service !== undefined) realm.searchParams.set('service', service);
  realm.searchParams.set(
    'scope',
    challenge.params['scope'] ?? `repository:${scope.repository}:pull`,
  );
  const trusted = scope.credential !== undefined && mayHaveCredentials(registry, realm);
  const response = await transport.send({
    method: 'GET',
    url: realm,
    headers: trusted && scope.credential ? { authorization: basicHeader(scope.credential) } : {},
    signal: scope.signal,
    maxBodyBytes: MAX_TOKEN_BYTES,
    followRedirects: false,
    connection: realm.origin === registry.origin ? scope.endpoint.connection : undefined,
  });
  if (response.status === 200) return readToken(response.body, realm, registry);
  const withheld = scope.credential !== undefined && !trusted;
  throw refusalOf(response, { realm, registry, withheld });
}

function refusalOf(
  response: RegistryResponse,
  asked: { readonly realm: URL; readonly registry: URL; readonly withheld: boolean },
): PinError {
  const { realm, registry, withheld } = asked;
  const { hostname: host } = registry;
  const { status } = response;
  const said = `the token server ${realm.host} answered ${status}`;
  if (status === 429) return rateLimited(said, response, host);
  if (status >= 500) return new PinError('unavailable', said, { host });
  const reason = withheld ? `; the credential is not sent to ${realm.host}, another domain` : '';
  return new PinError('unauthorized', `${said}${reason}`, { host });
}

function realmOf(registry: URL, challenge: Challenge): URL {
  const realm = URL.parse(challenge.params['realm'] ?? '', registry.href);
  if (challenge.params['realm'] !== undefined && realm !== null) return realm;
  const message = `${registry.host} answered 401 with a challenge that names no token server`;
  throw new PinError('unauthorized', message, { host: registry.hostname });
}

/**
 * A registry names its token server itself, so a hostile one could name a place to collect
 * credentials. They go to the same origin, or over https to the same registrable domain
 * (`registry-1.docker.io` and `auth.docker.io`); anything else is asked without.
 */
function mayHaveCredentials(registry: URL, realm: URL): boolean {
  if (realm.origin === registry.origin) return true;
  if (realm.protocol !== 'https:') return false;
  if (realm.hostname === registry.hostname) return true;
  const domain = getDomain(realm.hostname, { allowPrivateDomains: true });
  return domain !== null && domain === getDomain(registry.hostname, { allowPrivateDomains: true });
}

function readToken(body: Buffer, realm: URL, registry: URL): { token: string; lifeMs: number } {
  const answer = parseJson(body);
  const token = isJsonObject(answer) ? (answer['token'] ?? answer['access_token']) : undefined;
  // A header may hold visible characters only; anything else is no token.
  if (!isJsonObject(answer) || typeof token !== 'string' || !/^[\x21-\x7e]+$/.test(token)) {
    const message = `the token server ${realm.host} answered 200 without a token`;
    throw new PinError('invalid_response', message, { host: registry.hostname });
  }
  const lifeS = typeof answer['expires_in'] === 'number' ? answer['expires_in'] : MIN_LIFE_S;
  const clamped = Math.min(Math.max(lifeS, MIN_LIFE_S), MAX_LIFE_S);
  return { token, lifeMs: clamped * 1000 };
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    // The caller says what is missing; the text itself may be hostile.
    return undefined;
  }
}
