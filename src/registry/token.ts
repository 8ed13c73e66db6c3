import { LRUCache } from 'lru-cache';
import type { Credential } from '../credentials/credential.ts';
import type { Fingerprint } from '../credentials/fingerprint.ts';
import { PinError } from '../errors.ts';
import type { Challenge } from './challenge.ts';
import { endpointKey } from './endpoint-key.ts';
import { toNetworkError } from './network-error.ts';
import { createSharedRequests, type SharedRequests } from './shared-requests.ts';
import {
  basicHeader,
  isEmpty,
  MAX_LIFE_S,
  requestToken,
  type Scope,
  type Token,
  type TokenQuestion,
  tokenQuestion,
} from './token-request.ts';
import type { Transport } from './transport.ts';

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

/** A token is renewed this long before it ends, so that it does not end on the way. */
const RENEW_EARLY_MS = 5000;
/** All that is remembered, in characters. Whose registry it is writes the token, one for each name. */
const MAX_REMEMBERED_CHARS = 8 * 1024 * 1024;
/**
 * One of them with its key; a longer one is used once. Servers of Node take no more of all headers
 * together (`http.maxHeaderSize`), and some with 128 KiB each would push everybody else's out.
 */
const MAX_HEADER_CHARS = 16 * 1024;

export function createAuthorizer(options: AuthorizerOptions): Authorizer {
  const remembered = new LRUCache<string, string>({
    maxSize: MAX_REMEMBERED_CHARS,
    maxEntrySize: MAX_HEADER_CHARS,
    sizeCalculation: (header, key) => header.length + key.length,
    ttl: MAX_LIFE_S * 1000,
    ttlResolution: 0,
    perf: { now: options.now },
  });
  const requests = createSharedRequests<Token>();
  const ownerOf = (credential: Credential | undefined): string =>
    options.fingerprint(credential === undefined ? [] : [credential]);
  const keyOf = (scope: Scope): string =>
    `${placeOf(scope)} ${scope.repository} ${ownerOf(scope.credential)}`;
  return {
    remembered: (scope) => registryTokenOf(scope) ?? remembered.get(keyOf(scope)),
    forget: (scope) => void remembered.delete(keyOf(scope)),
    answer: async (scope, challenges) => {
      if (registryTokenOf(scope) !== undefined) throw refusesToken(scope);
      // A token first: with Basic the password would be sent with each request.
      const bearer = challenges.find(({ scheme }) => scheme === 'bearer');
      if (bearer !== undefined) {
        const question = tokenQuestion(scope, bearer);
        const { realm, wanted, credential } = question;
        const key = JSON.stringify([placeOf(scope), realm.href, wanted, ownerOf(credential)]);
        const { token, lifeMs } = await shared(options, requests, {
          key,
          question,
          signal: scope.signal,
        });
        const header = `Bearer ${token}`;
        remembered.set(keyOf(scope), header, { ttl: lifeMs - RENEW_EARLY_MS });
        return header;
      }
      const header = basicFor(scope, challenges);
      remembered.set(keyOf(scope), header);
      return header;
    },
  };
}

/** What is sent before anything is asked for; a scope that was reached by a redirect has no credential. */
function registryTokenOf({ credential }: Scope): string | undefined {
  return credential?.registryToken === undefined ? undefined : `Bearer ${credential.registryToken}`;
}

function refusesToken({ endpoint }: Scope): PinError {
  const { host, hostname } = new URL(endpoint.origin);
  return new PinError('unauthorized', `${host} answered 401 to the token`, { host: hostname });
}

/** Who redirects chooses what is asked for: it has tokens of its own there, and spoils no other's. */
function placeOf({ endpoint, redirectedBy = '' }: Scope): string {
  return `${endpointKey(endpoint)} ${redirectedBy}`;
}

/** Several tags of one repository that are asked for at once need one token. */
async function shared(
  { transport, now }: AuthorizerOptions,
  requests: SharedRequests<Token>,
  asked: {
    readonly key: string;
    readonly question: TokenQuestion;
    readonly signal: AbortSignal;
  },
): Promise<Token> {
  const { key, question, signal } = asked;
  const startedAtMs = now();
  try {
    return await requests.join(key, signal, (stop) => requestToken(transport, question, stop));
  } catch (caught) {
    if (signal.aborted) throw toNetworkError(signal.reason, question.realm, now() - startedAtMs);
    throw caught;
  }
}

function basicFor({ endpoint, credential }: Scope, challenges: readonly Challenge[]): string {
  const offered = challenges.some(({ scheme }) => scheme === 'basic');
  // An identity token is a token server's, which is not here.
  const isPassword =
    credential !== undefined && credential.identityToken === undefined && !isEmpty(credential);
  if (offered && isPassword) return basicHeader(credential);
  const { host, hostname } = new URL(endpoint.origin);
  const schemes = challenges.map(({ scheme }) => scheme).join(', ') || 'no scheme';
  const what = offered
    ? 'asks for a user name and password'
    : `answered 401 and asks for ${schemes}`;
  throw new PinError('unauthorized', `${host} ${what}`, { host: hostname });
}
