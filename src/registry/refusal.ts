import type { CredentialSource, Offer } from '../credentials/credential.ts';
import { PinError } from '../errors.ts';
import type { Endpoint } from './hosts.ts';
import { rateLimited } from './retry-after.ts';
import type { RegistryResponse } from './transport.ts';

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

/** What an answer other than 200 means. The body is never read into the message. */
export function refusalOf(
  { origin, registry }: Endpoint,
  response: RegistryResponse,
  isAuthorized: boolean,
): PinError {
  const { status, url } = response;
  const host = { host: registry };
  const who = url.origin === origin ? registry : `${url.host}, to which ${registry} redirects,`;
  const said = `${who} answered ${status}`;
  if (status === 404) return new PinError('not_found', `${said} (not found)`, host);
  if (status === 401 || status === 403) {
    return new PinError('unauthorized', `${said} (not found, or no access)`, host);
  }
  if (status === 429) return rateLimited(`${said} (too many requests)`, response, host);
  // Amazon's public registry says so of a token that has expired.
  if (status === 400 && isAuthorized) {
    return new PinError('unauthorized', `${said} (bad request, or no access)`, host);
  }
  return new PinError(status >= 500 ? 'unavailable' : 'invalid_response', said, host);
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
