import { hkdfSync } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';

import { PinError } from './errors.ts';

/** The secret that all replicas of an installation share, and that outlives them. */
export interface InstallationKey {
  /**
   * A key for one purpose, of 32 bytes; nothing can be computed from it about the others. What is
   * made differently from before is another purpose: give it a new number.
   *
   * @param scope what else the key is to differ by, of any length
   */
  readonly keyFor: (purpose: string, scope?: string) => Buffer;
}

const MIN_BYTES = 32;
/** A file that was named by mistake is not read into memory. */
const MAX_BYTES = 4096;
const DERIVED_BYTES = 32;

/**
 * Reads the key from a file: 32 to 4096 bytes, of any kind. HKDF (RFC 5869) with SHA-256, with the
 * scope as its salt and the purpose as its info, so that one Secret is enough for everything. Throws
 * PinError `invalid_config`.
 */
export function readInstallationKey(file: string): InstallationKey {
  const secret = readSecret(file);
  return {
    keyFor: (purpose, scope = '') =>
      Buffer.from(hkdfSync('sha256', secret, scope, `tagpin ${purpose}`, DERIVED_BYTES)),
  };
}

function readSecret(file: string): Buffer {
  let secret: Buffer;
  try {
    const found = statSync(file);
    if (!found.isFile() || found.size > MAX_BYTES) throw wrongSize(file);
    secret = readFileSync(file);
  } catch (caught) {
    if (caught instanceof PinError) throw caught;
    throw new PinError('invalid_config', `Cannot read ${file}`, { cause: caught });
  }
  if (secret.length < MIN_BYTES || secret.length > MAX_BYTES) throw wrongSize(file);
  return secret;
}

function wrongSize(file: string): PinError {
  const message = `Cannot use ${file}: an installation key is a file of ${MIN_BYTES} to ${MAX_BYTES} random bytes`;
  return new PinError('invalid_config', message);
}
