import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/** Why a request is not answered: its status, and what is said of it. */
export interface Refused {
  readonly status: 403 | 421;
  readonly message: string;
}

const LOOPBACK = /^(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?$/i;

/**
 * Refuses what a page of somebody else can make a browser send here, while the browser's user has
 * this port at hand. By DNS rebinding such a page has the same origin as this one, under a name of
 * its own: so only names of loopback are answered. From another origin, another port of localhost
 * included, a browser says so by `Sec-Fetch-Site` (w3.org/TR/fetch-metadata): of those requests a
 * link to the page alone is answered, which nobody but its user can read.
 */
export function refusalOf({ method, headers }: IncomingMessage): Refused | undefined {
  const { host = '', origin } = headers;
  if (!LOOPBACK.test(host)) {
    return { status: 421, message: 'this page is for localhost, 127.0.0.1 and [::1] alone' };
  }
  const site = headers['sec-fetch-site'] ?? 'none';
  // By `Referrer-Policy: no-referrer` the origin of this page's own forms is null (fetch.spec.whatwg.org).
  const ours = site === 'same-origin' ? [`http://${host}`, 'null'] : [`http://${host}`];
  const isForeign = origin !== undefined && !ours.includes(origin);
  const isOwn = site === 'same-origin' || site === 'none';
  if (!isForeign && (isOwn || isLink({ method, headers }))) return undefined;
  return { status: 403, message: 'another page must not ask for this one' };
}

function isLink({ method, headers }: Pick<IncomingMessage, 'method' | 'headers'>): boolean {
  return (
    method === 'GET' &&
    headers['sec-fetch-mode'] === 'navigate' &&
    headers['sec-fetch-dest'] === 'document'
  );
}

/** The secret that the forms of this process's pages have, and no other page can know. */
export interface FormToken {
  readonly text: string;
  readonly accepts: (text: unknown) => boolean;
}

const TOKEN_BYTES = 32;

export function createFormToken(): FormToken {
  const text = randomBytes(TOKEN_BYTES).toString('base64url');
  return {
    text,
    accepts: (given) => typeof given === 'string' && timingSafeEqual(hash(given), hash(text)),
  };
}

/** Of one length, whatever was given. */
function hash(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
