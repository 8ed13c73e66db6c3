import { PinError } from '../../errors.ts';
import { isJsonObject, parseJson, textOf } from '../../json.ts';
import { type DirectResponse, sendDirectly } from './direct-request.ts';

/** Reads a `WWW-Authenticate` header; throws nothing. */
type ParseChallenges = (
  header: string,
) => readonly { readonly scheme: string; readonly params: Readonly<Record<string, string>> }[];

export interface ExchangeParts {
  readonly parseChallenges: ParseChallenges;
  /** How registries are reached, in place of Node's own way. */
  readonly fetch?: typeof fetch;
}

/** What is exchanged, and where. */
export interface Exchange {
  /** A host that was found to be one of Azure's. */
  readonly host: string;
  /** Of Entra ID, for the audience of container registries. */
  readonly accessToken: string;
}

/**
 * An ACR refresh token, which serves as a password there, for a token of Entra ID
 * (Azure/acr docs/AAD-OAuth.md). The token is sent to no host but the registry's own: a challenge
 * that names another realm ends it.
 *
 * @throws PinError `credential_source_failed`, and whatever `fetch` throws
 */
export async function exchangeToken(
  { parseChallenges, fetch }: ExchangeParts,
  { host, accessToken }: Exchange,
  signal: AbortSignal,
): Promise<string> {
  const origin = `https://${host}`;
  const challenge = await sendDirectly({ url: new URL('/v2/', origin), signal }, fetch);
  const service = serviceOf(parseChallenges, { challenge, origin, host });
  const answer = await sendDirectly(
    {
      url: new URL('/oauth2/exchange', origin),
      form: { grant_type: 'access_token', service, access_token: accessToken },
      signal,
    },
    fetch,
  );
  if (answer.status !== 200) throw failure(host, `answered ${answer.status} to the exchange`);
  const body = parseJson(answer.text);
  const token = isJsonObject(body) ? textOf(body, 'refresh_token') : undefined;
  if (token === undefined || token === '') throw failure(host, 'answered without a token');
  return token;
}

function serviceOf(
  parseChallenges: ParseChallenges,
  asked: { readonly challenge: DirectResponse; readonly origin: string; readonly host: string },
): string {
  const { challenge, origin, host } = asked;
  if (challenge.status !== 401) throw failure(host, `answered ${challenge.status} to /v2/`);
  const header = challenge.headers.get('www-authenticate') ?? '';
  const bearer = parseChallenges(header).find(({ scheme }) => scheme === 'bearer');
  const { realm = '', service } = bearer?.params ?? {};
  if (service === undefined) throw failure(host, 'gives no challenge of the kind Bearer');
  if (URL.parse(realm)?.origin !== origin) throw failure(host, 'names the realm of another host');
  return service;
}

function failure(host: string, why: string): PinError {
  const message = `Azure gives no credential for ${host} (the registry ${why}): see that the identity of tagpin has the role AcrPull there`;
  return new PinError('credential_source_failed', message, { host });
}
