import type { CredentialSource, Offer } from '../credentials/credential.ts';
import type { PinErrorCode } from '../error-codes.ts';
import { PinError } from '../errors.ts';
import { isJsonObject, listOf, parseJson, textOf } from '../json.ts';
import type { RegistryResponse } from './exchange.ts';
import type { Endpoint } from './hosts.ts';
import { rateLimited } from './retry-after.ts';

/** What a registry said no to: a credential of the pod's or of a source, or nobody. */
export interface Refusal {
  readonly error: PinError;
  readonly offer: Offer | undefined;
  readonly source: CredentialSource | undefined;
}

/** More would hide the rest of the message. */
const MAX_NAMED_ORIGINS = 3;

/**
 * User names whose passwords are tokens that end, with how long they live: the commonest reason for
 * which a secret that was good is refused.
 */
const SHORT_LIVED: ReadonlyMap<string, string> = new Map([
  // Google Cloud, "Configure authentication to Artifact Registry for Docker": access token.
  ['oauth2accesstoken', 'an hour'],
  // Amazon ECR user guide, "Private registry authentication": authorization token.
  ['AWS', '12 hours'],
  // Azure Container Registry, "az acr login --expose-token".
  ['00000000-0000-0000-0000-000000000000', 'three hours'],
]);

/**
 * What an answer other than 200 means. Of the body nothing gets into the message but the registry's
 * own code of the error.
 */
export function refusalOf(
  { origin, registry }: Endpoint,
  response: RegistryResponse,
  isAuthorized: boolean,
): PinError {
  const { status, url } = response;
  const host = { host: registry };
  const who = url.origin === origin ? registry : `${url.host}, to which ${registry} redirects,`;
  // Amazon's public registry answers 400 to a token that has expired.
  const meaning = MEANINGS.get(status === 400 && isAuthorized ? 'expired' : status);
  const { code, words } = meaning ?? { code: status >= 500 ? 'unavailable' : 'invalid_response' };
  const said = [`${who} answered ${status}${words ?? ''}`, ...errorCodeOf(response)].join(', ');
  return code === 'rate_limited'
    ? rateLimited(said, response, host)
    : new PinError(code, said, host);
}

interface Meaning {
  readonly code: PinErrorCode;
  readonly words?: string;
}

const NO_ACCESS: Meaning = { code: 'unauthorized', words: ' (not found, or no access)' };

const MEANINGS: ReadonlyMap<number | 'expired', Meaning> = new Map<number | 'expired', Meaning>([
  [404, { code: 'not_found', words: ' (not found)' }],
  [401, NO_ACCESS],
  [403, NO_ACCESS],
  [429, { code: 'rate_limited', words: ' (too many requests)' }],
  ['expired', { code: 'unauthorized', words: ' (bad request, or no access)' }],
]);

/** More is no list of errors. */
const MAX_ERRORS_BYTES = 64 * 1024;
/** The distribution specification, "Error Codes": `[A-Z_]`. */
const ERROR_CODE = /^[A-Z][A-Z_]{0,39}$/;

/** The code of the first error in a body of the distribution specification, in a list, or nothing. */
function errorCodeOf({ body }: RegistryResponse): readonly string[] {
  if (body.length === 0 || body.length > MAX_ERRORS_BYTES) return [];
  const answer = parseJson(body.toString('utf8'));
  const [first] = isJsonObject(answer) ? listOf(answer, 'errors') : [];
  const code = isJsonObject(first) ? (textOf(first, 'code') ?? '') : '';
  return ERROR_CODE.test(code) ? [code] : [];
}

/** The first refusal, with the credentials that were tried by name, and the sources that failed. */
export function refusedAll(refusals: readonly Refusal[], problems: readonly PinError[]): PinError {
  const error = refusals[0]?.error ?? new PinError('internal', 'No credential was tried');
  const failed = problems.map(({ message }) => `; ${message}`).join('');
  const message = `${error.message}${triedOf(error, refusals)}${expiryOf(refusals)}${failed}`;
  return new PinError(error.code, message, {
    cause: error,
    ...(error.host && { host: error.host }),
  });
}

function triedOf(error: PinError, refusals: readonly Refusal[]): string {
  const origins = [...new Set(refusals.flatMap(({ offer }) => offer?.origin ?? []))];
  const named = origins.slice(0, MAX_NAMED_ORIGINS).join(', ');
  const rest = origins.length - MAX_NAMED_ORIGINS;
  const anonymous = refusals.some(({ offer }) => offer === undefined);
  if (named === '') return error.code === 'unauthorized' ? ', asked without a credential' : '';
  const more = rest > 0 ? ` and ${rest} more` : '';
  return `, asked with ${named}${more}${anonymous ? ', then without a credential' : ''}`;
}

/** Only of the pod's own: a source was asked for another one already. */
function expiryOf(refusals: readonly Refusal[]): string {
  for (const { error, offer, source } of refusals) {
    const life = SHORT_LIVED.get(offer?.credential.username ?? '');
    if (offer && source === undefined && life !== undefined && error.code === 'unauthorized') {
      return ` (the password in ${offer.origin} may have expired: such tokens live ${life})`;
    }
  }
  return '';
}
