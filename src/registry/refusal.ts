import type { Offer } from '../credentials/credential.ts';
import { PinError } from '../errors.ts';
import type { Endpoint } from './hosts.ts';
import { rateLimited } from './retry-after.ts';
import type { RegistryResponse } from './transport.ts';

/** What a registry said no to. */
export interface Refusal {
  readonly error: PinError;
  readonly offer: Offer | undefined;
}

/** More would hide the rest of the message. */
const MAX_NAMED_ORIGINS = 3;

/** The first refusal, with the credentials that were tried by name, and the sources that failed. */
export function refusedAll(refusals: readonly Refusal[], problems: readonly PinError[]): PinError {
  const error = refusals[0]?.error ?? new PinError('internal', 'No credential was tried');
  const failed = problems.map(({ message }) => `; ${message}`).join('');
  return new PinError(error.code, `${error.message}${triedOf(error, refusals)}${failed}`, {
    cause: error,
    ...(error.host && { host: error.host }),
  });
}

function triedOf(error: PinError, refusals: readonly Refusal[]): string {
  const origins = [...new Set(refusals.flatMap(({ offer }) => offer?.origin ?? []))];
  const named = origins.slice(0, MAX_NAMED_ORIGINS).join(', ');
  const rest = origins.length - MAX_NAMED_ORIGINS;
  if (rest > 0) return `, asked with ${named} and ${rest} more`;
  if (named !== '') return `, asked with ${named}`;
  return error.code === 'unauthorized' ? ', asked without a credential' : '';
}

/** What an answer other than 200 means. The body is never read into the message. */
export function refusalOf({ registry }: Endpoint, response: RegistryResponse): PinError {
  const { status } = response;
  const said = `${registry} answered ${status}`;
  if (status === 404) return new PinError('not_found', `${said} (not found)`, { host: registry });
  if (status === 401 || status === 403) {
    return new PinError('unauthorized', `${said} (not found, or no access)`, { host: registry });
  }
  if (status === 429) return rateLimited(`${said} (too many requests)`, response, registry);
  if (status >= 500) return new PinError('unavailable', said, { host: registry });
  return new PinError('invalid_response', said, { host: registry });
}
