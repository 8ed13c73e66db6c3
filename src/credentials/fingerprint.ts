import { createHmac, createSecretKey, randomBytes } from 'node:crypto';

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
 * Fingerprints under a key: equal lists get equal names, and without the key nothing can be computed
 * back, or guessed and compared. They separate tenants in every cache. The key is a random one of
 * this process, unless what is kept under fingerprints outlives it, or is shared with others.
 */
export function createFingerprint(key: Buffer = randomBytes(KEY_BYTES)): Fingerprint {
  const secret = createSecretKey(key);
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
    return createHmac('sha256', secret)
      .update(JSON.stringify([own, names]))
      .digest('base64url');
  };
}
