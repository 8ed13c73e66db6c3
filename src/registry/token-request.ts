import type { Credential } from '../credentials/credential.ts';
import { PinError } from '../errors.ts';
import { isJsonObject } from '../json.ts';
import type { Challenge } from './challenge.ts';
import type { Endpoint } from './hosts.ts';
import { mayHaveCredentials, realmOf } from './realm.ts';
import { rateLimited } from './retry-after.ts';
import type { RegistryResponse, Transport } from './transport.ts';

/** For what an authorization is wanted: one repository, with one credential or none. */
export interface Scope {
  readonly endpoint: Pick<Endpoint, 'origin' | 'connection'>;
  readonly repository: string;
  readonly credential: Credential | undefined;
  readonly signal: AbortSignal;
}

const MAX_TOKEN_BYTES = 128 * 1024;
/** Default and floor of a token's life (distribution's token specification), and a ceiling of ours. */
const MIN_LIFE_S = 60;
export const MAX_LIFE_S = 3600;
const CLIENT_ID = 'tagpin';

/** The header of RFC 7617. */
export function basicHeader({ username, password }: Credential): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

/** Gets a token from the realm of a challenge (distribution docs/content/spec/auth/token.md). */
export async function requestToken(
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
