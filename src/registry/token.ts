import { LRUCache } from 'lru-cache';
import type { Fingerprint } from '../credentials/fingerprint.ts';
import { PinError } from '../errors.ts';
import type { Challenge } from './challenge.ts';
import { basicHeader, MAX_LIFE_S, requestToken, type Scope } from './token-request.ts';
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
/**
 * All that is remembered, in characters. Whose registry it is writes the token, up to 128 KiB of it,
 * and there is one for each of its repositories.
 */
const MAX_REMEMBERED_CHARS = 8 * 1024 * 1024;

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
        const { token, lifeMs } = await requestToken(options.transport, scope, bearer);
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
