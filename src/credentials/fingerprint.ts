import { createHmac, randomBytes } from 'node:crypto';

import type { Credential } from './credential.ts';

/**
 * Names a list of credentials, and the sources that are lent beside them, without telling them;
 * nothing at all is `anonymous`.
 */
export type Fingerprint = (
  credentials: readonly Credential[],
  lent?: readonly { readonly name: string }[],
) => string;

const KEY_BYTES = 32;

/**
 * Fingerprints under a random key of this process: equal lists get equal names, nothing can be
 * computed back or compared with another process. They separate tenants in every cache.
 */
export function createFingerprint(): Fingerprint {
  const key = randomBytes(KEY_BYTES);
  return (credentials, lent = []) => {
    if (credentials.length === 0 && lent.length === 0) return 'anonymous';
    const own = credentials.map((one) => [
      one.username,
      one.password,
      one.identityToken,
      one.registryToken,
    ]);
    const names = lent.map(({ name }) => name);
    // JSON keeps apart what concatenation would not: "a" + "bc" and "ab" + "c".
    return createHmac('sha256', key)
      .update(JSON.stringify([own, names]))
      .digest('base64url');
  };
}
