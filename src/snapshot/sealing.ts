import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

/** Encrypts text that comes piece by piece. */
export interface Sealing {
  /** What stands before all of it. */
  readonly begin: () => Buffer;
  readonly add: (text: string) => Buffer;
  /** What stands behind it, without which nothing of it opens. */
  readonly end: () => Buffer;
}

/** What became of bytes that were to be opened. */
export type Opened = { readonly text: Buffer } | { readonly refusal: Refusal };

/** Why a snapshot is not used, in words for the log. */
type Refusal =
  | 'it is no snapshot'
  | 'another version of tagpin wrote it'
  | 'it is damaged, or was written under another key or other settings of registries';

/** Of all versions. */
const KIND = 'tagpin snapshot ';
/** With the version of what follows: of the seal, and of what is inside. */
const HEAD = Buffer.from(`${KIND}1\n`);
const CIPHER = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** How much longer the sealed text is than the text. */
export const SEAL_BYTES: number = HEAD.length + NONCE_BYTES + TAG_BYTES;

/**
 * AES-GCM (NIST SP 800-38D) with a random nonce: whoever reads a snapshot learns no name of an image
 * and nothing of credentials, and nobody without the key can write one.
 */
export function createSealing(key: Buffer): Sealing {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(HEAD);
  return {
    begin: () => Buffer.concat([HEAD, nonce]),
    add: (text) => cipher.update(text, 'utf8'),
    end: () => Buffer.concat([cipher.final(), cipher.getAuthTag()]),
  };
}

/** Gives the text of bytes that were sealed under the key, whole; never a part of it. */
export function openSealed(key: Buffer, bytes: Buffer): Opened {
  const begin = HEAD.length + NONCE_BYTES;
  if (!bytes.subarray(0, HEAD.length).equals(HEAD)) {
    const isOther = bytes.subarray(0, KIND.length).equals(Buffer.from(KIND));
    return { refusal: isOther ? 'another version of tagpin wrote it' : 'it is no snapshot' };
  }
  if (bytes.length < SEAL_BYTES) return DAMAGED;
  const nonce = bytes.subarray(HEAD.length, begin);
  const decipher = createDecipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES });
  decipher.setAAD(HEAD);
  decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
  const text = decipher.update(bytes.subarray(begin, -TAG_BYTES));
  try {
    decipher.final();
  } catch {
    // The tag is not that of these bytes under this key.
    return DAMAGED;
  }
  return { text };
}

const DAMAGED: Opened = {
  refusal: 'it is damaged, or was written under another key or other settings of registries',
};
