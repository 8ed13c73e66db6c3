import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto';

import { type Digest, isDigest } from '../image/digest.ts';
import type { InstallationKey } from '../installation-key.ts';
import { isJsonObject, parseJson, textOf } from '../json.ts';

/** A digest as replicas tell it one another. */
export interface ToldDigest {
  readonly digest: Digest;
  readonly mediaType: string | undefined;
  /** The registry that told it. */
  readonly host: string;
  /** How many credentials were tried. */
  readonly attempts: number;
  /** When the look-up that found it began, in milliseconds since 1970. */
  readonly askedAtUnixMs: number;
}

/** What stands in the shared cache for one key of the process's own. */
export interface Sealed {
  /** Tells nothing of the image or the credentials. */
  readonly name: string;
  readonly seal: (told: ToldDigest) => string;
  /** Undefined for everything that no replica has sealed for this very key. */
  readonly open: (text: string) => ToldDigest | undefined;
}

/** The longest that is read of a value; the longest that is written is shorter. */
export const MAX_VALUE_CHARS = 2048;

/** Names begin with this, so that a user of the server can be confined to them. */
export const NAME_PREFIX = 'tagpin:1:';

const CIPHER = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** Lengths are told in steps of this. */
const PADDING_BYTES = 256;

/**
 * The name of an entry is an HMAC of its key, and another HMAC is the key that its value is sealed
 * with by AES-GCM: what was sealed for another image, for other credentials, by another installation
 * or by nobody does not open, and who reads it learns no digest, which would tell the image. With a
 * key for each entry, nonces by chance are safe however much is written.
 *
 * @param scope what else must be equal for two replicas to share
 */
export function createSealing(
  installationKey: InstallationKey,
  scope: string,
): (cacheKey: string) => Sealed {
  const nameKey = installationKey.keyFor('shared cache, names 1');
  const valueKey = installationKey.keyFor('shared cache, values 1');
  return (cacheKey) => {
    const secret = hmac(valueKey, [scope, cacheKey]);
    return {
      name: NAME_PREFIX + hmac(nameKey, [scope, cacheKey]).toString('base64url'),
      seal: (told) => seal(secret, JSON.stringify(told)),
      open: (text) => {
        const opened = text.length > MAX_VALUE_CHARS ? undefined : open(secret, text);
        return opened === undefined ? undefined : toldDigestFrom(parseJson(opened));
      },
    };
  };
}

/** As JSON, which keeps apart what concatenation would not. */
function hmac(key: Buffer, texts: readonly string[]): Buffer {
  return createHmac('sha256', key).update(JSON.stringify(texts)).digest();
}

function seal(secret: Buffer, text: string): string {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(CIPHER, secret, nonce, { authTagLength: TAG_BYTES });
  const bytes = Buffer.from(text);
  const padding = Buffer.alloc(PADDING_BYTES - (bytes.length % PADDING_BYTES), ' ');
  const sealed = [nonce, cipher.update(bytes), cipher.update(padding), cipher.final()];
  return Buffer.concat([...sealed, cipher.getAuthTag()]).toString('base64url');
}

function open(secret: Buffer, text: string): string | undefined {
  const bytes = Buffer.from(text, 'base64url');
  if (bytes.length < NONCE_BYTES + TAG_BYTES) return undefined;
  const nonce = bytes.subarray(0, NONCE_BYTES);
  const decipher = createDecipheriv(CIPHER, secret, nonce, { authTagLength: TAG_BYTES });
  decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
  const opened = decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES));
  try {
    return Buffer.concat([opened, decipher.final()]).toString();
  } catch {
    // The tag is not that of these bytes under this key: planted, changed, or another image's.
    return undefined;
  }
}

function toldDigestFrom(value: unknown): ToldDigest | undefined {
  if (!isJsonObject(value)) return undefined;
  const { attempts, askedAtUnixMs } = value;
  const digest = textOf(value, 'digest') ?? '';
  const host = textOf(value, 'host');
  const isWhole = typeof attempts === 'number' && typeof askedAtUnixMs === 'number';
  return isWhole && host !== undefined && isDigest(digest)
    ? { digest, mediaType: textOf(value, 'mediaType'), host, attempts, askedAtUnixMs }
    : undefined;
}
