import { createHmac, randomBytes } from 'node:crypto';

import type { Credential } from './keyring.ts';

/** Names a list of credentials without telling them; no credentials at all are `anonymous`. */
export type Fingerprint = (credentials: readonly Credential[]) => string;

const KEY_BYTES = 32;

/**
 * Fingerprints under a random key of this process: equal lists get equal names, nothing can be
 * computed back or compared with another process. They separate tenants in every cache.
 */
export function createFingerprint(): Fingerprint {
  const key = randomBytes(KEY_BYTES);
  return (credentials) => {
    if (credentials.length === 0) return 'anonymous';
    const pairs = credentials.map(({ username, password }) => [username, password]);
    // JSON keeps apart what concatenation would not: "a" + "bc" and "ab" + "c".
    return createHmac('sha256', key).update(JSON.stringify(pairs)).digest('base64url');
  };
}
